"""The workers of a process: they have invoices made, or changed, at the provider.

The provider's side is idempotent, so doing a step twice makes nothing twice.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.invoicing import repository
from services.invoicing.changing import Changing, Task, task_of
from services.invoicing.domain import invoice as rules
from services.invoicing.domain.invoice import Standing, Status
from services.invoicing.domain.sighting import Sighting
from services.invoicing.leasing import LeasedQueue, Queue
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.marking import MARK_PAID, Marks
from services.invoicing.pausing import delay_after, is_hopeless
from services.invoicing.ports import Order, Provider, passing
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

ACTOR: Final = "worker:generation"
_MOST_EDITS: Final = 20
"""That are followed one by one; nobody makes so many by hand."""
_QUEUE: Final = Queue("invoices", "waiting", "take", "keep_leases", "first_attempt_at", most=256, look_ahead=8)


class NotFinalized(ShowbillError):
    """The provider left the invoice a draft, so it cannot be paid yet. Look at it there, then retry it."""

    kind = Kind.UNAVAILABLE
    reason = "NOT_FINALIZED"


class DraftDeleted(ShowbillError):
    """The draft was deleted at the provider before it was finished. Retry it, and a new one is made."""

    kind = Kind.FAILED_PRECONDITION
    reason = "PROVIDER_REFUSED"


class Workers(LeasedQueue[Order]):
    """Makes pending invoices until it is stopped."""

    def __init__(
        self, ledger: Ledger, provider: Provider, clear: Callable[[], None], *, concurrency: int, lease: float
    ) -> None:
        """`clear` is called when something was left that must be cleared away."""
        super().__init__(ledger.pool, _QUEUE, concurrency=concurrency, lease=lease)
        self._ledger = ledger
        self._provider = provider
        self._clear = clear
        self._changing = Changing(ledger, provider, ACTOR)
        self._marks = Marks(ledger, provider, ACTOR)

    def _read(self, row: asyncpg.Record) -> Order:
        return repository.order(row)

    async def _carry_out(self, entry: Order, row: asyncpg.Record) -> None:
        if row["change"] == MARK_PAID:
            await self._mark(entry, str(row["change_run"]))
        else:
            change = task_of(row)
            await (self._change(entry, change) if change else self._make(entry))

    async def _write_back(self, entry_id: str, delay: float, why: str, *, count: bool) -> None:
        """`why` stands in the history, once it is given up."""
        await self._pool.execute(SQL["put_back"], entry_id, self.owner, delay, int(count))

    async def _make(self, order: Order) -> None:
        try:
            sighting = await self._made(order)
            if sighting.standing is Standing.HELD_BACK and not order.keep_draft:
                raise NotFinalized
            self._pauses.went_well(order.account)
            await self._store(order, sighting)
        except ShowbillError as error:
            await self._failed(order, error)
        except Exception:  # outermost of this invoice: it is taken up again, and given up in the end
            log.exception("an invoice could not be made", invoice_id=order.id)
            await self._failed(order, ShowbillError())

    async def _made(self, order: Order) -> Sighting:
        """What counts at the provider: where an earlier try made it and it was edited there since, what replaced it."""
        identity = Identity(order.account.workspace_id, ACTOR)
        seen, edits = await self._provider.create(identity, order), 0
        while seen.replaced_by and edits < _MOST_EDITS:
            seen, edits = await self._provider.read(identity, order.account, seen.replaced_by), edits + 1
        return seen

    async def _change(self, order: Order, change: Task) -> None:
        async def give_up(error: ShowbillError) -> None:
            await self._changing.give_up(order.id, self.owner, change.run_id, error)

        await self._try(order, self._changing.carry_out(order, change), give_up)

    async def _mark(self, order: Order, run_id: str) -> None:
        async def give_up(error: ShowbillError) -> None:
            await self._marks.give_up(order.id, self.owner, run_id, error)

        await self._try(order, self._marks.carry_out(order, run_id), give_up)

    async def _try(
        self, order: Order, work: Awaitable[None], give_up: Callable[[ShowbillError], Awaitable[None]]
    ) -> None:
        """Of an invoice that stands: whatever hinders it, it is taken up again, or given up in the end."""
        try:
            await work
            self._pauses.went_well(order.account)
        except ShowbillError as error:
            await self._failed(order, error, give_up)
        except Exception:  # outermost of this invoice
            log.exception("an invoice could not be changed", invoice_id=order.id)
            await self._failed(order, ShowbillError(), give_up)

    async def _store(self, order: Order, sighting: Sighting) -> None:
        """By rank: a webhook may have told of a payment before this answer came."""
        async with self._ledger.entry(by_key=True) as entry:
            rows = await entry.connection.fetch(SQL["lock_invoices"], [order.id])
            known = repository.invoice(rows[0])
            here = repository.account_of(known) == order.account  # an id of one account is never kept under another
            change = step(known, sighting, ACTOR, datetime.now(UTC)) if here else None
            if here and change is None and known.status is Status.PENDING:
                raise DraftDeleted  # nothing else says so little; else it would be made again and again
            if change is not None:
                await entry.change([change])
                known = change.after
            counts = here and known.status is not Status.VOID and known.external_id == sighting.external_id
            if not counts and sighting.standing is not Standing.VOID:
                await self._leave(entry, order, sighting)

    async def _leave(self, entry: Entry, order: Order, sighting: Sighting) -> None:
        """It was voided or moved while we made it, after our lease had lapsed: what came of it must not be payable."""
        log.warning("an invoice was made that does not count", invoice_id=order.id, external_id=sighting.external_id)
        account = (order.account.provider, order.account.account_id, order.account.livemode)
        await entry.connection.execute(SQL["add_leftover"], order.id, *account, sighting.external_id)
        self._clear()

    async def _failed(
        self, order: Order, error: ShowbillError, give_up: Callable[[ShowbillError], Awaitable[None]] | None = None
    ) -> None:
        try:
            if passing(error) and not is_hopeless(order.tries, order.first_attempt_at, error):
                self._pauses.failed(order.account, error)
                limited = error.kind is Kind.RATE_LIMITED
                await self._put_back(order, delay_after(order.tries, error), count=not limited)
            else:
                self._pauses.went_well(order.account)  # it answered
                await (give_up(error) if give_up else self._give_up(order.id, order.attempt, error))
        except Exception:  # outermost of this invoice: its lease lapses, and it is taken up again
            log.exception("a failed try could not be recorded", invoice_id=order.id)

    async def _park(self, row: asyncpg.Record, error: ShowbillError) -> None:
        if row["change"] is None:
            await self._give_up(str(row["id"]), row["attempt"], error)
        else:
            give_up = self._marks.give_up if row["change"] == MARK_PAID else self._changing.give_up
            await give_up(str(row["id"]), self.owner, str(row["change_run"]), error)

    async def _give_up(self, invoice_id: str, attempt: int, error: ShowbillError) -> None:
        """Only under the lease: a retry while another process still makes the invoice could make a second one."""
        async with self._ledger.entry() as entry:
            rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice_id])
            if not await entry.connection.fetchval(SQL["holds_lease"], invoice_id, self.owner):
                return
            known = repository.invoice(rows[0])
            after = rules.fail(known, error.message, datetime.now(UTC))
            if after is not None and known.attempt == attempt:
                log.info("invoice failed", invoice_id=invoice_id, reason=error.reason)
                asked = error.details.get("request_id", "")
                await entry.change([Change(known, after, error.message, ACTOR, provider_request=asked)])
