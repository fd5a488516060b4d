"""The stable address of a buyer's invoice: what it shows, and where it leads now."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from services.common.context import Identity
from services.common.errors import NotFound, ShowbillError
from services.invoicing import repository
from services.invoicing.domain import invoice as rules
from services.invoicing.domain.invoice import Invoice
from services.invoicing.ledger import Change, Ledger
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

ACTOR: Final = "worker:pay_link"
OLD: Final = timedelta(days=9)
"""An address that was just read from the provider holds for ten days at least."""


class PayLinkNotFound(NotFound):
    """This link does not lead to an invoice. Ask the seller for a new one."""

    reason = "PAY_LINK_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Page:
    """What a buyer sees."""

    show_name: str
    handle: str
    invoice: Invoice
    lines: list[dict[str, Any]]
    instructions: str = ""
    """How to pay, where the provider has no page for it."""


class PayLinks:
    """The use cases of pay links."""

    def __init__(self, ledger: Ledger, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider

    async def resolve(self, token: str, *, count_opening: bool) -> Page:
        """Raises PayLinkNotFound for a link that is unknown, revoked, or without an invoice: the same to a stranger."""
        pool = self._ledger.pool
        link = await pool.fetchrow(SQL["resolve_pay_link"], token)
        if link is None or link["invoice_id"] is None:
            raise PayLinkNotFound
        if count_opening:
            await pool.execute(SQL["count_opening"], token)
        row = await pool.fetchrow(SQL["get_invoice"], link["invoice_id"], link["show_id"], link["workspace_id"])
        assert row is not None
        invoice = repository.invoice(row)
        instructions = ""
        if _old(invoice):
            invoice, instructions = await self._renew(invoice)
        return Page(link["show_name"], link["handle"], invoice, row["line_items"], instructions)

    async def _renew(self, invoice: Invoice) -> tuple[Invoice, str]:
        """Reads the address again, and how to pay where there is none.

        A provider that is away leaves the old address, which may still work.
        """
        account = repository.account_of(invoice)
        try:
            seen = await self._provider.read(Identity(invoice.workspace_id, ACTOR), account, invoice.external_id)
        except ShowbillError as error:
            log.warning("a pay link could not be renewed", invoice_id=invoice.id, reason=error.reason)
            return invoice, ""
        now = datetime.now(UTC)
        async with self._ledger.entry() as entry:
            rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice.id])
            known = repository.invoice(rows[0])
            changes = []
            change = step(known, seen, ACTOR, now)
            if change is not None:
                changes.append(change)
                known = change.after
            if seen.external_url and _old(known):
                renewed = rules.renew_address(known, seen.external_url, now)
                changes.append(Change(known, renewed, "The address of the provider's page was renewed.", ACTOR))
                known = renewed
            await entry.change(changes)
        return known, seen.payment_instructions


def _old(invoice: Invoice) -> bool:
    if not invoice.payable or not invoice.external_id:
        return False
    return invoice.external_url_at is None or datetime.now(UTC) - invoice.external_url_at > OLD
