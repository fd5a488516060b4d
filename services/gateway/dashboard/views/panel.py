"""Which of its states the invoice panel is in, and what it shows there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from services.gateway.dashboard.views.chosen import Chosen, Column
from services.gateway.dashboard.views.money import Money, Pill
from services.gateway.dashboard.views.plan import Plan
from services.gateway.dashboard.views.progress import Progress, SendingProgress
from services.gateway.dashboard.views.rows import Row, is_address
from services.gateway.schemas.integrations import IntegrationSettingsView, ListedIntegrationView
from services.gateway.schemas.invoices import GenerationView, InvoiceRow
from services.gateway.schemas.shows import ShowView
from services.gateway.schemas.verification import HearingView

State = Literal["no-claims", "not-connected", "plan", "list"]


@dataclass(frozen=True, slots=True)
class Connection:
    """The provider's connection as the panel needs it."""

    connected: bool
    healthy: bool
    reason: str
    livemode: bool
    known: bool = True
    """Not while the service that keeps it is away."""
    invoices_url: str = ""
    """All of the account's invoices at the provider."""


_UNKNOWN: Final = Connection(
    connected=True,
    healthy=False,
    reason="The part of Showbill that speaks with payment providers cannot be reached just now. Try again in a minute.",
    livemode=True,
    known=False,
)
"""Nothing is made or sent then; what there is can be looked at."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The invoice panel."""

    state: State
    connection: Connection
    chosen: Chosen
    plan: Plan | None = None
    moved: bool = False
    """The plan is not the one that was pressed: something moved since."""
    anew: bool = False
    """More ticks had been taken away than could be kept."""
    without: frozenset[str] = frozenset()
    """Buyers whose ticks were taken away from that plan."""
    terms: IntegrationSettingsView | None = None
    """What a run's invoices are made with, as the owner set it."""
    memo: str = ""
    """On the invoice of the first buyer of the plan."""
    finished: GenerationView | None = None
    """The run that the address names, where it was over when the page was asked for."""
    progress: Progress | None = None
    sending: SendingProgress | None = None
    hearing: HearingView | None = None
    """How payments are heard of, where that is known."""
    pills: list[Pill] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    next_page: str = ""
    matching: int = 0
    rehearsed: bool = False
    """Invoices of the list are of test mode, and the connection is live."""


def connection_of(listed: Sequence[ListedIntegrationView] | None, provider: str = "stripe") -> Connection:
    """As the catalogue has it; None where that is not known."""
    if listed is None:
        return _UNKNOWN
    found = next((one for one in listed if one.provider == provider), None)
    if found is None:
        return Connection(connected=False, healthy=False, reason="", livemode=False)
    return Connection(
        connected=found.connected,
        healthy=found.connected and found.status == "active",
        reason=found.status_reason,
        livemode=bool(found.livemode),
        invoices_url=found.invoices_url if found.connected and is_address(found.invoices_url) else "",
    )


def are_rehearsed(connection: Connection, invoices: Sequence[InvoiceRow]) -> bool:
    """Whether some that stand are of test mode, though Stripe is in live mode by now."""
    real = (one.livemode or one.status == "void" or not one.external_id for one in invoices if one.provider == "stripe")
    return connection.livemode and not all(real)


def state_of(show: ShowView, money: Money, connection: Connection) -> State:
    if money.invoice_count:
        return "list"
    if not show.buyer_count:
        return "no-claims"
    if not connection.known:  # and so no plan can be made: what there is to say stands above an empty list
        return "list"
    return "plan" if connection.connected else "not-connected"
