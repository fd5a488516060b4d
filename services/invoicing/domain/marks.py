"""Marks of what was paid outside the provider: what an operator tells of many invoices at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.common.money import format_money
from services.invoicing.domain.amending import NOT_MARKABLE
from services.invoicing.domain.invoice import Invoice, Standing, Status
from services.invoicing.domain.sighting import Sighting

MARKED: Final = "It was marked as paid outside the provider."
NOT_MARKED: Final = "It was not marked as paid."
VOID_MEANWHILE: Final = "The invoice was voided at the provider a moment before, so nothing was marked as paid."
PAID_THERE: Final = (
    "The buyer paid this invoice through the provider already, so the money would be counted twice. If it came in"
    " elsewhere too, pay it back to the buyer."
)
EDITED_MEANWHILE: Final = "It was edited at the provider a moment before. Look at it, then mark it again."
PAID_BY_BUYER: Final = "It was the buyer who paid it, through the provider."
UNSURE: Final = "The provider did not say whether it was marked as paid. Look at it there before you mark it again."
_CLOCKS_APART: Final = timedelta(seconds=30)
"""Ours and the provider's, at the most."""
_LONGEST_TRY: Final = timedelta(minutes=2)
"""After which what was asked of the provider is not carried out any more."""
_MOVED: Final = "Its total was {was} when it was asked for, and is {now} now. Look at it, then mark it again."


@dataclass(frozen=True, slots=True)
class Mark:
    """What is told of one invoice."""

    index: int
    """Its place among those that were sent with it."""
    invoice_id: str
    """Empty where only its number is known."""
    number: str
    """The provider's; empty where it is not told."""
    paid: bool
    """Whether it was paid outside the provider; else it is left as it is."""
    note: str
    amount: int | None
    """Minor units; None where it is not told."""
    currency: str
    """Empty where it is not told."""
    due: bool = False
    """Its invoice is to be marked: known once it was looked at."""


def asked(note: str) -> str:
    """What the history says before anything is done about it."""
    return "Marking it as paid outside the provider was asked for." + (f" Note: {note}" if note else "")


def kept(note: str) -> str:
    """What stands with an invoice that was marked."""
    return note or "yes"


@dataclass(frozen=True, slots=True)
class AskedMark:
    """A mark that the provider was asked for, while it is not known what became of it."""

    note: str
    actor: str
    """Who asked for it."""
    total: int
    """Minor units that the invoice asked for then."""
    external_id: str
    """The provider's, of the invoice that it was asked for; empty where it is not known."""
    asked_at: datetime
    """When the provider was first told."""
    tried_at: datetime
    """When it was last told."""
    tries: int
    """How many may have reached it."""


def is_the_mark(mark: AskedMark, paid: Invoice) -> bool:
    """Whether a payment that is heard of is this mark, which may have been carried out: by time, total and id."""
    if paid.paid_at is None or paid.total != mark.total or mark.external_id not in ("", paid.external_id):
        return False
    return _may_have_paid(mark, paid.paid_at)


def is_marked_there(seen: Sighting, mark: AskedMark | None) -> bool:
    """Whether what the provider answers, asked to mark it as paid, is the mark: else the buyer was quicker.

    `mark` is what is still outstanding. The provider knows best; what it does not say only an earlier try without an
    answer leaves open. One that does not say yet that it was paid before says at least when.
    """
    if seen.standing is not Standing.PAID:
        return False
    if not seen.paid_before:
        return mark is None or seen.paid_at is None or seen.paid_at >= mark.asked_at - _CLOCKS_APART
    if seen.paid_outside is not None:
        return seen.paid_outside
    return mark is not None and mark.tries > 1 and seen.paid_at is not None and _may_have_paid(mark, seen.paid_at)


def _may_have_paid(mark: AskedMark, paid_at: datetime) -> bool:
    return mark.asked_at - _CLOCKS_APART <= paid_at <= mark.tried_at + _LONGEST_TRY


def is_marked(invoice: Invoice) -> bool:
    return invoice.status is Status.PAID and bool(invoice.paid_outside)


def not_markable(invoice: Invoice) -> str:
    """Why an invoice that is not paid cannot be marked, a sentence that says what to do; empty when it can."""
    return "" if invoice.payable else NOT_MARKABLE.get(invoice.status, "")


def other_total(invoice: Invoice, amount: int | None) -> str:
    """Why an invoice of which somebody says that so much was paid is not marked; empty when it is."""
    if amount is None or amount == invoice.total:
        return ""
    asks, says = (format_money(one, invoice.currency) for one in (invoice.total, amount))
    return f"The invoice is of {asks} by now, and not of {says}. Nothing was marked: look at it again."


def why_not(invoice: Invoice, mark: Mark) -> str:
    """Why this mark is not taken, a sentence that says what to do; empty when it is."""
    if mark.number and invoice.number and mark.number != invoice.number:
        told = f"The invoice has the number {invoice.number}, the file says {mark.number[:60]}."
        return f"{told} Export the invoices again, and fill in that file."
    if invoice.status is Status.PAID:
        return PAID_THERE
    return not_markable(invoice) or _other_amount(invoice, mark)


def _other_amount(invoice: Invoice, mark: Mark) -> str:
    if mark.currency and mark.currency != invoice.currency:
        return f"The invoice is in {invoice.currency}, the file says {mark.currency[:10]}. Correct the line."
    if mark.amount is None or mark.amount == invoice.total:
        return ""
    asks, says = (format_money(amount, invoice.currency) for amount in (invoice.total, mark.amount))
    return (
        f"The invoice is of {asks}, the file says {says}. A part cannot be marked: correct the line, or leave it out."
    )


def overtaken(invoice: Invoice, total: int) -> str:
    """Why a mark that was queued over so much is not carried out any more; empty when it is."""
    if invoice.status is Status.PAID:
        return PAID_THERE
    if invoice.total != total:
        was, now = (format_money(amount, invoice.currency) for amount in (total, invoice.total))
        return _MOVED.format(was=was, now=now)
    return not_markable(invoice)
