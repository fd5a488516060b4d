"""Records of a CSV file, each with the number of its line. One that is broken does not take others with it."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TextIO

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
LONGEST: Final = 200_000
"""Characters of a line."""
_TOO_LONG: Final = "\0too long\n"
_END: Final = "\r\n"


@dataclass(frozen=True, slots=True)
class Record:
    """The number of its first line, its values, or why it cannot be read."""

    line: int
    values: list[str]
    problem: str = ""


class Lines:
    """The lines of a text, counted; those that were read too far can be put back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._back: deque[str] = deque()
        self.number = 0
        """Of the line that was read last."""

    def read(self) -> str:
        """Empty at the end. Of a line without end only its mark is kept."""
        line = self._back.popleft() if self._back else self._text.readline(LONGEST)
        self.number += bool(line)
        if len(line) < LONGEST or line[-1] in _END:
            return line
        while (rest := self._text.readline(LONGEST)) and rest[-1] not in _END:
            pass
        return _TOO_LONG

    def put_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def records(lines: Lines, separator: str) -> Iterator[Record]:
    """Every record that is not empty."""
    while True:
        line, taken = lines.number + 1, list[str]()
        try:
            values = next(csv.reader(_noted(lines, taken), delimiter=separator, strict=True), None)
        except csv.Error as error:
            # Perhaps a quote was opened and not closed: only this line is bad, and those after it are read anew.
            lines.put_back(taken[1:])
            yield Record(line, [], _sentence(str(error), separator))
            continue
        if values is None:
            return
        if any(_TOO_LONG[:-1] in value for value in values):
            yield Record(line, [], f"The line is longer than {LONGEST:,} characters.")
        elif any(value.strip() for value in values):
            yield Record(line, values)


def _noted(lines: Lines, taken: list[str]) -> Iterator[str]:
    while line := lines.read():
        taken.append(line)
        yield line


def _sentence(error: str, separator: str) -> str:
    if "end of data" in error or "field limit" in error:
        return "A quote opens in this line and is not closed, or a field is too long. Close it, or leave it out."
    if "expected after" in error:
        return f"Behind a closing quote stands no {SEPARATORS[separator]}. Write a quote inside of quotes twice."
    return f"The line cannot be read as CSV: {error}."
