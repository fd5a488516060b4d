"""The one way in which a file is taken: line by line into a stream, in the room of one batch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from services.gateway.backends.shows import BATCH
from services.gateway.imports.report import Tally, Unfit
from services.gateway.imports.rows import Row, Sheet
from services.gateway.schemas.shows import ImportReport, RowsTaken

T = TypeVar("T")

_MOST_CHARACTERS: Final = 2_000_000
"""Of a batch, whatever its rows hold: four bytes each are half of what one message may have."""


async def take_sheet(
    sheet: Sheet,
    parse: Callable[[Row], T],
    send: Callable[[AsyncIterator[list[T]]], Awaitable[RowsTaken]],
    *,
    all_or_none: bool,
) -> ImportReport:
    """Takes the good lines; or all, after every line was looked at once. Raises NothingTaken."""
    if all_or_none:
        checked = Tally(sheet)
        async for _ in _parsed(sheet, parse, checked):
            pass
        checked.require_all()
    tally = Tally(sheet)
    tally.take(await send(_parsed(sheet, parse, tally)))
    if all_or_none:
        tally.require_all()
    return tally.report()


async def _parsed(sheet: Sheet, parse: Callable[[Row], T], tally: Tally) -> AsyncIterator[list[T]]:
    """Batches of what can be sent, made beside the event loop. One at least: it asks whether the show is there."""
    rows, first = sheet.rows(), True

    def next_batch() -> list[T] | None:
        read, size, good = 0, 0, list[T]()
        for row in rows:
            read, size = read + 1, size + sum(map(len, row.fields.values()))
            if (parsed := good_row(row, parse, tally)) is not None:
                good.append(parsed)
            if read == BATCH or size > _MOST_CHARACTERS:
                break
        return good if read else None

    while (batch := await asyncio.to_thread(next_batch)) is not None or first:
        if batch or first:
            yield batch or []
        first = False


def good_row(row: Row, parse: Callable[[Row], T], tally: Tally) -> T | None:
    """What a row says; None where it is bad, which is noted."""
    try:
        if row.problem:
            raise Unfit(row.problem)
        parsed = parse(row)
    except Unfit as error:
        tally.reject(row.line, str(error))
        return None
    tally.sent(row.line)
    return parsed
