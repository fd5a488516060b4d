"""Marks from the queue carried out: each invoice recorded as paid outside its provider, there and here.

A process may die at any point: another one asks again and writes the same. A payment that is known before is the
buyer's own, and the mark is dropped, unless an earlier try was not answered: then the provider is asked, for it may be
the mark itself.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import structlog

from services.common.context import Identity
from services.common.errors import ShowbillError
from services.invoicing import asking, repository
from services.invoicing.domain import marks as rules
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.ledger import Change, Entry, Ledger, Result
from services.invoicing.ports import Order, Provider
from services.invoicing.repository import SQL

log = structlog.get_logger()

MARK_PAID: Final = "mark_paid"
"""As the database names this change."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A mark that the provider is told of."""

    invoice: Invoice
    note: str
    actor: str
    """Who asked for it."""


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
        async with asking.trying(self._ledger, known.id):
            named = (known.external_id, known.id, known.revision, known.total, known.currency)
            seen = await self._provider.mark_paid(who, account, *named)
        async with self._ledger.entry() as entry:
            after, why = await asking.take_answer(entry, known, seen, mark.note, mark.actor)
            if await entry.connection.fetchrow(SQL["end_change"], order.id, run_id) is None:
                return  # another worker was quicker; what was seen is true all the same
            if why:
                await self._drop(entry, after, run_id, why)
            else:
                await entry.count([Result(run_id, created=True)])

    async def _ask(self, order: Order, run_id: str) -> _Asked | None:
        """Notes that the provider is told from now on; None where there is nothing to tell it.

        What a payment is that came after a try without an answer, only the provider knows.
        """
        async with self._ledger.entry() as entry:
            invoice = repository.invoice((await entry.connection.fetch(SQL["lock_invoices"], [order.id]))[0])
            planned = await entry.connection.fetchrow(SQL["planned_mark"], order.id, run_id)
            if planned is None:
                return None
            if invoice.status is Status.PAID and await asking.ask_about(entry, invoice):
                return _Asked(invoice, planned["note"], planned["actor"])
            if why := rules.overtaken(invoice, planned["total"]):
                await entry.connection.execute(SQL["end_change"], order.id, run_id)
                await self._overtaken(entry, invoice, run_id, why)
                return None
            await asking.ask(entry, invoice, planned["note"], planned["actor"])
        return _Asked(invoice, planned["note"], planned["actor"])

    async def _overtaken(self, entry: Entry, invoice: Invoice, run_id: str, why: str) -> None:
        """Without a word about what is marked already: by this very run, where an event told what its try came to, and
        the provider cannot be asked.
        """
        ended = invoice.status is Status.PAID and await entry.connection.fetchrow(SQL["end_ask"], invoice.id)
        if rules.is_marked(invoice) and ended:
            await entry.count([Result(run_id, created=True)])
        else:
            await self._drop(entry, invoice, run_id, "" if rules.is_marked(invoice) else why)

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
            if known.status is Status.PAID:
                await self._overtaken(entry, known, run_id, rules.PAID_THERE)
                return
            log.info("a mark failed", invoice_id=invoice_id, reason=error.reason)
            unsure = await entry.connection.fetchrow(SQL["asked_marks"], [invoice_id])
            sentence = rules.UNSURE if unsure else f"{rules.NOT_MARKED} {error.message}"
            after = replace(known, status_reason=sentence, version=known.version + 1, updated_at=datetime.now(UTC))
            await entry.change([Change(known, after, sentence, self._actor)])
            await entry.count([Result(run_id, failed=True)])
