"""What crosses the border between the service and an adapter: our verbs, frozen values, what an adapter is lent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from services.common.secret import Secret

Credentials = Mapping[str, Secret]
"""A connection's credential fields by name, opened."""

WEBHOOK_SECRET = "webhook_secret"  # noqa: S105  # the name of a field, not a secret
"""The field under which the signing secret of our webhook endpoint is sealed beside the operator's keys."""
EARLIER_WEBHOOK_SECRETS = WEBHOOK_SECRET + "_before"
"""Those of the endpoints before it, as overlap.py has them."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of a key."""

    name: str
    """The exact name to tick at the provider."""
    granted: bool
    required: bool
    purpose: str
    """A finished sentence: what does not work without it."""


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """What the provider says about the account that keys belong to."""

    account_id: str
    livemode: bool
    country: str = ""
    default_currency: str = ""
    """ISO 4217, upper case."""
    key_hint: str = ""
    permissions: Sequence[Permission] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """An open connection: for whom and with what a call is made."""

    workspace_id: str
    integration_id: str
    account_id: str
    livemode: bool
    credentials: Credentials = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndpointWish:
    """The webhook endpoint that a connection wants on the operator's account."""

    integration_id: str
    workspace_id: str
    url: str
    ours_begin_with: str
    """Addresses that only this installation gives out: a stray of ours may be removed there."""
    known_id: str = ""
    """The endpoint that the connection has had so far, or empty."""
    secret_known: bool = False
    """Whether that one's secret is sealed here: without it the endpoint is of no use."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint that stands."""

    id: str
    secret: Secret | None = field(repr=False)
    """None when the known endpoint was kept: its secret is the sealed one."""


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What the provider says about our endpoint."""

    exists: bool
    enabled: bool = False
    url: str = ""
    api_version: str = ""
    missing_events: Sequence[str] = ()
    problem: str = ""
    """A finished sentence when it does not do what it is for."""


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of a live call. An unhealthy connection is an answer, not an error."""

    healthy: bool
    sentence: str
    seconds: float
    rejected: bool = False
    """The provider does not take the keys any more."""
    permissions: Sequence[Permission] = ()
    endpoint: EndpointState | None = None
    behind: bool = False
    """News has been waiting for its delivery."""

    @property
    def permission_missing(self) -> bool:
        return any(one.required and not one.granted for one in self.permissions)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider sets that a plan must know. Amounts in minor units."""

    minimum_totals: Mapping[str, int]
    maximum_total: int
    maximum_lines: int
    maximum_totals: Mapping[str, int] = field(default_factory=dict)
    longest_memo: int = field(kw_only=True)
    """Characters."""
    longest_footer: int = field(kw_only=True)
    cannot_email: bool = field(default=False, kw_only=True)
    """It mails nothing: links go out as a message or by hand."""


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
    lines: Sequence[ProviderLine] = ()
    """Only where the provider included all of them."""
    payment_instructions: str = ""
    """How to pay, for a provider without a page of its own."""


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


class BadSignature(Exception):
    """The signature is missing, wrong or too old."""


class MalformedEvent(Exception):
    """Signed by the provider, but no event that can be read."""


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """Our record of a buyer at a provider, written before the provider is asked."""

    id: str
    parameters: Mapping[str, object]
    """What the provider was, or is about to be, told: the same at every retry."""
    customer_id: str
    """Empty until it is known."""
    create_time: datetime


class CustomerBook(Protocol):
    """Which customer of the provider a buyer is."""

    async def reserve(self, link: Link, buyer: Buyer, parameters: Mapping[str, object]) -> CustomerRecord:
        """The buyer's record; made with these parameters when there was none. Racing callers get the same one."""

    async def find(self, link: Link, buyer: Buyer) -> CustomerRecord | None:
        """The buyer's record; None when there is none."""

    async def settle(self, record: CustomerRecord, customer_id: str, parameters: Mapping[str, object]) -> None:
        """Notes the provider's id and what the provider was told last."""

    async def forget(self, record: CustomerRecord) -> None:
        """Drops a record whose customer no longer exists at the provider."""


class Pace(Protocol):
    """When a provider account may be called next, over all replicas."""

    async def wait(self, link: Link, operation: str, patience: float) -> None:
        """Returns when it is this call's turn. Raises AdapterError RATE_LIMITED beyond `patience` seconds."""

    async def wait_idle(self, link: Link, operation: str, yielding: float, patience: float) -> None:
        """The same for a call that nobody waits for: it lets all others pass for `yielding` seconds, then waits for its
        turn like any."""

    async def hold(self, link: Link, operation: str | None, seconds: float) -> None:
        """The provider said too fast: for one operation, or with None for the whole account."""


