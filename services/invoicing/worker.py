"""The workers of a process: they take invoices under a lease and have them made, or changed, at the provider.

Any number of processes work on one queue. A lease is renewed while its invoice is under way; when the process dies, it
lapses and another takes the invoice up. The provider's side is idempotent, so doing a step twice makes nothing twice.
"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from services.common import context
from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing import repository
from services.invoicing.changing import Changing, Task, task_of
from services.invoicing.domain import invoice as rules
from services.invoicing.domain.fairness import Account, Waiting, share
from services.invoicing.domain.invoice import Sighting, Standing, Status
from services.invoicing.ledger import Change, Ledger
from services.invoicing.ports import Order, Provider, passing
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

ACTOR: Final = "worker:generation"
_LOOK_AHEAD: Final = 8
"""How far queues are counted, in what an account may have under way: to tell short ones from long ones."""
_POLL: Final = 1.0
"""Seconds between looks at the queue when nobody wakes us: another replica may have filled it."""
_MOST: Final = 256
"""Invoices under way in one process, over all accounts."""
_BACKOFF: Final = (0.5, 60.0)
"""Shortest and longest delay in seconds after a failed try."""
_GIVE_UP_AFTER: Final = 30 * 60
"""Seconds of failed tries after which an invoice is left to the operator."""
_LEAST_TRIES: Final = 10
_GRACE: Final = 3.0
"""Seconds that invoices under way have to finish when the process is told to stop."""
_STREAK: Final = 3
"""Failed tries in a row after which an account rests: its provider is down, not one invoice wrong."""


class NotFinalized(ShowbillError):
    """The provider left the invoice a draft, so it cannot be paid yet. Look at it there, then retry it."""

    kind = Kind.UNAVAILABLE
    reason = "NOT_FINALIZED"


@dataclass(slots=True)
class Pauses:
    """Accounts that are not to be called for a while: a limit was met, or calls failed one after the other."""

    until: dict[Account, float] = field(default_factory=dict)
    failures: Counter[Account] = field(default_factory=Counter)
    rests: Counter[Account] = field(default_factory=Counter)

    def resting(self, account: Account) -> bool:
        return time.monotonic() < self.until.get(account, 0.0)

    def went_well(self, account: Account) -> None:
        self.failures.pop(account, None)
        self.rests.pop(account, None)

    def failed(self, account: Account, error: ShowbillError) -> None:
        if error.kind is Kind.RATE_LIMITED:
            self._rest(account, error.retry_after or 1.0)
        elif not self.resting(account):  # calls that were cut off together count once
            self.failures[account] += 1
            if self.failures[account] >= _STREAK:
                self._rest(account, min(0.25 * 2 ** min(self.rests[account], 8), 15.0))
                self.rests[account] += 1
                self.failures[account] = 0

    def _rest(self, account: Account, seconds: float) -> None:
        self.until[account] = max(self.until.get(account, 0.0), time.monotonic() + seconds)


class Workers:
    """Makes pending invoices until it is stopped."""

    def __init__(self, ledger: Ledger, provider: Provider, *, concurrency: int, lease: float) -> None:
        """`concurrency` is for each provider account; `lease` is in seconds."""
        self.owner = new_id()
        self._ledger = ledger
        self._pool = ledger.pool
        self._provider = provider
        self._changing = Changing(ledger, provider, ACTOR)
        self._concurrency = concurrency
        self._lease = lease
        self._wake = asyncio.Event()
        self._under_way: dict[str, Order] = {}
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
                    log.warning("the queue could not be read", error=str(error))
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
        await asyncio.gather(
            *(self._put_back(order, 0.0, count=False) for order in self._under_way.values()), return_exceptions=True
        )

    async def _take_some(self) -> None:
        free = _MOST - len(self._tasks)
        if free <= 0:
            return
        rows = await self._pool.fetch(SQL["waiting"], self._concurrency * _LOOK_AHEAD)
        waiting = [Waiting(repository.account(row), str(row["show_id"]), row["count"]) for row in rows]
        rested = [group for group in waiting if not self._pauses.resting(group.account)]
        busy = Counter((order.account, order.show_id) for order in self._under_way.values())
        shares = share(rested, busy, self._concurrency, free)
        if not shares:
            return
        for row in await self._take(shares):
            order = repository.order(row)
            if order.id in self._under_way:  # its lease lapsed while the database was away; it is renewed now
                continue
            self._under_way[order.id] = order
            change = task_of(row)
            task = asyncio.create_task(self._change(order, change) if change else self._make(order))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take(self, shares: dict[Waiting, int]) -> list[asyncpg.Record]:
        groups = list(shares)
        return await self._pool.fetch(
            SQL["take"],
            [group.account.workspace_id for group in groups],
            [group.account.provider for group in groups],
            [group.account.account_id for group in groups],
            [group.account.livemode for group in groups],
            [group.show_id for group in groups],
            list(shares.values()),
            self.owner,
            self._lease,
        )

    async def _make(self, order: Order) -> None:
        context.bind_request(None)
        try:
            sighting = await self._provider.create(Identity(order.account.workspace_id, ACTOR), order)
            if sighting.standing is Standing.HELD_BACK and not order.keep_draft:
                raise NotFinalized
            self._pauses.went_well(order.account)
            await self._store(order, sighting)
        except ShowbillError as error:
            await self._failed(order, error)
        except Exception:  # outermost of this invoice: it is taken up again, and given up in the end
            log.exception("an invoice could not be made", invoice_id=order.id)
            await self._failed(order, ShowbillError())
        else:
            self._under_way.pop(order.id, None)
        self.wake()

    async def _change(self, order: Order, change: Task) -> None:
        context.bind_request(None)
        try:
            await self._changing.carry_out(order, change)
            self._pauses.went_well(order.account)
        except ShowbillError as error:
            await self._failed(order, error, change)
        except Exception:  # outermost of this invoice: it is taken up again, and given up in the end
            log.exception("an invoice could not be changed", invoice_id=order.id)
            await self._failed(order, ShowbillError(), change)
        else:
            self._under_way.pop(order.id, None)
        self.wake()

    async def _store(self, order: Order, sighting: Sighting) -> None:
        """By rank: a webhook may have told of a payment before this answer came."""
        async with self._ledger.entry() as entry:
            rows = await entry.connection.fetch(SQL["lock_invoices"], [order.id])
            known = repository.invoice(rows[0])
            if repository.account_of(known) != order.account:  # an id of one account is never kept under another
                log.error("a made invoice belongs to an account left behind", invoice_id=order.id)
                return
            change = step(known, sighting, ACTOR, datetime.now(UTC))
            if change is not None:
                await entry.change([change])
        if known.status is Status.VOID and sighting.standing < Standing.VOID:
            await self._clear_away(order, sighting)

    async def _clear_away(self, order: Order, sighting: Sighting) -> None:
        """It was voided while we made it, after our lease had lapsed: what came of it must not be payable."""
        log.warning("an invoice was voided while it was made", invoice_id=order.id)
        who = Identity(order.account.workspace_id, ACTOR)
        await self._provider.void(who, order.account, sighting.external_id, order.id, order.revision)

    async def _failed(self, order: Order, error: ShowbillError, change: Task | None = None) -> None:
        try:
            if passing(error) and not _hopeless(order, error):
                self._pauses.failed(order.account, error)
                limited = error.kind is Kind.RATE_LIMITED
                delay = error.retry_after if limited and error.retry_after else backoff(order.tries)
                await self._put_back(order, delay, count=not limited)
            else:
                self._pauses.went_well(order.account)  # it answered
                if change:
                    await self._changing.give_up(order, self.owner, change, error)
                else:
                    await self._give_up(order, error)
        except Exception:  # outermost of this invoice: its lease lapses, and it is taken up again
            log.exception("a failed try could not be recorded", invoice_id=order.id)
        finally:
            self._under_way.pop(order.id, None)

    async def _put_back(self, order: Order, delay: float, *, count: bool) -> None:
        await self._pool.execute(SQL["put_back"], order.id, self.owner, delay, int(count))
        asyncio.get_running_loop().call_later(delay + 0.002, self.wake)

    async def _give_up(self, order: Order, error: ShowbillError) -> None:
        """Only under the lease: a retry while another process still makes the invoice could make a second one."""
        async with self._ledger.entry() as entry:
            rows = await entry.connection.fetch(SQL["lock_invoices"], [order.id])
            if not await entry.connection.fetchval(SQL["holds_lease"], order.id, self.owner):
                return
            known = repository.invoice(rows[0])
            after = rules.fail(known, error.message, datetime.now(UTC))
            if after is not None and known.attempt == order.attempt:
                log.info("invoice failed", invoice_id=order.id, reason=error.reason)
                await entry.change([Change(known, after, error.message, ACTOR)])

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            if not self._under_way:
                continue
            try:
                await self._pool.execute(SQL["keep_leases"], list(self._under_way), self.owner, self._lease)
            except Exception as error:  # noqa: BLE001  # outermost loop: at worst a lease lapses, and the work is shared
                log.warning("leases could not be renewed", error=str(error))


def backoff(tries: int) -> float:
    """Seconds to wait after so many failed tries: doubling, and spread out so that they do not all return at once."""
    shortest, longest = _BACKOFF
    return float(min(shortest * 2 ** min(tries, 16), longest) * random.uniform(0.75, 1.25))  # noqa: S311  # no secret


def _hopeless(order: Order, error: ShowbillError) -> bool:
    """Whether it was tried for so long that the operator should look at it. Waiting for a turn is no try."""
    if error.kind is Kind.RATE_LIMITED or order.tries + 1 < _LEAST_TRIES:
        return False
    return (datetime.now(UTC) - order.first_attempt_at).total_seconds() > _GIVE_UP_AFTER
