"""An invoice and the one table of its legal moves. Statuses move by rank, not by clock.

What is said of an invoice is a sighting: a provider's event, the answer to a call, or a later reading. Each sighting
has a standing; the invoice takes it when it ranks higher than what is known, so that duplicates, late and reordered
news end in the same state. Nothing ranks above paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Final

from services.common.money import format_money


class Status(StrEnum):
    """As the database and the contracts name it."""

    PENDING = "pending"
    DRAFT = "draft"
    SENT = "sent"
    PAID = "paid"
    ERROR = "error"
    PAYMENT_FAILED = "payment_failed"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class DraftReason(StrEnum):
    """Why a draft is held back and not payable."""

    NEEDS_PRICE = "needs_price"
    BELOW_MINIMUM = "below_minimum"
    NOT_FINALIZED = "not_finalized"


class Standing(IntEnum):
    """Where an invoice stands, in order of rank: a higher one replaces a lower one, never the other way."""

    PENDING = 0
    ERROR = 1
    HELD_BACK = 2
    PAYABLE = 3
    SENT = 4
    PAYMENT_FAILED = 5
    UNCOLLECTIBLE = 6
    VOID = 7
    PAID = 8


STATUS: Final[Mapping[Standing, Status]] = {
    Standing.PENDING: Status.PENDING,
    Standing.ERROR: Status.ERROR,
    Standing.HELD_BACK: Status.DRAFT,
    Standing.PAYABLE: Status.DRAFT,
    Standing.SENT: Status.SENT,
    Standing.PAYMENT_FAILED: Status.PAYMENT_FAILED,
    Standing.UNCOLLECTIBLE: Status.UNCOLLECTIBLE,
    Standing.VOID: Status.VOID,
    Standing.PAID: Status.PAID,
}

_MADE: Final = frozenset(
    {Status.DRAFT, Status.SENT, Status.PAYMENT_FAILED, Status.UNCOLLECTIBLE, Status.VOID, Status.PAID}
)

MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    Status.PENDING: _MADE | {Status.ERROR},
    Status.ERROR: _MADE | {Status.PENDING},  # back to pending: the operator's retry, the one move down
    Status.DRAFT: _MADE - {Status.DRAFT},
    Status.SENT: _MADE - {Status.DRAFT, Status.SENT},
    Status.PAYMENT_FAILED: frozenset({Status.UNCOLLECTIBLE, Status.VOID, Status.PAID}),
    Status.UNCOLLECTIBLE: frozenset({Status.VOID, Status.PAID}),
    Status.VOID: frozenset({Status.PAID}),  # money that came in is never hidden
    Status.PAID: frozenset(),
}
"""Every legal move from one status to another. Setting the same status again is no move."""

UNSETTLED: Final = frozenset(Status) - {Status.PAID, Status.VOID, Status.UNCOLLECTIBLE}
"""Of these a buyer of a show has at most one."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """What one buyer owes for one show, and its counterpart at the provider. Without its lines."""

    id: str
    workspace_id: str
    show_id: str
    buyer_id: str
    generation_id: str
    platform: str
    platform_user_id: str
    handle: str
    display_name: str
    email: str
    pay_token: str
    status: Status
    draft_reason: DraftReason | None
    status_reason: str
    total: int
    """Minor units."""
    currency: str
    line_count: int
    unpriced_count: int
    revision: int
    attempt: int
    version: int
    provider: str
    external_account: str
    livemode: bool
    external_id: str
    external_url: str
    external_url_at: datetime | None
    provider_url: str
    number: str
    adjusted_at_provider: bool
    paid_at: datetime | None
    sent_at: datetime | None
    send_count: int
    created_at: datetime
    updated_at: datetime
    told_email: str = ""
    """Where the provider would mail it: the address that it was made with, or the one that the provider names once it
    is final. Empty where it mails nothing."""
    paid_outside: str = ""
    """How it was paid outside the provider, where it was marked so."""
    opened_count: int = 0
    """How often the pay link was opened; only where it was asked for."""
    first_opened_at: datetime | None = None
    priced_since: bool = False
    """Held back for want of prices, and by now all have one; only where it was asked for."""
    provider_request: str = ""
    """What the provider called the request that failed; only where it was asked for."""
    being_made: bool = False
    """A worker has it in hand; only where it was asked for."""

    @property
    def standing(self) -> Standing:
        if self.status is Status.DRAFT:
            return Standing.HELD_BACK if self.draft_reason else Standing.PAYABLE
        return Standing[self.status.name]

    @property
    def payable(self) -> bool:
        """Whether the buyer can pay it now."""
        return Standing.PAYABLE <= self.standing <= Standing.PAYMENT_FAILED

    @property
    def pay_path(self) -> str:
        """A path on the gateway; empty when the buyer has no link in force."""
        return f"/p/{self.pay_token}" if self.pay_token else ""


_SLOTS: Final = [(field.name, getattr(Invoice, field.name)) for field in fields(Invoice)]


def _with(invoice: Invoice, **changes: Any) -> Invoice:
    """What `dataclasses.replace` does, in less time: each payment takes an invoice through several steps."""
    made = object.__new__(Invoice)
    for name, slot in _SLOTS:
        slot.__set__(made, changes.pop(name) if name in changes else slot.__get__(invoice))
    if changes:
        raise TypeError(f"An invoice has no {', '.join(changes)}.")
    return made


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
_HELD_BACK: Final = {
    DraftReason.NEEDS_PRICE: "An item has no price. Set the price, then finalize the invoice.",
    DraftReason.BELOW_MINIMUM: "The total is below what the provider can charge. It stays a draft.",
    DraftReason.NOT_FINALIZED: "Nothing holds it back any more. Finalize it, and it can be paid.",
}


def held_back_because(reason: DraftReason) -> str:
    """What the operator should know of a draft that is held back."""
    return _HELD_BACK[reason]


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
    return _with(changed, version=invoice.version + 1, updated_at=now), reason


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
    followed = _with(_let_go(invoice), external_id=sighting.replaced_by, version=invoice.version + 1, updated_at=now)
    return followed, _REPLACED


def _let_go(invoice: Invoice) -> Invoice:
    """Without what only held for the counterpart that was replaced."""
    return _with(invoice, external_id="", external_url="", external_url_at=None, provider_url="", number="")


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
    return _with(
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
    return _with(invoice, told_email=told)


def _take_money(invoice: Invoice, sighting: Sighting) -> tuple[Invoice, str]:
    """Once it is finalized the provider's total is what the buyer owes; another one than ours was edited there."""
    if sighting.total is None or sighting.total == invoice.total or sighting.currency != invoice.currency:
        return invoice, ""
    if sighting.standing < invoice.standing and invoice.status not in UNSETTLED:
        return invoice, ""  # late news of what is settled
    was, became = (format_money(amount, invoice.currency) for amount in (invoice.total, sighting.total))
    adjusted = _with(
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
    return _with(
        invoice,
        status=STATUS[sighting.standing],
        draft_reason=invoice.draft_reason if sighting.standing is Standing.HELD_BACK else None,
        status_reason=status_reason,
        paid_at=(sighting.paid_at or now) if sighting.standing is Standing.PAID else invoice.paid_at,
        sent_at=invoice.sent_at or (now if sighting.standing is Standing.SENT else None),
    )


def fail(invoice: Invoice, sentence: str, now: datetime) -> Invoice | None:
    """The invoice after making it failed for good; None when it is past that."""
    if invoice.standing >= Standing.ERROR:
        return None
    return _with(invoice, status=Status.ERROR, status_reason=sentence, version=invoice.version + 1, updated_at=now)


def mark_sent(invoice: Invoice, now: datetime) -> Invoice:
    """The invoice after its link went out once more."""
    return _with(
        invoice,
        status=Status.SENT if invoice.standing is Standing.PAYABLE else invoice.status,
        sent_at=now,
        send_count=invoice.send_count + 1,
        version=invoice.version + 1,
        updated_at=now,
    )


def renew_address(invoice: Invoice, external_url: str, now: datetime) -> Invoice:
    """The invoice with a fresh address of the provider's page."""
    return _with(invoice, external_url=external_url, external_url_at=now, version=invoice.version + 1, updated_at=now)


def provider_lines(sighting: Sighting) -> list[dict[str, Any]]:
    """The lines of an adjusted invoice in the form of our snapshots."""
    return [
        {"item_number": "", "title": line.description, "quantity": 1, "unit_price": line.amount, "amount": line.amount}
        for line in sighting.lines
    ]
