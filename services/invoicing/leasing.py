"""A queue in Postgres that any number of processes work on: entries are taken under a lease, and carried out.

Each provider account has its own pace, and its shows their turns. A lease is renewed while its entry is under way; when
the process dies, it lapses and another takes the entry up. What is done with an entry has to be idempotent.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter as Counts
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import asyncpg
import structlog
from prometheus_client import Counter

from services.common import context
from services.common.db import Pool
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing import repository
from services.invoicing.domain.fairness import Account, Waiting, share
from services.invoicing.pausing import Pauses, backoff, is_hopeless
from services.invoicing.repository import SQL

log = structlog.get_logger()

_PARKED: Final = Counter(
    "showbill_parked_entries", "Entries of a queue that could not be read, however often tried.", ("queue",)
)

_POLL: Final = 1.0
"""Seconds between looks at the queue when nobody wakes us: another replica may have filled it."""
_GRACE: Final = 3.0
"""Seconds that entries under way have to finish when the process is told to stop."""


class Unreadable(ShowbillError):
    """It waited in the queue, but could not be read. Try it again; if that fails too, the service's log says why."""

    kind = Kind.INTERNAL
    reason = "UNREADABLE"


class Entry(Protocol):
    """What is taken off a queue."""

    @property
    def id(self) -> str: ...
    @property
    def account(self) -> Account: ...
    @property
    def show_id(self) -> str: ...


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Queue:
    """Which queue, by the names of its queries, and how much of it at a time."""

    name: str
    """As logs call it."""
    waiting: str
    take: str
    keep: str
    tried_since: str
    """The column that says since when an entry is tried."""
    most: int
    """Entries under way in one process, over all accounts."""
    look_ahead: int = 1
    """How far it is counted, in what an account may have under way: to tell short ones from long ones."""


class LeasedQueue(ABC, Generic[E]):
    """Works on a queue until it is stopped."""

    def __init__(self, pool: Pool, queue: Queue, *, concurrency: int, lease: float) -> None:
        """`concurrency` is for each provider account; `lease` is in seconds."""
        self.owner = new_id()
        self._pool = pool
        self._queue = queue
        self._concurrency = concurrency
        self._lease = lease
        self._wake = asyncio.Event()
        self._under_way: dict[str, E] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pauses = Pauses()

    @abstractmethod
    def _read(self, row: asyncpg.Record) -> E:
        """The entry that a taken row is."""

    @abstractmethod
    async def _carry_out(self, entry: E, row: asyncpg.Record) -> None:
        """Does it, records what became of it, or puts it back. Raises nothing."""

    @abstractmethod
    async def _write_back(self, entry_id: str, delay: float, why: str, *, count: bool) -> None:
        """Gives up its lease; it is not to be taken before `delay` seconds. `count` says whether that was a try."""

    @abstractmethod
    async def _park(self, row: asyncpg.Record, error: ShowbillError) -> None:
        """Takes a row that cannot be read off the queue: it shows its failure, and can be tried again by hand."""

    def wake(self) -> None:
        """Says that there is something in the queue."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled, then gives back what it could not finish."""
        _PARKED.labels(self._queue.name)  # offered as 0: whoever asks what rose does not see one that begins with 1
        beat = asyncio.create_task(self._keep_leases())
        try:
            while True:
                self._wake.clear()
                try:
                    await self._take_some()
                except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                    log.warning("a queue could not be read", queue=self._queue.name, error=str(error))
                await self._rest()
        finally:
            beat.cancel()
            await self._stop()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_POLL):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _stop(self) -> None:
        """Lets what is under way finish for a moment; the rest is given back, so that others need not wait for it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = [self._write_back(entry_id, 0.0, "", count=False) for entry_id in self._under_way]
        await asyncio.gather(*left, return_exceptions=True)

    async def _take_some(self) -> None:
        free = self._queue.most - len(self._tasks)
        if free <= 0:
            return
        rows = await self._pool.fetch(SQL[self._queue.waiting], self._concurrency * self._queue.look_ahead)
        waiting = [Waiting(repository.account(row), str(row["show_id"]), row["count"]) for row in rows]
        rested = [group for group in waiting if not self._pauses.resting(group.account)]
        busy = Counts((entry.account, entry.show_id) for entry in self._under_way.values())
        shares = share(rested, busy, self._concurrency, free)
        if not shares:
            return
        for row in await self._take(shares):
            try:
                entry = self._read(row)
            except Exception as error:  # noqa: BLE001  # of this row: those that were taken with it are not held up
                await self._unreadable(row, error)
                continue
            if entry.id in self._under_way:  # its lease lapsed while the database was away; it is renewed now
                continue
            self._under_way[entry.id] = entry
            task = asyncio.create_task(self._work(entry, row))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _unreadable(self, row: asyncpg.Record, error: Exception) -> None:
        """Puts a row back, which a newer version may be able to read, and parks it in the end. Raises nothing."""
        told = {"queue": self._queue.name, "entry_id": str(row["id"])}
        try:
            if is_hopeless(row["tries"], row[self._queue.tried_since], Unreadable()):
                log.error("an entry of a queue is given up", exc_info=error, **told)
                await self._park(row, Unreadable())
                _PARKED.labels(self._queue.name).inc()
            else:
                if not row["tries"]:
                    log.error("an entry of a queue could not be read", exc_info=error, **told)
                await self._write_back(str(row["id"]), backoff(row["tries"]), Unreadable().message, count=True)
        except Exception:  # outermost of this row: its lease lapses, and it is taken up again
            log.exception("an entry that cannot be read could not be put back", **told)

    async def _take(self, shares: dict[Waiting, int]) -> list[asyncpg.Record]:
        groups = list(shares)
        return await self._pool.fetch(
            SQL[self._queue.take],
            [group.account.workspace_id for group in groups],
            [group.account.provider for group in groups],
            [group.account.account_id for group in groups],
            [group.account.livemode for group in groups],
            [group.show_id for group in groups],
            list(shares.values()),
            self.owner,
            self._lease,
        )

    async def _work(self, entry: E, row: asyncpg.Record) -> None:
        """One that is cancelled stays under way: it is given back."""
        context.bind_request(None)
        try:
            await self._carry_out(entry, row)
        except Exception as error:  # noqa: BLE001  # outermost of this entry: it must not be under way for good
            await self._unreadable(row, error)
        self._under_way.pop(entry.id, None)
        self.wake()

    async def _put_back(self, entry: E, delay: float, why: str = "", *, count: bool) -> None:
        await self._write_back(entry.id, delay, why, count=count)
        asyncio.get_running_loop().call_later(delay + 0.002, self.wake)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            if not self._under_way:
                continue
            try:
                await self._pool.execute(SQL[self._queue.keep], list(self._under_way), self.owner, self._lease)
            except Exception as error:  # noqa: BLE001  # outermost loop: at worst a lease lapses, and the work is shared
                log.warning("leases could not be renewed", queue=self._queue.name, error=str(error))
