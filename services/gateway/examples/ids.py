"""Ids and moments of the sale that all examples tell of."""

from datetime import UTC, datetime
from typing import Final

WORKSPACE: Final = "019abf00-0000-7000-8000-000000000001"
USER: Final = "019abf00-0000-7000-8000-000000000002"
SESSION: Final = "019abf00-0000-7000-8000-000000000003"
INVITATION: Final = "019abf00-0000-7000-8000-000000000004"
TOKEN: Final = "019abf00-0000-7000-8000-000000000005"
INTEGRATION: Final = "019abf00-0000-7000-8000-000000000006"
SHOW: Final = "019abf00-0000-7000-8000-000000000007"
ITEM: Final = "019abf00-0000-7000-8000-000000000008"
BUYER: Final = "019abf00-0000-7000-8000-000000000009"
INVOICE: Final = "019abf00-0000-7000-8000-00000000000a"
GENERATION: Final = "019abf00-0000-7000-8000-00000000000b"
SENDING: Final = "019abf00-0000-7000-8000-00000000000c"
DELIVERY: Final = "019abf00-0000-7000-8000-00000000000d"
AUDIT: Final = "019abf00-0000-7000-8000-00000000000e"
STRAY: Final = "019abf00-0000-7000-8000-00000000000f"
ETAG: Final = "3f9a1c"
PAY_PATH: Final = "/p/Hn3vT9cWq0bYxK2mRz7sLA"
CURSOR: Final = "WyIwMTlhYmYwMCJd"
"""Of a next page. What is in one is nobody's business."""


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of the day of the sale."""
    return datetime(2026, 11, 24, hour, minute, second, tzinfo=UTC)
