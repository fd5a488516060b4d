"""Counts what became of the lines of a file."""

from array import array
from typing import Final

from services.common.errors import Fault, InvalidRequest
from services.gateway.imports.rows import Sheet
from services.gateway.schemas.shows import ImportReport, RejectedLine, RowsTaken

MOST: Final = 1_000
"""Bad lines that a report names."""


class Unfit(Exception):
    """A line cannot be taken; the message is a finished sentence."""


class NothingTaken(InvalidRequest):
    """Nothing was taken, for all or nothing was asked: {bad} are wrong. Correct them, and send the file again."""

    reason = "NOTHING_TAKEN"


class Tally:
    """The report as it grows."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._lines = array("L")  # of the rows that were sent, by place
        self._created = self._updated = self._unchanged = self._rejected_count = 0
        self._rejected: list[RejectedLine] = []

    def sent(self, line: int) -> None:
        """Notes the line of the next row that goes to the service."""
        self._lines.append(line)

    def take(self, taken: RowsTaken) -> None:
        """What the service did with the rows that were sent."""
        self._created += taken.created
        self._updated += taken.updated
        self._unchanged += taken.unchanged
        self._rejected_count += taken.rejected_count - len(taken.rejected)
        for rejected in taken.rejected:
            self.reject(self._lines[rejected.index], rejected.reason)

    def reject(self, line: int, reason: str) -> None:
        self._rejected_count += 1
        self._rejected.append(RejectedLine(line=line, reason=reason))
        if len(self._rejected) > 2 * MOST:
            self._keep_first()

    def require_all(self) -> None:
        """Raises NothingTaken where a line was bad: its faults are named by their lines."""
        if self._rejected_count:
            self._keep_first()
            bad = "1 line" if self._rejected_count == 1 else f"{self._rejected_count:,} lines"
            faults = [Fault(f"lines[{rejected.line}]", rejected.reason) for rejected in self._rejected]
            raise NothingTaken(bad=bad, faults=faults)

    def report(self) -> ImportReport:
        self._keep_first()
        return ImportReport(
            created=self._created,
            updated=self._updated,
            unchanged=self._unchanged,
            rejected=self._rejected,
            rejected_count=self._rejected_count,
            encoding=self._sheet.encoding.name,
            separator=self._sheet.separator_name,
        )

    def _keep_first(self) -> None:
        self._rejected.sort(key=lambda rejected: rejected.line)
        del self._rejected[MOST:]


def whole_number(text: str, column: str) -> int:
    """Raises Unfit for anything but digits."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Unfit(f"The {column} '{text[:40]}' is not a whole number.")
    return int(text)