class InvoiceStore(Protocol):
    """The invoices of a provider that keeps none itself."""

    async def add(self, link: Link, invoice: ProviderInvoice) -> ProviderInvoice:
        """Stores it; one that is there under this external id is answered as it is."""

    async def move(
        self, link: Link, external_id: str, sources: Sequence[InvoiceState], target: InvoiceState, number: str = ""
    ) -> ProviderInvoice | None:
        """Changes the state; None when it is in none of `sources`. A number is given with it, where there is one."""

    async def rewrite(
        self, link: Link, external_id: str, total: int, lines: Sequence[ProviderLine]
    ) -> ProviderInvoice | None:
        """Gives a draft other lines; None when it is no draft."""

    async def find(self, link: Link, external_id: str) -> ProviderInvoice | None:
        """None when it was never added."""

    async def list(
        self, link: Link, created_from: datetime | None, created_to: datetime | None, size: int, after: str
    ) -> Sequence[ProviderInvoice]:
        """Newest first, from the one after `after` on."""


class IntegrationAdapter(Protocol):
    """The code that speaks to one provider. Every method that calls out raises AdapterError and nothing else."""

    provider: str
    has_webhooks: bool
    """Whether somebody tells us of payments. Where nobody does, payments are noted here and known at once."""

    def read_credentials(self, fields: Mapping[str, str]) -> Credentials:
        """Checks the shape of what the operator entered. Raises AdapterError CREDENTIALS_MALFORMED with faults."""

    def limits(self) -> Limits:
        """What the provider sets that a plan must know."""

    async def probe(self, credentials: Credentials) -> ConnectedAccount:
        """Asks the provider whose keys these are and what they may do. Changes nothing there."""

    async def ensure_endpoint(self, link: Link, wish: EndpointWish) -> Endpoint:
        """Keeps the known endpoint if it stands, else makes one."""

    async def remove_strays(self, link: Link, wish: EndpointWish, kept_id: str) -> None:
        """Deletes what else of ours stands there: nobody knows its secret. Raises nothing: strays harm nothing."""

    async def remove_endpoint(self, link: Link, endpoint_id: str) -> None:
        """Deletes our endpoint. One that is gone already is no error."""

    async def check(self, link: Link, endpoint_id: str, url: str, heard: datetime | None) -> Health:
        """One live call, the permissions, and the state of our endpoint that delivers to `url` and was last heard of
        at `heard`. Raises nothing."""

    async def create_invoice(self, link: Link, order: InvoiceOrder) -> ProviderInvoice:
        """Brings an order to exactly one invoice, however often and after whatever cut it is called."""

    async def find_invoice(self, link: Link, buyer: Buyer, invoice_id: str, revision: int) -> ProviderInvoice | None:
        """What stands of an order of which no answer came, by our mark; None when it is proved that nothing does."""

    # The verbs on an invoice that stands answer it as it is afterwards. One that is settled or gone is answered, not
    # refused: whoever lost an answer, or was overtaken by a payment, learns it by asking again.

    async def update_draft(self, link: Link, ref: InvoiceRef, content: DraftContent) -> ProviderInvoice:
        """Brings a draft to exactly this content, and finalizes it unless it is to be kept one.

        Raises AdapterError TOTAL_MISMATCH, and leaves the draft one, when its total does not become ours.
        """

    async def finalize_invoice(self, link: Link, ref: InvoiceRef, total: int, currency: str) -> ProviderInvoice:
        """Finalizes a draft of this total; raises AdapterError TOTAL_MISMATCH for one of another."""

    async def send_invoice(self, link: Link, ref: InvoiceRef, delivery_id: str) -> ProviderInvoice:
        """Lets the provider e-mail the invoice, once for each delivery id."""

    async def mark_paid(self, link: Link, ref: InvoiceRef) -> ProviderInvoice:
        """Notes that an open invoice was paid elsewhere. A draft is refused."""

    async def void_invoice(self, link: Link, ref: InvoiceRef) -> ProviderInvoice:
        """Voids an open invoice, deletes a draft."""

    async def get_invoice(self, link: Link, external_id: str, *, background: bool = False) -> ProviderInvoice:
        """Reads one invoice. One that is gone is answered as DELETED. In the background other calls go first."""

    async def list_invoices(
        self, link: Link, created_from: datetime | None, created_to: datetime | None, size: int, after: str
    ) -> InvoicePage:
        """Reads a page of the invoices that carry this workspace's mark and were made then, newest first."""

    async def list_changed(self, link: Link, since: datetime | None, size: int, after: str) -> EventPage:
        """Reads a page of what happened to the account's invoices, newest first, in the background: the events that
        webhooks tell, under the same ids. What cannot be read is left out, so that a webhook of it still counts."""

    def read_event(self, binding: Binding, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Verifies and translates one webhook. Raises BadSignature or MalformedEvent."""

    async def close(self) -> None:
        """Ends its connections."""
