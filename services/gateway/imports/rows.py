"""A CSV file as rows with fields by column, in batches, each with the number of its line."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

from services.common.cells import plain
from services.gateway.imports.columns import Columns, read_header, separator_of
from services.gateway.imports.encodings import Encoding, encoding_of
from services.gateway.imports.lines import SEPARATORS, Lines, Record, records

_HINT: Final = re.compile(r"sep=(.)[\r\n]*")
"""What a spreadsheet may write before the header."""
_NO_TEXT: Final = re.compile("[\ud800-\udfff\ufffd]")
"""What a decoder leaves of bytes of another encoding."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the number of its first line, its fields by column, or why it cannot be read."""

    line: int
    fields: dict[str, str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose first line was understood. It can be read as often as is wanted."""

    file: BinaryIO
    encoding: Encoding
    separator: str
    names: tuple[str, ...]
    """Columns in their order."""
    header_line: int

    @property
    def separator_name(self) -> str:
        return SEPARATORS[self.separator]

    def rows(self) -> Iterator[Row]:
        """From the beginning. Blocks."""
        with _opened(self.file, self.encoding) as lines:
            while lines.number < self.header_line:
                lines.read()
            for record in records(lines, self.separator):
                yield self._row(record)

    async def batches(self, size: int) -> AsyncIterator[list[Row]]:
        """The rows, read beside the event loop."""
        rows = self.rows()
        while batch := await asyncio.to_thread(lambda: list(islice(rows, size))):
            yield batch

    def _row(self, record: Record) -> Row:
        values, count = record.values, len(self.names)
        if record.problem:
            return Row(record.line, {}, record.problem)
        while len(values) > count and not values[-1].strip():
            values.pop()
        if len(values) != count:
            return Row(record.line, {}, f"The line has {len(values)} fields, the first line {count}.")
        if any(not value.isascii() and _NO_TEXT.search(value) for value in values):
            problem = f"The line is not {self.encoding.name}, as the others are. Save the file as CSV UTF-8."
            return Row(record.line, {}, problem)
        if any("\0" in value for value in values):
            return Row(record.line, {}, "The line holds a character that is no text.")
        return Row(record.line, {name: plain(value) for name, value in zip(self.names, values, strict=True)})


async def open_sheet(file: BinaryIO, columns: Columns) -> Sheet:
    """Reads beside the event loop what there is to know before the rows. Raises BadHeader."""
    return await asyncio.to_thread(_open, file, columns)


def _open(file: BinaryIO, columns: Columns) -> Sheet:
    encoding = encoding_of(file)
    with _opened(file, encoding) as lines:
        first = lines.read()
        hint = _HINT.fullmatch(first)
        if hint and hint[1] in SEPARATORS:
            first = lines.read()
        while first and not first.strip():
            first = lines.read()
        separator = hint[1] if hint and hint[1] in SEPARATORS else separator_of(first, columns)
        return Sheet(file, encoding, separator, tuple(read_header(first, separator, columns)), lines.number)


@contextmanager
def _opened(file: BinaryIO, encoding: Encoding) -> Iterator[Lines]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding.codec, errors=encoding.errors, newline="")
    try:
        yield Lines(text)
    finally:
        text.detach()  # closing is the business of whoever opened it
