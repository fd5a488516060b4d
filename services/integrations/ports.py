"""The border between the service and an adapter: its verbs, ours and no provider's, and what an adapter is lent.

The values that cross it are in connection_values.py and invoice_values.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.integrations.connection_values import (
    ConnectedAccount,
    Credentials,
    Endpoint,
    EndpointWish,
    Health,
    Limits,
    Link,
)
from services.integrations.invoice_values import (
    Binding,
    Buyer,
    DraftContent,
    EventPage,
    InvoiceOrder,
    InvoicePage,
    InvoiceRef,
    InvoiceState,
    ProviderEvent,
    ProviderInvoice,
    ProviderLine,
)


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

    async def ever(self, link: Link, buyer: Buyer) -> Sequence[str]:
        """The provider's ids of every customer that the buyer is or was, the present one first."""

    async def settle(self, record: CustomerRecord, customer_id: str, parameters: Mapping[str, object]) -> bool:
        """Notes the provider's id and what the provider was told last. False when the record was dropped meanwhile, or
        another customer is the buyer's: then no invoice may be made for this one."""

    async def forget(self, record: CustomerRecord) -> None:
        """Drops a record whose customer no longer exists at the provider, or was refused there. One that got another
        since stays. What was made for it may stand there still: its id is kept."""


class Pace(Protocol):
    """When a provider account may be called next, over all replicas."""

    async def wait(self, link: Link, operation: str, patience: float) -> None:
        """Returns when it is this call's turn. Raises AdapterError RATE_LIMITED beyond `patience` seconds."""

    async def wait_idle(self, link: Link, operation: str, yielding: float, patience: float) -> None:
        """The same for a call that nobody waits for: it lets all others pass for `yielding` seconds, then waits for its
        turn like any."""

    async def hold(self, link: Link, operation: str | None, seconds: float) -> None:
        """The provider said too fast: for one operation, or with None for the whole account."""


class NumberTaken(Exception):
    """Another invoice of the account bears this number."""


class InvoiceStore(Protocol):
    """The invoices of a provider that keeps none itself. No two of an account bear one number."""

    async def add(self, link: Link, invoice: ProviderInvoice) -> ProviderInvoice:
        """Stores it; one that is there under this external id is answered as it is. Raises NumberTaken."""

    async def renew(self, link: Link, draft: ProviderInvoice) -> ProviderInvoice | None:
        """Makes one that is void or deleted a draft again, of this content; None when it is neither. A number that it
        had stays its own."""

    async def move(
        self, link: Link, external_id: str, sources: Sequence[InvoiceState], target: InvoiceState, number: str = ""
    ) -> ProviderInvoice | None:
        """Changes the state; None when it is in none of `sources`. A number is given with it, where there is one.
        Raises NumberTaken."""

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

    def invoices_url(self, account_id: str, *, livemode: bool) -> str:
        """Where the operator sees all invoices of an account; empty where the provider has no such page."""

    def keys_url(self) -> str:
        """Where the operator finds and makes the keys; empty where the provider has no such page."""

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
        """Brings an order to exactly one invoice, however often and after whatever cut it is called. What was voided or
        deleted before the present attempt is none."""

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

    async def mark_paid(self, link: Link, ref: InvoiceRef, total: int = 0, currency: str = "") -> ProviderInvoice:
        """Notes that an open invoice was paid elsewhere. A draft is refused; what was paid before is answered so.

        Raises AdapterError TOTAL_MISMATCH for one of another total, where a currency is given.
        """

    async def void_invoice(self, link: Link, ref: InvoiceRef) -> ProviderInvoice:
        """Voids an open invoice, deletes a draft."""

    async def get_invoice(self, link: Link, external_id: str) -> ProviderInvoice:
        """Reads one invoice. One that is gone is answered as DELETED."""

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
