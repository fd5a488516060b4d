"""One delivery carried out: mailed by the provider, handed to the messaging service, or given out to be copied."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

import asyncpg
import structlog

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.invoicing import events, repository
from services.invoicing.domain import invoice as rules
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.message import message
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.ports import Provider, passing
from services.invoicing.repository import SQL

log = structlog.get_logger()

_NOT_PAYABLE: Final[Mapping[Status, str]] = {
    Status.PENDING: "The invoice is still being made. Try again in a moment.",
    Status.DRAFT: "The invoice is held back and cannot be paid yet, so there is no link to send. {reason}",
    Status.PAID: "The invoice is paid, so there is no link to send.",
    Status.ERROR: "The invoice could not be made. Retry it first, then send the link.",
    Status.VOID: "The invoice is void, so there is no link to send.",
    Status.UNCOLLECTIBLE: "The invoice was written off, so there is no link to send.",
}
_WENT_OUT: Final = {
    "email": "The provider mailed the link.",
    "dm": "The messaging service delivered the link.",
    "manual": "The link was copied to be sent by hand.",
}


class InvoiceStatus(ShowbillError):
    """The invoice's status does not allow it."""

    kind = Kind.FAILED_PRECONDITION
    reason = "INVOICE_STATUS"


class NoEmail(ShowbillError):
    """The buyer {handle} has no e-mail address. Copy the link, or send it as a message."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_EMAIL"


class EmailCameLater(ShowbillError):
    """The provider cannot mail this invoice: it was made before the e-mail address of {handle} was known.
    Copy the link, or generate again and let the plan void and reissue it: then it can be mailed, behind the same link.
    """

    kind = Kind.FAILED_PRECONDITION
    reason = "EMAIL_CAME_LATER"


class EmailChanged(ShowbillError):
    """The provider would mail this invoice to another e-mail address than {handle} has now. Copy the link, or generate
    again and let the plan void and reissue it: then it goes to the address of now, behind the same link.
    """

    kind = Kind.FAILED_PRECONDITION
    reason = "EMAIL_CHANGED"


class NoPayLink(ShowbillError):
    """The buyer {handle} has no pay link in force. Make a new one for the buyer, then send it."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_PAY_LINK"


class Facts(NamedTuple):
    """What an invoice was made with."""

    show_name: str
    show_date: date
    told_email: str
    """The address that the provider was told: without one it mails nothing."""


async def facts_of(entry: Entry, invoice: Invoice) -> Facts:
    row = await entry.connection.fetchrow(SQL["sending_facts"], invoice.id)
    assert row is not None
    return Facts(row["show_name"], row["show_date"], row["told_email"] or "")


async def lock(entry: Entry, invoice_id: str) -> Invoice:
    rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice_id])
    return repository.invoice(rows[0])


def refuse(invoice: Invoice, channel: str, told_email: str) -> None:
    """Raises InvoiceStatus, NoPayLink, NoEmail, EmailCameLater or EmailChanged for what cannot be sent so."""
    if not invoice.payable:
        reason = invoice.draft_reason
        sentence = _NOT_PAYABLE[invoice.status]
        raise InvoiceStatus(sentence.format(reason=rules.held_back_because(reason) if reason else ""))
    buyer = invoice.handle or invoice.platform_user_id
    if not invoice.pay_token:
        raise NoPayLink(handle=buyer)
    if channel == "email" and not invoice.email:
        raise NoEmail(handle=buyer)
    if channel == "email" and not mails_to(invoice.email, told_email):
        raise EmailChanged(handle=buyer) if told_email else EmailCameLater(handle=buyer)


def mails_to(email: str, told_email: str) -> bool:
    """Whether the provider, told this address when the invoice was made, mails it to where the buyer is reached now."""
    return bool(email) and email.lower() == told_email.lower()


async def went_out(entry: Entry, invoice: Invoice, delivery_id: str, channel: str, actor: str) -> Invoice:
    """The invoice, which must be locked, after its link reached the buyer or the operator's hands."""
    after = rules.mark_sent(invoice, datetime.now(UTC))
    await entry.change([Change(invoice, after, _WENT_OUT[channel], actor)])
    sent = events.link_sent(invoice, delivery_id, channel)
    await entry.tell([(invoice.workspace_id, invoice.show_id, sent)])
    return after


