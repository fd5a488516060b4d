"""What is said of an invoice: a provider's event, the answer to a call, or a later reading. Each is a sighting.

Statuses move by rank, not by clock. Each sighting has a standing; the invoice takes it when it ranks higher than what
is known, so that duplicates, late and reordered news end in the same state. Nothing ranks above paid.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.common.money import format_money
from services.invoicing.domain.invoice import STATUS, UNSETTLED, Invoice, Standing, altered, held_back_because


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """One line as it stands at the provider."""

    description: str
    amount: int
    """Minor units."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a provider said of an invoice."""

    standing: Standing
    external_id: str = ""
    total: int | None = None
    """Minor units, before any credit balance; None where it was not said or is not final yet."""
    currency: str = ""
    external_url: str = ""
    provider_url: str = ""
    number: str = ""
    paid_at: datetime | None = None
    lines: tuple[ProviderLine, ...] = ()
    """All lines as the provider has them; empty where it did not tell them all."""
    deleted: bool = False
    replaced_by: str = ""
    """The provider's id of the invoice that replaces this one there; empty when it stands by itself."""
    replaces: str = ""
    """The provider's id of the invoice that this one replaces."""
    payment_instructions: str = ""
    """How to pay, where the provider has no page for it."""
    mailed_to: str | None = None
    """Where the provider mails it once it is finalized; empty where it mails nothing, None where it was not said."""
    paid_before: bool = False
    """Answered to a mark: it was paid before the provider did anything about it."""
    paid_outside: bool | None = None
    """Of one that was paid before: whether outside the provider; None where it was not said."""
    other_lines: bool = False
    """Answered to an edit of a draft: it was final before, with other lines."""


_REASONS: Final = {
    Standing.HELD_BACK: "Made at the provider as a draft that cannot be paid yet.",
    Standing.PAYABLE: "Made at the provider; it can be paid.",
    Standing.SENT: "The provider sent it to the buyer.",
    Standing.PAYMENT_FAILED: "The buyer's payment failed. It can still be paid.",
    Standing.UNCOLLECTIBLE: "It was written off at the provider.",
    Standing.VOID: "It was voided at the provider.",
    Standing.PAID: "It was paid.",
}
_REPLACED: Final = "It was replaced at the provider by an edited invoice, which is followed from now on."
_DELETED: Final = "Its draft was deleted at the provider. The buyer can be invoiced again."
_MAILED_ELSEWHERE: Final = " The provider would mail it to another e-mail address than it was made with."


def observe(invoice: Invoice, sighting: Sighting, now: datetime) -> tuple[Invoice, str] | None:
    """The invoice after a sighting, and why it changed; None when it says nothing new."""
    if _of_another(invoice, sighting):
        return None
    if sighting.replaced_by:
        return _point_at(invoice, sighting, now)
    replacing = len(sighting.replaces) > 0 and sighting.replaces == invoice.external_id
    changed = _learn_address(_learn(_let_go(invoice) if replacing else invoice, sighting, now), sighting)
    reason = ""
    if sighting.standing >= Standing.PAYABLE and not sighting.deleted:
        changed, reason = _take_money(changed, sighting)
    unexpected = sighting.standing is Standing.HELD_BACK and invoice.draft_reason is None
    if sighting.standing > invoice.standing and not unexpected:
        changed = _move(changed, sighting, reason, now)
        reason = reason or (_DELETED if sighting.deleted else _REASONS[sighting.standing])
    if changed == invoice:
        return None
    if replacing:
        reason = f"{_REPLACED} {reason}".rstrip()
    reason = (reason + mailed_elsewhere(invoice, changed)).lstrip() or "More became known from the provider."
    return altered(changed, version=invoice.version + 1, updated_at=now), reason


def _of_another(invoice: Invoice, sighting: Sighting) -> bool:
    """Whether it is said of another invoice at the provider than the one that counts."""
    if sighting.deleted and sighting.external_id != invoice.external_id:
        return True  # what an earlier try left, or an edit that was given up
    if not invoice.external_id or sighting.external_id == invoice.external_id or invoice.standing <= Standing.ERROR:
        return False
    # Only what was finalized replaces another; and nothing but a payment calls back an invoice that is void.
    least = Standing.PAID if invoice.standing >= Standing.VOID else Standing.PAYABLE
    return sighting.replaces != invoice.external_id or sighting.standing < least


