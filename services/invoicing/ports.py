"""What invoicing asks of a payment provider, in our words. The real one is the integrations service, `provider.py`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.invoicing.domain.evidence import Theirs
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.sighting import Sighting
from services.invoicing.domain.terms import Terms

if TYPE_CHECKING:  # settling reads rows, which are made of what stands here
    from services.invoicing.settle import Event


class UpdateMode(Enum):
    """How a connection was set up to hear of payments."""

    LIVE = "live"
    POLLING = "polling"


@dataclass(frozen=True, slots=True)
class Connection:
    """A workspace's connection to a provider."""

    integration_id: str
    provider: str
    account_id: str
    livemode: bool
    active: bool
    status_reason: str
    """A finished sentence when it is not active."""
    limits: Terms
    """The provider's limits; the currency is the asker's to fill in."""
    message_template: str = ""
    """What the message that carries a link is made of; empty for the usual sentence."""
    automatic_sending: bool = False
    """Whether a link goes out as soon as its invoice is ready."""
    emails: bool = True
    """Whether it mails invoices to buyers whose address it was told."""
    update_mode: UpdateMode = UpdateMode.LIVE
    update_mode_reason: str = ""
    """A finished sentence when it is not LIVE."""
    last_event_at: datetime | None = None
    """When a webhook of it was last verified."""

    def terms(self, currency: str) -> Terms:
        """For a show in this currency."""
        return replace(self.limits, currency=currency, healthy=self.active, provider=self.provider, emails=self.emails)


@dataclass(frozen=True, slots=True)
class Order:
    """One invoice to be made. The same on every try of an attempt."""

    id: str
    account: Account
    show_id: str
    revision: int
    attempt: int
    first_attempt_at: datetime
    tries: int
    """Failed tries of this attempt so far."""
    buyer: dict[str, str]
    currency: str
    lines: list[dict[str, Any]]
    total: int
    """Minor units."""
    keep_draft: bool
    show_name: str
    show_date: date


@dataclass(frozen=True, slots=True)
class Happened:
    """A page of what happened, newest first, as webhooks would have told it."""

    events: "Sequence[Event]"
    next_page: str = ""
    """Names the next page; empty on the last."""
    unreadable: Sequence[str] = ()
    """The provider's ids of invoices of which something is told that makes no sense."""


class Provider(Protocol):
    """Each method raises ShowbillError with a sentence for the operator; `passing` says which are worth another try."""

    async def connection(self, identity: Identity, provider: str) -> Connection | None:
        """None when the workspace never connected it."""
        ...

    async def create(self, identity: Identity, order: Order) -> Sighting:
        """Idempotent on id, revision and attempt."""
        ...

    async def read(
        self, identity: Identity, account: Account, external_id: str, *, background: bool = False
    ) -> Sighting:
        """In the background it yields to calls that somebody waits for."""
        ...

    async def happened(self, identity: Identity, account: Account, since: datetime, page_token: str) -> Happened:
        """A page of what happened since."""
        ...

    async def listed(
        self, identity: Identity, account: Account, since: datetime, until: datetime | None, page_token: str
    ) -> tuple[Sequence[Theirs], str]:
        """A page of the invoices with the workspace's mark that were made then; the text names the next page."""
        ...

    async def look(self, identity: Identity, account: Account, external_id: str) -> Theirs | None:
        """One of them as it is now; None when it is gone."""
        ...

    async def send(
        self, identity: Identity, account: Account, external_id: str, invoice_id: str, revision: int, delivery_id: str
    ) -> tuple[Sighting, str]:
        """Lets the provider e-mail it; the text is a warning, or empty. Idempotent on the delivery id."""
        ...

    # The verbs below answer the invoice as it stands afterwards and decide by that, never by a refusal: each may be
    # called again after an unknown outcome. One that is gone at the provider is a deleted sighting.

    async def void(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        *,
        background: bool = False,
    ) -> Sighting:
        """Voids it, or deletes its draft. Paid when a payment was quicker: then nothing was changed.

        In the background it yields to calls that somebody waits for.
        """
        ...

    async def mark_paid(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        total: int,
        currency: str,
    ) -> Sighting:
        """Notes that it was paid elsewhere. Void when it was settled so before; a draft is refused, and with
        TOTAL_MISMATCH one of another total. Says of one that is paid whether it was before.
        """
        ...

    async def finalize(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        total: int,
        currency: str,
    ) -> Sighting:
        """Makes a draft of this total payable; refused with TOTAL_MISMATCH when the provider has another total."""
        ...

    async def update_draft(self, identity: Identity, order: Order, external_id: str) -> Sighting:
        """Brings a draft to the order's lines; it stays a draft when the order keeps it one, else it is finalized.

        What is a draft no more is answered as it is: the caller compares the total, and is told of other lines.
        """
        ...

    async def find(
        self,
        identity: Identity,
        account: Account,
        invoice_id: str,
        revision: int,
        buyer: dict[str, str],
        *,
        background: bool = False,
    ) -> Sighting | None:
        """What stands for an invoice of which no answer came; None when it is proved that nothing does.

        In the background it yields to calls that somebody waits for.
        """
        ...


_PASSING: frozenset[Kind] = frozenset(
    {Kind.RATE_LIMITED, Kind.UNAVAILABLE, Kind.TIMED_OUT, Kind.INTERNAL, Kind.UNAUTHENTICATED, Kind.OUTDATED}
)


def passing(error: ShowbillError) -> bool:
    """Whether the same call may succeed later without anybody doing anything about the invoice."""
    return error.kind in _PASSING or error.reason == "PROVIDER_UNAVAILABLE"
