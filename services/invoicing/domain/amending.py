"""What the operator does to an invoice by hand, beside what is seen of it at the provider."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.common.money import format_money
from services.invoicing.domain.invoice import DraftReason, Invoice, Status, held_back_because
from services.invoicing.domain.rollup import Owed

UNMADE: Final = frozenset({Status.PENDING, Status.ERROR})
"""No answer ever said that it exists at the provider; something may stand there all the same."""

NOT_VOIDABLE: Final[Mapping[Status, str]] = {
    Status.PAID: "The invoice is paid, so it cannot be voided. Refund the payment where it was made.",
}
NOT_MARKABLE: Final[Mapping[Status, str]] = {
    Status.PENDING: "The invoice is still being made. Mark it as paid once it is there.",
    Status.ERROR: "The invoice could not be made. Retry it first, then mark it as paid.",
    Status.DRAFT: "The invoice is held back and cannot be paid yet. Finalize it first, then mark it as paid.",
    Status.VOID: "The invoice is void, so nothing was marked as paid. Generate a new one for the buyer first.",
}
_PAYABLE: Final = "The invoice can be paid already, so it is no draft any more. Void it, and generate a new one."
NO_DRAFT: Final[Mapping[Status, str]] = {
    Status.PENDING: "The invoice is still being made. Try again in a moment.",
    Status.ERROR: "The invoice could not be made. Retry it: it then bills the claims and prices of now.",
    Status.VOID: "The invoice is void. Generate a new one for the buyer.",
    Status.PAID: "The invoice is paid, so it cannot be changed any more.",
    Status.UNCOLLECTIBLE: "The invoice was written off, so it cannot be changed any more.",
    Status.DRAFT: _PAYABLE,
    Status.SENT: _PAYABLE,
    Status.PAYMENT_FAILED: _PAYABLE,
}


def withdraw(invoice: Invoice, sentence: str, now: datetime) -> Invoice:
    """The invoice after it was proved that nothing of it stands at the provider."""
    return replace(
        invoice,
        status=Status.VOID,
        draft_reason=None,
        status_reason=sentence,
        version=invoice.version + 1,
        updated_at=now,
    )


def put_off(invoice: Invoice, sentence: str, now: datetime) -> Invoice:
    """A failed invoice whose retry is given up before it began: failed, as it was."""
    return replace(invoice, status=Status.ERROR, status_reason=sentence, version=invoice.version + 1, updated_at=now)


def bill_anew(invoice: Invoice, owed: Owed, reason: DraftReason | None, now: datetime) -> tuple[Invoice, str]:
    """A draft that bills what is owed now, and a sentence about it. `reason` still holds it back."""
    because = reason or DraftReason.NOT_FINALIZED
    after = replace(
        invoice,
        total=owed.total,
        line_count=owed.line_count,
        unpriced_count=owed.unpriced_count,
        draft_reason=because,
        status_reason=held_back_because(because),
        version=invoice.version + 1,
        updated_at=now,
    )
    if after.total == invoice.total:
        return after, "It was brought to the claims and prices of now."
    was, became = (format_money(one.total, one.currency) for one in (invoice, after))
    return after, f"It was brought to the claims and prices of now: the total was {was}, now it is {became}."