async def hand_over(
    entry: Entry, invoice: Invoice, facts: Facts, delivery: asyncpg.Record
) -> tuple[Invoice, asyncpg.Record | None]:
    """To the operator, who has it now; or to the messaging service, whose report is still to come.

    The invoice must be locked. The delivery as it stands now is None when somebody else was quicker.
    """
    channel, (text, link) = delivery["channel"], _written(invoice, facts, delivery)
    state = "delivered" if channel == "manual" else "requested"
    finished = await entry.connection.fetchrow(SQL["finish_delivery"], delivery["id"], state, "", text, link)
    if finished is None:
        return invoice, None
    if channel == "manual":
        return await went_out(entry, invoice, str(delivery["id"]), channel, delivery["actor"]), finished
    requested = events.link_requested(invoice, str(delivery["id"]), text, link)
    await entry.tell([(invoice.workspace_id, invoice.show_id, requested)])
    return invoice, finished


def _written(invoice: Invoice, facts: Facts, delivery: asyncpg.Record) -> tuple[str, str]:
    """The message and the link in it."""
    link = delivery["pay_link_base"].rstrip("/") + invoice.pay_path
    return message(delivery["template"], invoice, facts.show_name, facts.show_date, link), link


class Courier:
    """Carries queued deliveries out. Doing it twice delivers once: the provider goes by the delivery's id."""

    def __init__(self, ledger: Ledger, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider

    async def carry(self, delivery: asyncpg.Record) -> asyncpg.Record:
        """The delivery afterwards; one that cannot succeed is finished as failed, with the sentence.

        Raises ShowbillError while it may still succeed: nothing is finished then.
        """
        async with self._ledger.entry(by_key=True) as entry:
            invoice = await lock(entry, delivery["invoice_id"])
            facts = await facts_of(entry, invoice)
            try:
                refuse(invoice, delivery["channel"], facts.told_email)
            except ShowbillError as error:
                return await self._failed(entry, delivery, error)
            if delivery["channel"] != "email":
                _, finished = await hand_over(entry, invoice, facts, delivery)
                return finished or await _present(entry, delivery)
        return await self._mail(invoice, facts, delivery)

    async def _mail(self, invoice: Invoice, facts: Facts, delivery: asyncpg.Record) -> asyncpg.Record:
        try:
            _, warning = await self._provider.send(
                Identity(invoice.workspace_id, delivery["actor"]),
                repository.account_of(invoice),
                invoice.external_id,
                invoice.id,
                invoice.revision,
                str(delivery["id"]),
            )
        except ShowbillError as error:
            if passing(error):
                raise
            async with self._ledger.entry(by_key=True) as entry:
                return await self._failed(entry, delivery, error)
        async with self._ledger.entry(by_key=True) as entry:
            known = await lock(entry, invoice.id)
            values = ("delivered", warning, *_written(invoice, facts, delivery))
            finished = await entry.connection.fetchrow(SQL["finish_delivery"], delivery["id"], *values)
            if finished is None:  # whoever took the same delivery up as well was quicker
                return await _present(entry, delivery)
            await went_out(entry, known, str(delivery["id"]), "email", delivery["actor"])
            return finished

    async def give_up(self, delivery: asyncpg.Record, error: ShowbillError) -> asyncpg.Record:
        """Finishes one that was tried for too long."""
        async with self._ledger.entry(by_key=True) as entry:
            return await self._failed(entry, delivery, error)

    async def _failed(self, entry: Entry, delivery: asyncpg.Record, error: ShowbillError) -> asyncpg.Record:
        log.info("a link was not delivered", delivery_id=str(delivery["id"]), reason=error.reason)
        values = ("failed", error.message, "", "")
        finished = await entry.connection.fetchrow(SQL["finish_delivery"], delivery["id"], *values)
        return finished or await _present(entry, delivery)


async def _present(entry: Entry, delivery: asyncpg.Record) -> asyncpg.Record:
    row = await entry.connection.fetchrow(SQL["get_delivery"], delivery["id"])
    assert row is not None
    return row
