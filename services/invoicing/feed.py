"""Rows about a show as their callers send them, claims for one: in one batch, or in a stream of batches."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

import asyncpg
import msgspec

from services.common.db import Connection
from services.common.errors import InvalidRequest
from services.common.ids import new_id
from services.invoicing.ledger import Entry, Ledger
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

T = TypeVar("T")

PAGE: Final = 5_000
"""Rows that are written by one statement, and the most of a batch."""
MOST_AT_ONCE: Final = 100_000
"""Rows of a stream that is taken whole or not at all: others wait for the show while they are written."""
MOST_TOLD: Final = 1_000
"""Rejections that an answer names."""
MOST_WHOLES: Final = 2
"""Streams taken as a whole at once: each holds a connection of the pool, and payments need the others."""
PATIENCE: Final = 30.0
"""Seconds that a stream taken as a whole, which holds a transaction open, waits for its next batch."""


class EmptyStream(InvalidRequest):
    """The stream ended before its first batch, so it names no show. Send the show's id with the first batch."""


class TooManyAtOnce(InvalidRequest):
    """All or none is for 100,000 at most, and the stream holds more. Nothing was taken. Send fewer, or without it."""

    reason = "TOO_MANY_AT_ONCE"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not taken, and why."""

    index: int
    """Place in the request, or in the whole stream."""
    name: str
    """The claim's id, or the item's number."""
    reason: str
    """A finished sentence."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Rows of one show that were sent together: those that can be read, and why the others cannot."""

    show_id: str
    rows: Sequence[T]
    unreadable: Sequence[Rejection] = ()
    all_or_none: bool = False
    validate_only: bool = False
    """Nothing is to be taken, only said what would be. Where a load offers it."""

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.unreadable)


@dataclass(slots=True)
class Taken:
    """What became of the rows so far."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    """The first of them."""

    def refuse(self, rejections: Sequence[Rejection], most: int = PAGE) -> None:
        """Counts all of them and names those that there is room for."""
        self.rejected += len(rejections)
        self.rejections += rejections[: max(0, most - len(self.rejections))]

    def add(self, part: "Taken") -> None:
        """One batch of a stream."""
        self.created += part.created
        self.updated += part.updated
        self.unchanged += part.unchanged
        self.refuse(part.rejections, MOST_TOLD)

    def count(self, created: int, updated: int, rows: int) -> None:
        self.created += created
        self.updated += updated
        self.unchanged += rows - created - updated


class Load(Protocol[T]):
    """What is fed: how its rows are checked and written."""

    row: type[T]
    show_query: str
    """How the show is read before rows are written: with its lock, unless something else is to be locked before it."""

    def lock_key(self, row: T) -> tuple[str, str]:
        """Rows are written in this order, so that two feeds lock what they share in the same order."""
        ...

    async def sift(self, connection: Connection, batch: Batch[T]) -> tuple[list[T], list[Rejection]]:
        """The rows that can be taken, and why the others cannot, in order."""
        ...

    async def write(self, entry: Entry, show: asyncpg.Record, rows: Sequence[T]) -> tuple[int, int]:
        """Answers how many were created and how many updated. The show must have been read as `show_query` does."""
        ...

    async def announce(self, entry: Entry, show: asyncpg.Record, created: int, updated: int) -> None:
        """Counts and tells what changed, if anything did."""
        ...


class Feed:
    """Takes what can be taken, the same again changing nothing. Each use case raises ShowNotFound."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._wholes = asyncio.Semaphore(MOST_WHOLES)

    async def batch(self, workspace_id: str, load: Load[T], batch: Batch[T]) -> Taken:
        """One transaction. Of a batch that is all or none nothing is taken when it holds a bad row."""
        taken = Taken()
        async with self._ledger.entry() as entry:
            show = await _show(entry, load, workspace_id, batch.show_id)
            rows, rejections = await load.sift(entry.connection, batch)
            taken.refuse(rejections)
            if rejections and batch.all_or_none:
                return taken
            created, updated = await load.write(entry, show, rows)
            await load.announce(entry, show, created, updated)
        taken.count(created, updated, len(rows))
        return taken

    async def stream(self, workspace_id: str, load: Load[T], batches: AsyncIterator[Batch[T]]) -> Taken:
        """Asks for the next batch when the one before is done with. Raises EmptyStream and TooManyAtOnce."""
        first = await anext(batches, None)
        if first is None:
            raise EmptyStream
        if first.all_or_none:
            async with self._wholes:
                return await self._as_a_whole(workspace_id, load, first, batches)
        taken = Taken()
        taken.add(await self.batch(workspace_id, load, first))
        async for batch in batches:
            taken.add(await self.batch(workspace_id, load, batch))
        return taken

    async def _as_a_whole(
        self, workspace_id: str, load: Load[T], first: Batch[T], batches: AsyncIterator[Batch[T]]
    ) -> Taken:
        """Rows wait in the database until the stream has ended well: only then is the show locked, and not for long."""
        taken, stream_id, size = Taken(), new_id(), 0
        async with self._ledger.entry() as entry:
            if await entry.connection.fetchrow(SQL["get_show"], first.show_id, workspace_id) is None:
                raise ShowNotFound
            batch: Batch[T] | None = first
            while batch is not None:
                size += batch.size
                if size > MOST_AT_ONCE:
                    raise TooManyAtOnce
                rows, rejections = await load.sift(entry.connection, batch)
                taken.refuse(rejections, MOST_TOLD)
                if not taken.rejected:
                    await _stage(entry.connection, stream_id, load, rows, size - batch.size)
                async with asyncio.timeout(PATIENCE):
                    batch = await anext(batches, None)
            if not taken.rejected:
                show = await _show(entry, load, workspace_id, first.show_id)
                async for rows in _staged(entry.connection, stream_id, load):
                    taken.count(*await load.write(entry, show, rows), len(rows))
                await load.announce(entry, show, taken.created, taken.updated)
            await entry.connection.execute(SQL["unstage"], stream_id)
        return taken


async def _show(entry: Entry, load: Load[T], workspace_id: str, show_id: str) -> asyncpg.Record:
    show = await entry.connection.fetchrow(SQL[load.show_query], show_id, workspace_id)
    if show is None:
        raise ShowNotFound
    return show


async def _stage(connection: Connection, stream_id: str, load: Load[T], rows: Sequence[T], place: int) -> None:
    """`place` is how many rows there were before."""
    keys = [load.lock_key(row) for row in rows]
    await connection.execute(
        SQL["stage"],
        stream_id,
        [major for major, _ in keys],
        [minor for _, minor in keys],
        [place + number for number in range(len(rows))],
        rows,
    )


async def _staged(connection: Connection, stream_id: str, load: Load[T]) -> AsyncIterator[list[T]]:
    after = ("", "", -1)
    while found := await connection.fetch(SQL["staged_rows"], stream_id, *after, PAGE):
        after = (found[-1]["major_key"], found[-1]["minor_key"], found[-1]["place"])
        yield [msgspec.convert(row["body"], load.row) for row in found]
