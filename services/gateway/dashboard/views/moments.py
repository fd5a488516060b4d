"""Times that somebody typed into a page, in the time zone of their browser."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from services.common.errors import InvalidRequest


class NoMoment(InvalidRequest):
    """The start is no date and time. Choose both, or leave it empty."""

    reason = "NO_MOMENT"


def moment_of(typed: str, zone: str) -> datetime | None:
    """None where nothing was typed. Without script a page knows no zone, and its times are UTC. Raises NoMoment."""
    if not typed.strip():
        return None
    try:
        return datetime.fromisoformat(typed.strip()).replace(tzinfo=_zone(zone))
    except ValueError as error:
        raise NoMoment from error


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):  # each of them for a name that is no zone's
        return UTC
