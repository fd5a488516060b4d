"""Rows of a CSV file in batches, each with the number of its line."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final, Protocol

from services.common.errors import Fault, InvalidRequest

_SEPARATORS: Final = ",;\t"


class BadHeader(InvalidRequest):
    """The first line does not name the columns that are needed."""

    reason = "BAD_HEADER"


@dataclass(frozen=True, slots=True)
class Columns:
    """What the first line must name, and what it may."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the number of its first line, its fields by column, or why it cannot be read."""

    line: int
    fields: dict[str, str]
    problem: str = ""


async def batches(file: BinaryIO, columns: Columns, size: int) -> AsyncIterator[list[Row]]:
    """Reads beside the event loop. Raises BadHeader. UTF-8, with or without a mark; comma, semicolon or tab."""
    rows = _rows(file, columns)
    while batch := await asyncio.to_thread(lambda: list(islice(rows, size))):
        yield batch


def _rows(file: BinaryIO, columns: Columns) -> Iterator[Row]:
    # Bytes that are no UTF-8 spoil their own line only.
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        first = text.readline()
        separator = max(_SEPARATORS, key=first.count)
        names = _check_header(next(csv.reader([first], delimiter=separator), []), columns)
        yield from _records(csv.reader(text, delimiter=separator), names)
    finally:
        text.detach()  # closing is the business of whoever opened it


def _check_header(header: Sequence[str], columns: Columns) -> list[str]:
    names = [name.strip().lower() for name in header]
    faults = [
        Fault(f"columns.{name}", f"The column {name} is missing in the first line.")
        for name in columns.required
        if name not in names
    ]
    known = (*columns.required, *columns.optional)
    faults += [
        Fault(f"columns.{name}", f"The column {name[:50] or '(empty)'} is not known. Known are {', '.join(known)}.")
        for name in dict.fromkeys(names)
        if name not in known
    ]
    faults += [
        Fault(f"columns.{name}", f"The column {name} is there twice.") for name in known if names.count(name) > 1
    ]
    if faults:
        raise BadHeader(" ".join(fault.problem for fault in faults[:3]), faults=faults[:50])
    return names


class _Reader(Protocol):
    """What `csv.reader` makes."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


def _records(reader: _Reader, names: Sequence[str]) -> Iterator[Row]:
    line = 2
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, {}, f"The line cannot be read as CSV: {error}.")
        else:
            if values:  # an empty line is nothing
                yield _row(line, names, values)
        line = reader.line_num + 2


def _row(line: int, names: Sequence[str], values: Sequence[str]) -> Row:
    if len(values) != len(names):
        return Row(line, {}, f"The line has {len(values)} fields, the first line {len(names)}.")
    if any("\udc80" <= char <= "\udcff" for value in values if not value.isascii() for char in value):
        return Row(line, {}, "The line is not UTF-8. Save the file as CSV UTF-8.")
    if any("\0" in value for value in values):
        return Row(line, {}, "The line holds a character that is no text.")
    return Row(line, {name: value.strip() for name, value in zip(names, values, strict=True)})
