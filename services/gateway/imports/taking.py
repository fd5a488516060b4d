"""The one way in which a file is taken: line by line into a stream, in the room of one batch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Generic, TypeAlias, TypeVar

from services.common.errors import Kind, ShowbillError, Unavailable
from services.gateway.backends.shows import BATCH
from services.gateway.imports.columns import Columns
from services.gateway.imports.repeats import Repeats, repeats
from services.gateway.imports.report import Tally, Unfit
from services.gateway.imports.rows import Row, Sheet, open_sheet
from services.gateway.schemas.shows import ImportReport, RowsTaken

T = TypeVar("T")

_MOST_CHARACTERS: Final = 2_000_000
"""Of a batch, whatever its rows hold: four bytes each are half of what one message may have."""


class FileCutOff(Unavailable):
    """The file was cut off, for a part of Showbill cannot be reached just now. Send the same file again in a minute:
    what was taken is kept, and the same lines again change nothing.
    """


@dataclass(frozen=True, slots=True)
class FileKind(Generic[T]):
    """A kind of file: its columns, and how a line of it is read."""

    columns: Columns
    parse: Callable[[Row, Repeats], T]
    """Raises Unfit."""


Send: TypeAlias = Callable[[AsyncIterator[list[T]], bool], Awaitable[RowsTaken]]
"""Batches into a stream of the service: all or none, or the good ones."""


async def take_file(file: BinaryIO, kind: FileKind[T], send: Send[T], *, all_or_none: bool) -> ImportReport:
    """Raises BadHeader before anything is taken, and NothingTaken."""
    return await take_sheet(await open_sheet(file, kind.columns), kind, send, all_or_none=all_or_none)


async def take_sheet(sheet: Sheet, kind: FileKind[T], send: Send[T], *, all_or_none: bool) -> ImportReport:
    """Takes the good lines; or all, after every line was looked at once. Raises NothingTaken and FileCutOff."""
    if all_or_none:
        checked = Tally(sheet)
        async for _ in _parsed(sheet, kind, checked):
            pass
        checked.require_all()
    tally = Tally(sheet)
    try:
        tally.take(await send(_parsed(sheet, kind, tally), all_or_none))
    except ShowbillError as error:
        if error.kind in (Kind.UNAVAILABLE, Kind.TIMED_OUT):
            raise FileCutOff from error
        raise
    if all_or_none:
        tally.require_all()
    return tally.report()


async def _parsed(sheet: Sheet, kind: FileKind[T], tally: Tally) -> AsyncIterator[list[T]]:
    """Batches of what can be sent, made beside the event loop. One at least: it asks whether the show is there."""
    with repeats() as known:
        first, rows = True, good_rows(sheet, kind, known, tally)
        while (batch := await asyncio.to_thread(lambda: _next_batch(rows))) is not None or first:
            if batch or first:
                yield batch or []
            first = False


def good_rows(sheet: Sheet, kind: FileKind[T], known: Repeats, tally: Tally) -> Iterator[tuple[T | None, int]]:
    """What each line says, and how many characters it has; None where it is bad, which is noted. Blocks."""
    for row in sheet.rows():
        size = sum(map(len, row.fields.values()))
        try:
            if row.problem:
                raise Unfit(row.problem)
            parsed = kind.parse(row, known)
        except Unfit as error:
            tally.reject(row.line, str(error))
            yield None, size
        else:
            tally.sent(row.line)
            yield parsed, size


def _next_batch(rows: Iterator[tuple[T | None, int]]) -> list[T] | None:
    """None at the end."""
    read, size, good = 0, 0, list[T]()
    for parsed, characters in rows:
        read, size = read + 1, size + characters
        if parsed is not None:
            good.append(parsed)
        if read == BATCH or size > _MOST_CHARACTERS:
            break
    return good if read else None
