"""What an adapter and the service tell each other about invoices and what happens to them: frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from services.common.secret import Secret


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who owes. Platform and platform user id are the key, the rest are labels."""

    platform: str
    platform_user_id: str
    handle: str = ""
    display_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that we want on an invoice. Amounts in minor units."""

    item_number: str
    title: str
    quantity: int
    unit_price: int | None
    amount: int


@dataclass(frozen=True, slots=True)
class InvoiceOrder:
    """An invoice to be made. The same order always makes the same requests."""

    invoice_id: str
    revision: int
    attempt: int
    first_attempt_time: datetime | None
    buyer: Buyer
    currency: str
    lines: Sequence[Line]
    total: int
    keep_draft: bool
    memo: str
    days_until_due: int
    footer: str = ""
    payment_instructions: str = ""
    """How to pay, for a provider without a page of its own."""


@dataclass(frozen=True, slots=True)
class DraftContent:
    """What a draft is to hold from now on. Amounts in minor units."""

    lines: Sequence[Line]
    total: int
    currency: str
    keep_draft: bool
    buyer: Buyer | None = None
    """To whose address it goes once it is finalized; None leaves the address as it is."""


@dataclass(frozen=True, slots=True)
class InvoiceRef:
    """An invoice that stands at the provider."""

    external_id: str
    invoice_id: str = ""
    revision: int = 0


class InvoiceState(Enum):
    """The state of an invoice at the provider."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ProviderLine:
    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class ProviderInvoice:
    """An invoice as it stands at the provider. Amounts in minor units."""

    external_id: str
    state: InvoiceState
    account_id: str
    livemode: bool
    total: int = 0
    amount_paid: int = 0
    currency: str = ""
    external_url: str = ""
    provider_url: str = ""
    number: str = ""
    paid_time: datetime | None = None
    finalize_time: datetime | None = None
    create_time: datetime | None = None
    invoice_id: str = ""
    revision: int = 0
    replaced_by: str = ""
    """The invoice that replaces this one; empty while it counts itself."""
    replaces: str = ""
    """The invoice that this one replaces, or will once it is finalized."""
    emailed_by_provider: bool = False
    mailed_to: str | None = None
    """Where the provider mails it once it is finalized; empty where it mails nothing, None where it does not say."""
    lines: Sequence[ProviderLine] = ()
    """Only where the provider included all of them."""
    payment_instructions: str = ""
    """How to pay, for a provider without a page of its own."""
    paid_before: bool = False
    """Of one that was to be marked as paid: it was paid before anything was done about it."""
    paid_outside: bool | None = None
    """Of one that was paid before: whether outside the provider; None where it does not say."""
    other_lines: bool = False
    """Of a draft that was to be edited: it was final before, with other lines."""


class EventType(Enum):
    """What happened to an invoice at the provider."""

    OTHER = "other"
    FINALIZED = "finalized"
    SENT = "sent"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    VOIDED = "voided"
    MARKED_UNCOLLECTIBLE = "marked_uncollectible"
    FINALIZATION_FAILED = "finalization_failed"
    DELETED = "deleted"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A verified event, bound to the account and mode whose secret verified it."""

    event_id: str
    account_id: str
    livemode: bool
    type: EventType
    provider_type: str
    occur_time: datetime | None
    invoice: ProviderInvoice | None


@dataclass(frozen=True, slots=True)
class Binding:
    """What a webhook secret vouches for: events of this account and mode, and no other."""

    account_id: str
    livemode: bool
    secrets: Sequence[Secret] = field(repr=False)


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """A page of the invoices that we made for a workspace."""

    invoices: Sequence[ProviderInvoice]
    next_after: str
    """The provider's id to go on after; empty on the last page."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of what happened to invoices, newest first."""

    events: Sequence[ProviderEvent]
    next_after: str
    """The provider's id to go on after; empty on the last page."""
    unreadable: Sequence[str] = ()
    """The provider's ids of invoices of which something is told that cannot be read."""


class BadSignature(Exception):
    """The signature is missing, wrong or too old."""


class MalformedEvent(Exception):
    """Signed by the provider, but no event that can be read."""
