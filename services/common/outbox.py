"""The outbox: events are written in the transaction that causes them, and published right after its commit.

What a crash or an absence of NATS left behind is published by a sweeper. At least once; `Nats-Msg-Id` is the row's id,
so the stream drops what it already has.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from services.common.bus import REQUEST_ID, Bus, Outgoing
from services.common.db import Connection, Pool, load_queries, transaction
from services.common.metrics import EVENTS_PUBLISHED, EVENTS_SWEPT, EVENTS_WAITING

log = structlog.get_logger()

SQL: Final = load_queries(Path(__file__).parent / "sql")
_LEFT_OVER_AFTER: Final = 2.0
"""Seconds after which a row counts as left over: the path right after the commit has had its chance."""
_SWEEP_EVERY: Final = 1.0
_REMOVE_EVERY: Final = 0.1
"""Seconds. What is published is removed a little later, many rows by one statement; after a crash the sweeper sends it
again, and the stream drops it."""
_MOST_WAITING: Final = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way to the bus."""

    id: str
    """UUIDv7."""
    subject: str
    payload: bytes
    request_id: str


def _outgoing(message: Message) -> Outgoing:
    return Outgoing(message.subject, message.payload, message.id, {REQUEST_ID: message.request_id})


async def write(connection: Connection, messages: Sequence[Message]) -> None:
    """Writes messages inside the caller's transaction; a sweeper publishes them."""
    if messages:
        await connection.execute(
            SQL["outbox_add"],
            [message.id for message in messages],
            [message.subject for message in messages],
            [message.payload for message in messages],
            [message.request_id for message in messages],
        )


class Outbox:
    """Writes messages, publishes them after the commit, and sweeps up what was left."""

    def __init__(self, pool: Pool, bus: Bus) -> None:
        self._pool = pool
        self._bus = bus
        self._waiting: list[Message] = []
        self._wake = asyncio.Event()
        self._published: list[str] = []
        self._some_published = asyncio.Event()
        EVENTS_WAITING.set_function(lambda: len(self._waiting))

    async def add(self, connection: Connection, messages: Sequence[Message]) -> None:
        """Writes messages inside the caller's transaction. Call `committed` with them after its commit."""
        await write(connection, messages)

    def committed(self, messages: Sequence[Message]) -> None:
        """Publishes soon, in order, without holding up the caller."""
        if len(self._waiting) + len(messages) <= _MOST_WAITING:  # beyond that the sweeper does it
            self._waiting.extend(messages)
            self._wake.set()

    async def run(self) -> None:
        """Publishes until cancelled."""
        async with asyncio.TaskGroup() as group:  # which ends once all of them did: the last removal is waited for
            for work in (self._publish_committed, self._remove_published, self._sweep_forever):
                group.create_task(work())

    async def _publish_committed(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            messages, self._waiting = self._waiting, []
            try:
                published = await self._publish(messages)  # before the list is looked at: it is swapped meanwhile
                self._published += published
            except Exception as error:  # noqa: BLE001  # whatever it is must not end the publisher
                log.warning("outbox rows stay for the sweeper", error=str(error), rows=len(messages))
            if self._published:
                self._some_published.set()

    async def _remove_published(self) -> None:
        try:
            while True:
                await self._some_published.wait()
                self._some_published.clear()
                await asyncio.sleep(_REMOVE_EVERY)
                await self._remove()
        finally:
            await self._remove()  # a process that ends in peace leaves nothing to be told twice

    async def _remove(self) -> None:
        published, self._published = self._published, []
        if not published:
            return
        try:
            await self._pool.execute(SQL["outbox_remove"], published, timeout=_LEFT_OVER_AFTER)
        except Exception as error:  # noqa: BLE001  # a database that is away must not end it
            log.warning("outbox rows stay for the sweeper", error=str(error), rows=len(published))

    async def _publish(self, messages: Sequence[Message]) -> list[str]:
        """Sends all in order; answers the ids that the stream has."""
        had = await self._bus.publish([_outgoing(message) for message in messages])
        published = [message.id for message, held in zip(messages, had, strict=True) if held]
        EVENTS_PUBLISHED.inc(len(published))
        return published

    async def _sweep_forever(self) -> None:
        while True:
            await self._bus.ready.wait()
            try:
                swept = await self.sweep()
            except Exception as error:  # noqa: BLE001  # a database that is away must not end the sweeper
                log.warning("outbox sweep failed", error=str(error))
                swept = 0
            if not swept:
                await asyncio.sleep(_SWEEP_EVERY)

    async def sweep(self) -> int:
        """Publishes rows that were left over; answers how many. Replicas take different rows."""
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(SQL["outbox_left_over"], _LEFT_OVER_AFTER)
            messages = [Message(str(row["id"]), row["subject"], row["payload"], row["request_id"]) for row in rows]
            published = await self._publish(messages)
            if published:
                await connection.execute(SQL["outbox_remove"], published)
        if published:
            EVENTS_SWEPT.inc(len(published))
            log.info("outbox swept", rows=len(published))
        return len(published)
