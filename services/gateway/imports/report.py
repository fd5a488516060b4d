"""Counts what became of the lines of a file."""

from typing import Final

from services.gateway.schemas.shows import ClaimsTaken, ImportReport, ItemsTaken, RejectedLine

_MOST: Final = 1_000
"""Bad lines that a report names."""


class Unfit(Exception):
    """A line cannot be taken; the message is a finished sentence."""


class Tally:
    """The report as it grows."""

    def __init__(self) -> None:
        self._created = self._updated = self._unchanged = self._rejected_count = 0
        self._rejected: list[RejectedLine] = []

    def take(self, taken: ItemsTaken | ClaimsTaken) -> None:
        self._created += taken.created
        self._updated += taken.updated
        self._unchanged += taken.unchanged

    def reject(self, line: int, reason: str) -> None:
        self._rejected_count += 1
        if len(self._rejected) < _MOST:
            self._rejected.append(RejectedLine(line=line, reason=reason))

    def report(self) -> ImportReport:
        return ImportReport(
            created=self._created,
            updated=self._updated,
            unchanged=self._unchanged,
            rejected=sorted(self._rejected, key=lambda rejected: rejected.line),
            rejected_count=self._rejected_count,
        )


def whole_number(text: str, column: str) -> int:
    """Raises Unfit for anything but digits."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Unfit(f"The {column} '{text[:40]}' is not a whole number.")
    return int(text)
