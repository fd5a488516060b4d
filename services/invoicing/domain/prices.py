"""How dear one item may be."""

from collections.abc import Mapping
from typing import Final

MOST: Final = 99_999_999
_MOST_IN: Final[Mapping[str, int]] = {"IDR": 999_999_999_999}
"""Where the sums of everyday life are larger than that: as far as a provider goes."""


def price_fault(price: int | None, currency: str) -> str:
    """What is wrong with a price in minor units, a sentence; empty when nothing is."""
    most = _MOST_IN.get(currency, MOST)
    if price is None or 0 <= price <= most:
        return ""
    return f"The price is not between 0 and {most:,} minor units."
