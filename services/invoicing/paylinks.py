"""The stable address of a buyer's invoice: what it shows, where it leads now, and how it is replaced by another."""

import asyncio
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import asyncpg
import structlog

from services.common.context import Identity
from services.common.errors import NotFound, ShowbillError
from services.invoicing import events, repository
from services.invoicing.domain import invoice as rules
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.sighting import was_replaced
from services.invoicing.ledger import Change, Ledger
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.settle import step
from services.invoicing.shows import ShowNotFound

log = structlog.get_logger()

ACTOR: Final = "worker:pay_link"
OLD: Final = timedelta(days=9)
"""An address that was just read from the provider holds for ten days at least."""
TOKEN_BYTES: Final = 18
"""Of randomness in a pay link: 144 bits."""
_PATIENCE: Final = 3.0
"""Seconds that a buyer waits for the provider; then the page shows what is known."""


class PayLinkNotFound(NotFound):
    """This link does not lead to an invoice. Ask the seller for a new one."""

    reason = "PAY_LINK_NOT_FOUND"


class NoPayLinkYet(NotFound):
    """The buyer has no pay link in this show yet. It is made with the first invoice."""

    reason = "PAY_LINK_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Page:
    """What a buyer sees."""

    show_name: str
    show_date: date
    handle: str
    invoice: Invoice
    lines: list[dict[str, Any]]
    replaces_earlier: bool
    """An earlier invoice was voided, and this one stands in its place."""
    paid_before: int
    """Minor units, on other invoices of the show."""
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
            await self._count(token, link)
        row = await pool.fetchrow(SQL["get_invoice"], link["invoice_id"], link["show_id"], link["workspace_id"])
        assert row is not None
        invoice, instructions = repository.invoice(row), ""
        if _old(invoice) and not count_opening:
            invoice, instructions, row = await self._renewed(invoice, row)
        return Page(
            show_name=link["show_name"],
            show_date=link["show_at"].astimezone(UTC).date(),
            handle=link["handle"],
            invoice=invoice,
            lines=row["line_items"],
            replaces_earlier=link["replaces_earlier"],
            paid_before=link["paid_before"],
            instructions=instructions,
        )

    async def _count(self, token: str, link: asyncpg.Record) -> None:
        """One opening more, of which whoever looks at the show hears."""
        async with self._ledger.entry() as entry:
            # Before the link, as a generation does that gives out links.
            await entry.connection.execute(SQL["lock_show"], link["show_id"], link["workspace_id"])
            counted = await entry.connection.fetchrow(SQL["count_opening"], token)
            if counted is not None:
                invoice_id, first = str(link["invoice_id"]), counted["first_opened_at"]
                opened = events.link_opened(str(counted["buyer_id"]), invoice_id, counted["opened_count"], first)
                await entry.tell([(str(link["workspace_id"]), str(link["show_id"]), opened)])

    async def revoke(self, identity: Identity, show_id: str, buyer_id: str) -> str:
        """A new link in the place of the old one; answers its path. Raises NoPayLinkYet."""
        async with self._ledger.entry() as entry:
            database = entry.connection
            show = await database.fetchrow(SQL["get_show"], show_id, identity.workspace_id)
            if show is None:
                raise ShowNotFound
            ids = [row["id"] for row in await database.fetch(SQL["invoices_of_buyer"], show_id, buyer_id)]
            # The lock of the invoices: of two that revoke at once, the second revokes what the first has made.
            invoices = [repository.invoice(row) for row in await database.fetch(SQL["lock_invoices"], ids)]
            await database.execute(SQL["lock_show"], show_id, identity.workspace_id)  # before the link, as above
            if await database.fetchval(SQL["revoke_pay_link"], show_id, buyer_id) is None:
                raise NoPayLinkYet
            token = secrets.token_urlsafe(TOKEN_BYTES)
            await database.execute(SQL["add_pay_link"], token, show_id, buyer_id)
            await entry.change([_behind(invoice, token, identity.actor) for invoice in invoices])
        return f"/p/{token}"

    async def _renewed(self, invoice: Invoice, row: asyncpg.Record) -> tuple[Invoice, str, asyncpg.Record]:
        """The invoice with its address of now, how to pay where there is none, and its row with the lines of now."""
        renewed, instructions = await self._renew(invoice)
        if was_replaced(invoice, renewed):
            renewed, instructions = await self._renew(renewed)
        if renewed.version == invoice.version:
            return renewed, instructions, row
        told = (renewed.id, renewed.show_id, renewed.workspace_id)
        again = await self._ledger.pool.fetchrow(SQL["get_invoice"], *told)
        assert again is not None
        return repository.invoice(again), instructions, again

    async def _renew(self, invoice: Invoice) -> tuple[Invoice, str]:
        """Reads the address again, and how to pay where there is none. Not that of what was replaced at the provider.

        A provider that is away leaves the old address, which may still work.
        """
        account = repository.account_of(invoice)
        try:
            async with asyncio.timeout(_PATIENCE):
                seen = await self._provider.read(Identity(invoice.workspace_id, ACTOR), account, invoice.external_id)
        except (ShowbillError, TimeoutError) as error:
            reason = getattr(error, "reason", "TIMED_OUT")
            log.warning("a pay link could not be renewed", invoice_id=invoice.id, reason=reason)
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
            if seen.external_url and seen.external_id == known.external_id and _old(known):
                renewed = rules.renew_address(known, seen.external_url, now)
                changes.append(Change(known, renewed, "The address of the provider's page was renewed.", ACTOR))
                known = renewed
            await entry.change(changes)
        return known, seen.payment_instructions


def _behind(invoice: Invoice, token: str, actor: str) -> Change:
    """The invoice behind its new link: a change of its own, so that whoever shows the old one hears of it."""
    after = replace(invoice, pay_token=token, version=invoice.version + 1, updated_at=datetime.now(UTC))
    return Change(invoice, after, "The pay link was revoked; a new one stands in its place.", actor)


def _old(invoice: Invoice) -> bool:
    if not invoice.payable or not invoice.external_id:
        return False
    return invoice.external_url_at is None or datetime.now(UTC) - invoice.external_url_at > OLD
