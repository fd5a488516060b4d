"""An invoice, and the one table of its legal moves from one status to another."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Final


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


def altered(invoice: Invoice, **changes: Any) -> Invoice:
    """What `dataclasses.replace` does, in less time: each payment takes an invoice through several steps."""
    made = object.__new__(Invoice)
    for name, slot in _SLOTS:
        slot.__set__(made, changes.pop(name) if name in changes else slot.__get__(invoice))
    if changes:
        raise TypeError(f"An invoice has no {', '.join(changes)}.")
    return made


_HELD_BACK: Final = {
    DraftReason.NEEDS_PRICE: "An item has no price. Set the price, then finalize the invoice.",
    DraftReason.BELOW_MINIMUM: "The total is below what the provider can charge. It stays a draft.",
    DraftReason.NOT_FINALIZED: "Nothing holds it back any more. Finalize it, and it can be paid.",
}


def held_back_because(reason: DraftReason) -> str:
    """What the operator should know of a draft that is held back."""
    return _HELD_BACK[reason]


def fail(invoice: Invoice, sentence: str, now: datetime) -> Invoice | None:
    """The invoice after making it failed for good; None when it is past that."""
    if invoice.standing >= Standing.ERROR:
        return None
    return altered(invoice, status=Status.ERROR, status_reason=sentence, version=invoice.version + 1, updated_at=now)


def mark_sent(invoice: Invoice, now: datetime) -> Invoice:
    """The invoice after its link went out once more."""
    return altered(
        invoice,
        status=Status.SENT if invoice.standing is Standing.PAYABLE else invoice.status,
        sent_at=now,
        send_count=invoice.send_count + 1,
        version=invoice.version + 1,
        updated_at=now,
    )


def renew_address(invoice: Invoice, external_url: str, now: datetime) -> Invoice:
    """The invoice with a fresh address of the provider's page."""
    return altered(invoice, external_url=external_url, external_url_at=now, version=invoice.version + 1, updated_at=now)
