"""Marks from the queue carried out: each invoice recorded as paid outside its provider, there and here.

A process may die at any point: another one asks again and writes the same. Before the provider is first told of a mark,
a payment that is known is the buyer's own, and the mark is dropped; from then on it may be the mark itself.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import structlog

from services.common.context import Identity
from services.common.errors import ShowbillError
from services.invoicing import amending, repository
from services.invoicing.domain import marks as rules
from services.invoicing.domain.invoice import Invoice, Standing, Status
from services.invoicing.ledger import Change, Entry, Ledger, Result
from services.invoicing.ports import Order, Provider
from services.invoicing.repository import SQL

log = structlog.get_logger()

MARK_PAID: Final = "mark_paid"
"""As the database names this change."""
_EDITED_MEANWHILE: Final = "It was edited at the provider a moment before. Look at it, then mark it again."


@dataclass(frozen=True, slots=True)
class _Asked:
    """A mark that the provider is told of."""

    invoice: Invoice
    note: str
    actor: str
    """Who asked for it."""
    asked_at: datetime
    """When the provider was first told."""


class Marks:
    """Carries marks out, one at a time."""

    def __init__(self, ledger: Ledger, provider: Provider, actor: str) -> None:
        self._ledger = ledger
        self._provider = provider
        self._actor = actor

    async def carry_out(self, order: Order, run_id: str) -> None:
        """Raises ShowbillError when the provider does not do it."""
        mark = await self._ask(order, run_id)
        if mark is None:
            return
        who, account, known = Identity(order.account.workspace_id, mark.actor), order.account, mark.invoice
        seen = await self._provider.mark_paid(who, account, known.external_id, known.id, known.revision)
        async with self._ledger.entry() as entry:
            known = await amending.again(entry, known)
            before = rules.paid_before(seen, mark.asked_at)
            ended = await entry.connection.fetchrow(SQL["end_change"], order.id, run_id)
            asked = None if before else Standing.PAID
            after = await amending.apply(entry, known, seen, asked, rules.MARKED, mark.actor)
            if ended is None:  # another worker was quicker; what was seen is true all the same
                return
            if before:
                await self._drop(entry, after, run_id, rules.PAID_THERE)
            elif after.status is Status.PAID:
                await entry.connection.execute(SQL["note_paid_outside"], order.id, rules.kept(mark.note))
                await entry.count([Result(run_id, created=True)])
            else:
                why = rules.VOID_MEANWHILE if after.status is Status.VOID else _EDITED_MEANWHILE
                await self._drop(entry, after, run_id, why)

    async def _ask(self, order: Order, run_id: str) -> _Asked | None:
        """Notes that the provider is told from now on; None where there is nothing to tell it."""
        async with self._ledger.entry() as entry:
            invoice = repository.invoice((await entry.connection.fetch(SQL["lock_invoices"], [order.id]))[0])
            planned = await entry.connection.fetchrow(SQL["planned_mark"], order.id, run_id)
            if planned is None:
                return None
            why = "" if planned["asked"] else rules.overtaken(invoice, planned["total"])
            if why:
                await entry.connection.execute(SQL["end_change"], order.id, run_id)
                await self._drop(entry, invoice, run_id, "" if rules.is_marked(invoice) else why)
                return None
            asked_at = await entry.connection.fetchval(SQL["ask_for_mark"], order.id, run_id)
        return _Asked(invoice, planned["note"], planned["actor"], asked_at)

    async def _drop(self, entry: Entry, invoice: Invoice, run_id: str, why: str) -> None:
        """It is as if it had not been queued, but for what the history says."""
        if why:
            after = replace(invoice, version=invoice.version + 1, updated_at=datetime.now(UTC))
            await entry.change([Change(invoice, after, f"{rules.NOT_MARKED} {why}", self._actor)])
        await entry.count([Result(run_id, dropped=True)])

    async def give_up(self, invoice_id: str, owner: str, run_id: str, error: ShowbillError) -> None:
        """The provider refuses for good: the invoice stays as it is, and says why. Only under the lease."""
        async with self._ledger.entry() as entry:
            known = repository.invoice((await entry.connection.fetch(SQL["lock_invoices"], [invoice_id]))[0])
            if not await entry.connection.fetchval(SQL["holds_lease"], invoice_id, owner):
                return
            if await entry.connection.fetchrow(SQL["end_change"], invoice_id, run_id) is None:
                return
            log.info("a mark failed", invoice_id=invoice_id, reason=error.reason)
            sentence = f"{rules.NOT_MARKED} {error.message}"
            after = replace(known, status_reason=sentence, version=known.version + 1, updated_at=datetime.now(UTC))
            await entry.change([Change(known, after, sentence, self._actor)])
            await entry.count([Result(run_id, failed=True)])
