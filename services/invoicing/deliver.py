"""A checkout link delivered, and what the messaging service reports of it."""

from dataclasses import dataclass

import asyncpg

from services.common.context import Identity
from services.common.errors import NotFound, ShowbillError
from services.common.ids import new_id
from services.invoicing import courier, repository, sending_terms
from services.invoicing.courier import Courier, Facts
from services.invoicing.domain.invoice import Invoice
from services.invoicing.ledger import Entry, Ledger, RequestIdTaken
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.sending_terms import Terms
from services.invoicing.shows import ShowNotFound

_FIRST_REST = 1.0
"""Seconds until a delivery that the provider could not be asked for is tried again."""


class InvoiceNotFound(NotFound):
    """There is no invoice with this id in the show."""

    reason = "INVOICE_NOT_FOUND"


class DeliveryNotFound(NotFound):
    """The messaging service was not asked for a delivery with this id."""

    reason = "DELIVERY_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asked to send."""

    show_id: str
    invoice_id: str
    channel: str | None
    """None is by e-mail where the provider can mail it, else to be copied."""
    request_id: str | None
    pay_link_base: str


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message."""

    delivery_id: str
    state: str
    """`delivered` or `failed`."""
    reason: str


class Deliveries:
    """The use cases of one delivery. Raise ShowNotFound and InvoiceNotFound."""

    def __init__(self, ledger: Ledger, provider: Provider, courier: Courier, *, lease: float) -> None:
        """`lease` in seconds: after that long others take up what we began."""
        self._ledger = ledger
        self._provider = provider
        self._courier = courier
        self._lease = lease

    async def send(self, identity: Identity, wish: Wish) -> tuple[Invoice, asyncpg.Record]:
        """Delivers once for each request id. A provider that refuses is a result; it is kept on the delivery."""
        known = await self._known(identity, wish)
        terms = await sending_terms.of(self._provider, self._ledger.pool, identity, known)
        async with self._ledger.entry() as entry:
            invoice = await courier.lock(entry, wish.invoice_id)
            delivery = await _of_request(entry, identity, wish)
            if delivery is None:
                facts = await courier.facts_of(entry, invoice)
                delivery = await self._add(entry, identity, wish, invoice, facts, terms)
                if delivery["channel"] != "email":
                    after, handed = await courier.hand_over(entry, invoice, facts, delivery)
                    assert handed is not None, "nobody else has seen it yet"
                    return after, handed
            if delivery["state"] != "queued":
                return invoice, delivery
        return await self._carry(identity, wish, delivery)

    async def _known(self, identity: Identity, wish: Wish) -> Invoice:
        show = await self._ledger.pool.fetchrow(SQL["get_show"], wish.show_id, identity.workspace_id)
        if show is None:
            raise ShowNotFound
        row = await self._ledger.pool.fetchrow(SQL["get_invoice"], wish.invoice_id, wish.show_id, identity.workspace_id)
        if row is None:
            raise InvoiceNotFound
        return repository.invoice(row)

    async def _add(
        self, entry: Entry, identity: Identity, wish: Wish, invoice: Invoice, facts: Facts, terms: Terms
    ) -> asyncpg.Record:
        """Leased to this call: only when it died on the way, another process takes the delivery up."""
        mailable = terms.emails and courier.mails_to(invoice.email, facts.told_email)
        channel = wish.channel or ("email" if mailable else "manual")
        courier.refuse(invoice, channel, facts.told_email)
        delivery = await entry.connection.fetchrow(
            SQL["add_delivery"],
            *(new_id(), invoice.id, channel, wish.request_id, terms.template, wish.pay_link_base, identity.actor),
            *(new_id(), self._lease),
        )
        if delivery is None:
            raise RequestIdTaken
        return delivery

    async def _carry(self, identity: Identity, wish: Wish, delivery: asyncpg.Record) -> tuple[Invoice, asyncpg.Record]:
        """The row stands before the call. What may still succeed stays in the queue, and says why it waits."""
        try:
            delivery = await self._courier.carry(delivery)
        except ShowbillError as error:
            delay = error.retry_after or _FIRST_REST
            values = (delivery["lease_owner"], delay, 1, error.message)
            await self._ledger.pool.execute(SQL["put_back_delivery"], delivery["id"], *values)
            present = await self._ledger.pool.fetchrow(SQL["get_delivery"], delivery["id"])
            assert present is not None
            delivery = present
        return await self._known(identity, wish), delivery

    async def list(
        self, workspace_id: str, show_id: str, invoice_id: str, after: str | None, size: int
    ) -> list[asyncpg.Record]:
        """The deliveries of an invoice, oldest first."""
        pool = self._ledger.pool
        if await pool.fetchrow(SQL["get_invoice"], invoice_id, show_id, workspace_id) is None:
            raise InvoiceNotFound
        return await pool.fetch(SQL["list_deliveries_of_invoice"], invoice_id, after, size)

    async def report(self, identity: Identity, report: Report) -> None:
        """Takes what the messaging service says, once. Raises DeliveryNotFound."""
        async with self._ledger.entry() as entry:
            asked = await entry.connection.fetchrow(
                SQL["requested_delivery"], report.delivery_id, identity.workspace_id
            )
            if asked is None:
                raise DeliveryNotFound
            invoice = await courier.lock(entry, asked["invoice_id"])
            taken = await entry.connection.fetchval(
                SQL["report_delivery"], report.delivery_id, report.state, report.reason
            )
            if taken and report.state == "delivered":
                await courier.went_out(entry, invoice, report.delivery_id, "dm", identity.actor)


async def _of_request(entry: Entry, identity: Identity, wish: Wish) -> asyncpg.Record | None:
    """The delivery that the same request began before. Raises RequestIdTaken when it was for something else."""
    row: asyncpg.Record | None = await entry.connection.fetchrow(
        SQL["delivery_of_request"], identity.workspace_id, wish.request_id
    )
    same = row is None or (str(row["invoice_id"]) == wish.invoice_id and wish.channel in (None, row["channel"]))
    if not same:
        raise RequestIdTaken
    return row
