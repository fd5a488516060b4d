"""The signing secrets of replaced endpoints: each holds for a while longer, for what is under way.

They are sealed as one field, a line for each with the moment until which it holds, so that nothing that happens later,
new keys or another replacement, cuts an overlap short or draws it out.
"""

from datetime import datetime, timedelta
from typing import Final

from services.common.secret import Secret

OVERLAP: Final = timedelta(days=1)
"""How long what was signed with the secret of a replaced endpoint is accepted."""


def with_replaced(earlier: Secret | None, replaced: Secret, now: datetime) -> Secret:
    """The field after one more endpoint was replaced."""
    fresh = f"{(now + OVERLAP).timestamp():.0f} {replaced.reveal()}"
    return Secret("\n".join([fresh, *_lines(earlier, now)]))


def still(earlier: Secret | None, now: datetime) -> Secret | None:
    """The field without what holds no longer; None when nothing does."""
    lines = _lines(earlier, now)
    return Secret("\n".join(lines)) if lines else None


def holding(earlier: Secret, now: datetime) -> list[Secret]:
    """The secrets that hold, the latest first."""
    return [Secret(line.partition(" ")[2]) for line in _lines(earlier, now)]


def _lines(earlier: Secret | None, now: datetime) -> list[str]:
    lines = earlier.reveal().splitlines() if earlier else []
    return [line for line in lines if _until(line) > now.timestamp()]


def _until(line: str) -> int:
    """Nothing holds that does not say until when."""
    moment = line.partition(" ")[0]
    return int(moment) if moment.isdecimal() else 0
