"""Checkout links delivered: mailed by the provider, handed to the messaging service, or given out to be copied."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.common.context import Identity
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.ids import new_id
from services.common.money import format_money
from services.invoicing import events, repository
from services.invoicing.domain import invoice as rules
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.ledger import Change, Entry, Ledger, RequestIdTaken
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

MESSAGE: Final = "Hi {handle}, thank you for joining {show}! Your total is {total}. Pay here: {link}"

_NOT_PAYABLE: Final[Mapping[Status, str]] = {
    Status.PENDING: "The invoice is still being made. Try again in a moment.",
    Status.DRAFT: "The invoice is held back and cannot be paid yet, so there is no link to send. {reason}",
    Status.PAID: "The invoice is paid, so there is no link to send.",
    Status.ERROR: "The invoice could not be made. Retry it first, then send the link.",
    Status.VOID: "The invoice is void, so there is no link to send.",
    Status.UNCOLLECTIBLE: "The invoice was written off, so there is no link to send.",
}


class InvoiceNotFound(NotFound):
    """There is no invoice with this id in the show."""

    reason = "INVOICE_NOT_FOUND"


class InvoiceStatus(ShowbillError):
    """The invoice's status does not allow it."""

    kind = Kind.FAILED_PRECONDITION
    reason = "INVOICE_STATUS"


class NoEmail(ShowbillError):
    """The buyer {handle} has no e-mail address. Copy the link, or send it as a message."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_EMAIL"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asked to send."""

    show_id: str
    invoice_id: str
    channel: str
    request_id: str | None
    pay_link_base: str


class Deliveries:
    """The use cases of sending. Raise ShowNotFound and InvoiceNotFound."""

    def __init__(self, ledger: Ledger, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider

    async def send(self, identity: Identity, wish: Wish) -> tuple[Invoice, asyncpg.Record]:
        """Delivers once for each request id. A provider that refuses is a result; it is kept on the delivery."""
        async with self._ledger.entry() as entry:
            invoice, show_name = await _lock(entry, identity.workspace_id, wish)
            before = await entry.connection.fetchrow(SQL["delivery_of_request"], identity.workspace_id, wish.request_id)
            if before is not None and (str(before["invoice_id"]), before["channel"]) != (invoice.id, wish.channel):
                raise RequestIdTaken
            if before is not None and (before["channel"], before["state"]) != ("email", "requested"):
                return invoice, before
            _refuse(invoice, wish.channel)
            delivery = before or await _add(entry, identity, wish, invoice, show_name)
            if wish.channel != "email":
                return await _hand_over(entry, invoice, delivery, identity.actor)
        return await self._mail(identity, invoice, delivery)

    async def _mail(
        self, identity: Identity, invoice: Invoice, delivery: asyncpg.Record
    ) -> tuple[Invoice, asyncpg.Record]:
        """The row stands before the call: whoever asks again after a crash goes on with the same delivery."""
        delivery_id, failure, warning = str(delivery["id"]), "", ""
        try:
            _, warning = await self._provider.send(
                identity,
                repository.account_of(invoice),
                invoice.external_id,
                invoice.id,
                invoice.revision,
                delivery_id,
            )
        except ShowbillError as error:
            failure = error.message
        async with self._ledger.entry() as entry:
            rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice.id])
            known = repository.invoice(rows[0])
            state = "failed" if failure else "delivered"
            finished = await entry.connection.fetchrow(SQL["finish_delivery"], delivery_id, state, failure or warning)
            if finished is None:  # the same request, sent twice at once, was quicker
                finished = await entry.connection.fetchrow(SQL["get_delivery"], delivery_id)
                assert finished is not None
                return known, finished
            if failure:
                return known, finished
            return await _went_out(entry, known, delivery_id, "email", identity.actor), finished


def _refuse(invoice: Invoice, channel: str) -> None:
    if not invoice.payable:
        reason = invoice.draft_reason
        sentence = _NOT_PAYABLE[invoice.status]
        raise InvoiceStatus(sentence.format(reason=rules.held_back_because(reason) if reason else ""))
    if channel == "email" and not invoice.email:
        raise NoEmail(handle=invoice.handle or invoice.platform_user_id)


async def _lock(entry: Entry, workspace_id: str, wish: Wish) -> tuple[Invoice, str]:
    """The invoice, locked, and the show's name."""
    show = await entry.connection.fetchrow(SQL["get_show"], wish.show_id, workspace_id)
    if show is None:
        raise ShowNotFound
    rows = await entry.connection.fetch(SQL["lock_invoices"], [wish.invoice_id])
    if not rows or rows[0]["show_id"] != show["id"]:
        raise InvoiceNotFound
    return repository.invoice(rows[0]), show["name"]


async def _add(entry: Entry, identity: Identity, wish: Wish, invoice: Invoice, show_name: str) -> asyncpg.Record:
    link = wish.pay_link_base.rstrip("/") + invoice.pay_path
    message = MESSAGE.format(
        handle=invoice.display_name or invoice.handle,
        show=show_name,
        total=format_money(invoice.total, invoice.currency),
        link=link,
    )
    state = "delivered" if wish.channel == "manual" else "requested"
    delivery = await entry.connection.fetchrow(
        SQL["add_delivery"],
        *(new_id(), identity.workspace_id, invoice.id, wish.channel, state, message, link, wish.request_id),
        identity.actor,
    )
    if delivery is None:
        raise RequestIdTaken
    return delivery


async def _hand_over(
    entry: Entry, invoice: Invoice, delivery: asyncpg.Record, actor: str
) -> tuple[Invoice, asyncpg.Record]:
    """To the operator, who has it now; or to the messaging service, whose report is still to come."""
    if delivery["channel"] == "manual":
        return await _went_out(entry, invoice, str(delivery["id"]), "manual", actor), delivery
    requested = events.link_requested(invoice, str(delivery["id"]), delivery["message"])
    await entry.tell([(invoice.workspace_id, invoice.show_id, requested)])
    return invoice, delivery


async def _went_out(entry: Entry, invoice: Invoice, delivery_id: str, channel: str, actor: str) -> Invoice:
    after = rules.mark_sent(invoice, datetime.now(UTC))
    reason = {"email": "The provider mailed the link.", "manual": "The link was copied to be sent by hand."}[channel]
    await entry.change([Change(invoice, after, reason, actor)])
    sent = events.link_sent(invoice, delivery_id, channel)
    await entry.tell([(invoice.workspace_id, invoice.show_id, sent)])
    return after
