"""The senders of a process: they take queued deliveries under a lease and carry them out.

Any number of processes work on one queue, at the pace of each provider account, the shows of an account in turn. When a
process dies its leases lapse and another takes up what it had. The provider goes by the delivery's id: twice is once.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from services.common import context
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing import repository
from services.invoicing.courier import Courier
from services.invoicing.domain.fairness import Account, Waiting, share
from services.invoicing.ledger import Ledger
from services.invoicing.repository import SQL
from services.invoicing.worker import Pauses, backoff

log = structlog.get_logger()

_POLL: Final = 1.0
"""Seconds between looks at the queue when nobody wakes us: another replica, or a generation, may have filled it."""
_MOST: Final = 64
"""Deliveries under way in one process, over all accounts."""
_GRACE: Final = 3.0
"""Seconds that deliveries under way have to finish when the process is told to stop."""
_GIVE_UP_AFTER: Final = 30 * 60
"""Seconds of failed tries after which a delivery is left to the operator."""
_LEAST_TRIES: Final = 10


class Senders:
    """Delivers what is queued until it is stopped."""

    def __init__(self, ledger: Ledger, courier: Courier, *, concurrency: int, lease: float) -> None:
        """`concurrency` is for each provider account; `lease` is in seconds."""
        self.owner = new_id()
        self._pool = ledger.pool
        self._courier = courier
        self._concurrency = concurrency
        self._lease = lease
        self._wake = asyncio.Event()
        self._under_way: dict[str, tuple[Account, str]] = {}
        """Account and show, by delivery."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._pauses = Pauses()

    def wake(self) -> None:
        """Says that there is something in the queue."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled, then gives back what it could not finish."""
        beat = asyncio.create_task(self._keep_leases())
        try:
            while True:
                self._wake.clear()
                try:
                    await self._take_some()
                except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                    log.warning("the queue of deliveries could not be read", error=str(error))
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
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = [self._put_back(delivery_id, 0.0, "", count=False) for delivery_id in self._under_way]
        await asyncio.gather(*left, return_exceptions=True)

    async def _take_some(self) -> None:
        free = _MOST - len(self._tasks)
        if free <= 0:
            return
        rows = await self._pool.fetch(SQL["waiting_deliveries"], self._concurrency)
        waiting = [Waiting(repository.account(row), str(row["show_id"]), row["count"]) for row in rows]
        rested = [group for group in waiting if not self._pauses.resting(group.account)]
        shares = share(rested, Counter(self._under_way.values()), self._concurrency, free)
        if not shares:
            return
        for row in await self._take(shares):
            if str(row["id"]) in self._under_way:  # its lease lapsed while the database was away; it is renewed now
                continue
            self._under_way[str(row["id"])] = repository.account(row), str(row["show_id"])
            task = asyncio.create_task(self._deliver(row))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take(self, shares: dict[Waiting, int]) -> list[asyncpg.Record]:
        groups = list(shares)
        return await self._pool.fetch(
            SQL["take_deliveries"],
            [group.account.workspace_id for group in groups],
            [group.account.provider for group in groups],
            [group.account.account_id for group in groups],
            [group.account.livemode for group in groups],
            [group.show_id for group in groups],
            list(shares.values()),
            self.owner,
            self._lease,
        )

    async def _deliver(self, delivery: asyncpg.Record) -> None:
        context.bind_request(None)
        account = repository.account(delivery)
        try:
            await self._courier.carry(delivery)
            self._pauses.went_well(account)
        except ShowbillError as error:
            await self._again_or_never(delivery, error)
        except Exception:  # outermost of this delivery: it is taken up again, and given up in the end
            log.exception("a link could not be delivered", delivery_id=str(delivery["id"]))
            await self._again_or_never(delivery, ShowbillError())
        finally:
            self._under_way.pop(str(delivery["id"]), None)
        self.wake()

    async def _again_or_never(self, delivery: asyncpg.Record, error: ShowbillError) -> None:
        try:
            if _hopeless(delivery, error):
                await self._courier.give_up(delivery, error)
                return
            self._pauses.failed(repository.account(delivery), error)
            limited = error.kind is Kind.RATE_LIMITED
            delay = error.retry_after if limited and error.retry_after else backoff(delivery["tries"])
            await self._put_back(str(delivery["id"]), delay, error.message, count=not limited)
        except Exception:  # outermost of this delivery: its lease lapses, and it is taken up again
            log.exception("a failed try to deliver could not be recorded", delivery_id=str(delivery["id"]))

    async def _put_back(self, delivery_id: str, delay: float, why: str, *, count: bool) -> None:
        await self._pool.execute(SQL["put_back_delivery"], delivery_id, self.owner, delay, int(count), why)
        asyncio.get_running_loop().call_later(delay + 0.002, self.wake)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            if not self._under_way:
                continue
            try:
                held = list(self._under_way)
                await self._pool.execute(SQL["keep_delivery_leases"], held, self.owner, self._lease)
            except Exception as error:  # noqa: BLE001  # outermost loop: at worst a lease lapses, and the work is shared
                log.warning("leases of deliveries could not be renewed", error=str(error))


def _hopeless(delivery: asyncpg.Record, error: ShowbillError) -> bool:
    """Whether it was tried for so long that the operator should look at it. Waiting for a turn is no try."""
    if error.kind is Kind.RATE_LIMITED or delivery["tries"] + 1 < _LEAST_TRIES:
        return False
    began: datetime = delivery["first_try_at"]
    return (datetime.now(UTC) - began).total_seconds() > _GIVE_UP_AFTER