def _point_at(invoice: Invoice, sighting: Sighting, now: datetime) -> tuple[Invoice, str] | None:
    """The replacement counts from now on. How it stands is not known yet: what is told of the old one says nothing."""
    if sighting.external_id != invoice.external_id or not Standing.HELD_BACK <= invoice.standing < Standing.VOID:
        return None
    followed = altered(_let_go(invoice), external_id=sighting.replaced_by, version=invoice.version + 1, updated_at=now)
    return followed, _REPLACED


def _let_go(invoice: Invoice) -> Invoice:
    """Without what only held for the counterpart that was replaced."""
    return altered(invoice, external_id="", external_url="", external_url_at=None, provider_url="", number="")


def mailed_elsewhere(before: Invoice, after: Invoice) -> str:
    """What a step's sentence says beside, where another address became known than the buyer's of now; else empty."""
    known = after.told_email.lower() in (before.told_email.lower(), after.email.lower())
    return "" if known else _MAILED_ELSEWHERE


def was_replaced(before: Invoice, after: Invoice) -> bool:
    """Whether another invoice at the provider counts since this step."""
    return bool(before.external_id) and after.external_id != before.external_id


def _learn(invoice: Invoice, sighting: Sighting, now: datetime) -> Invoice:
    """Fills in what was not known yet."""
    new_url = sighting.external_url if not invoice.external_url else ""
    known = (invoice.external_id, invoice.provider_url, invoice.number)
    told = (sighting.external_id, sighting.provider_url, sighting.number)
    if not new_url and all(mine or not theirs for mine, theirs in zip(known, told, strict=True)):
        return invoice
    return altered(
        invoice,
        external_id=invoice.external_id or sighting.external_id,
        external_url=invoice.external_url or new_url,
        external_url_at=now if new_url else invoice.external_url_at,
        provider_url=invoice.provider_url or sighting.provider_url,
        number=invoice.number or sighting.number,
    )


def _learn_address(invoice: Invoice, sighting: Sighting) -> Invoice:
    """Until it is finalized the address follows the provider's customer, to whom another show may have given one."""
    told, final = sighting.mailed_to, sighting.standing >= Standing.PAYABLE and not sighting.deleted
    if told is None or not final or invoice.status not in UNSETTLED or told.lower() == invoice.told_email.lower():
        return invoice
    return altered(invoice, told_email=told)


def _take_money(invoice: Invoice, sighting: Sighting) -> tuple[Invoice, str]:
    """Once it is finalized the provider's total is what the buyer owes; another one than ours was edited there."""
    if sighting.total is None or sighting.total == invoice.total or sighting.currency != invoice.currency:
        return invoice, ""
    if sighting.standing < invoice.standing and invoice.status not in UNSETTLED:
        return invoice, ""  # late news of what is settled
    was, became = (format_money(amount, invoice.currency) for amount in (invoice.total, sighting.total))
    adjusted = altered(
        invoice,
        total=sighting.total,
        line_count=len(sighting.lines) or invoice.line_count,
        unpriced_count=0,
        adjusted_at_provider=True,
    )
    return adjusted, f"The total was changed at the provider from {was} to {became}."


def _move(invoice: Invoice, sighting: Sighting, adjustment: str, now: datetime) -> Invoice:
    status_reason = adjustment
    if sighting.deleted:
        status_reason = _DELETED
    elif sighting.standing is Standing.HELD_BACK and invoice.draft_reason:
        status_reason = held_back_because(invoice.draft_reason)
    elif sighting.standing in (Standing.PAYMENT_FAILED, Standing.UNCOLLECTIBLE, Standing.VOID):
        status_reason = _REASONS[sighting.standing]
    return altered(
        invoice,
        status=STATUS[sighting.standing],
        draft_reason=invoice.draft_reason if sighting.standing is Standing.HELD_BACK else None,
        status_reason=status_reason,
        paid_at=(sighting.paid_at or now) if sighting.standing is Standing.PAID else invoice.paid_at,
        sent_at=invoice.sent_at or (now if sighting.standing is Standing.SENT else None),
    )


def provider_lines(sighting: Sighting) -> list[dict[str, Any]]:
    """The lines of an adjusted invoice in the form of our snapshots."""
    return [
        {"item_number": "", "title": line.description, "quantity": 1, "unit_price": line.amount, "amount": line.amount}
        for line in sighting.lines
    ]
