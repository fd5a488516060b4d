"""Which of its states the invoice panel is in, and what it shows there."""

from dataclasses import dataclass, field
from typing import Literal

from services.gateway.dashboard.views.money import Money
from services.gateway.dashboard.views.rows import Row
from services.gateway.dashboard.views.statuses import Filter
from services.gateway.schemas.integrations import ListedIntegrationView
from services.gateway.schemas.invoices import GenerationView, PlanEntryView, PlanView, PlanWarning
from services.gateway.schemas.shows import ShowView

State = Literal["no-claims", "not-connected", "ready", "list"]
MOST_SHOWN = 50
"""Rows of a page."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The provider's connection as the panel needs it."""

    connected: bool
    healthy: bool
    reason: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning about some buyers: how many, and the rest of the sentence."""

    icon: str
    lead: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What Generate would do."""

    buyers: list[PlanEntryView]
    count: int
    item_count: int
    total: int
    currency: str
    warnings: list[Warned]
    skipped: list[PlanEntryView]
    plan_hash: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    run: str
    done: int
    total: int
    created: int
    failed: int
    left: int


@dataclass(frozen=True, slots=True)
class Panel:
    """The invoice panel."""

    state: State
    connection: Connection
    ready: Ready | None = None
    progress: Progress | None = None
    rows: list[Row] = field(default_factory=list)
    chosen: Filter = ""
    next_page: str = ""
    later_page: bool = False
    matching: int = 0


def connection_of(listed: list[ListedIntegrationView], provider: str = "stripe") -> Connection:
    found = next((one for one in listed if one.provider == provider), None)
    if found is None:
        return Connection(connected=False, healthy=False, reason="", livemode=False)
    return Connection(
        connected=found.connected,
        healthy=found.connected and found.status == "active",
        reason=found.status_reason,
        livemode=bool(found.livemode),
    )


def state_of(show: ShowView, money: Money, connection: Connection) -> State:
    if money.invoice_count:
        return "list"
    if not show.buyer_count:
        return "no-claims"
    return "ready" if connection.connected else "not-connected"


def ready_of(plan: PlanView) -> Ready:
    chosen = [entry for entry in plan.items if entry.action == "create"]
    return Ready(
        buyers=chosen,
        count=len(chosen),
        item_count=sum(entry.buyer.line_count for entry in chosen),
        total=plan.create_total,
        currency=plan.currency,
        warnings=_warnings(chosen),
        skipped=[entry for entry in plan.items if entry.action == "skip"],
        plan_hash=plan.plan_hash,
    )


def progress_of(money: Money, run: GenerationView | None) -> Progress | None:
    """The run's own counts where it is known which run it is; else what the show's sums tell. None when none runs."""
    if run is not None and run.state == "running":
        done = run.created_count + run.failed_count
        return Progress(run.id, done, run.total_count, run.created_count, run.failed_count, run.pending_count)
    if not money.pending_count:
        return None
    done, failed = money.settled_count, money.error_count
    return Progress("", done, done + money.pending_count, done - failed, failed, money.pending_count)


_SENTENCES: dict[PlanWarning, tuple[str, str, str, str, str]] = {
    "unpriced": (
        "tag",
        "1 buyer has an item with no price.",
        "{n} buyers have items with no price.",
        "The invoice stays in Draft until the price is set.",
        "Their invoices stay in Draft until the prices are set.",
    ),
    "below_minimum": (
        "triangle-alert",
        "1 buyer owes less than Stripe can charge.",
        "{n} buyers owe less than Stripe can charge.",
        "The invoice stays in Draft.",
        "Their invoices stay in Draft.",
    ),
    "no_email": (
        "mail-warning",
        "1 buyer has no e-mail address.",
        "{n} buyers have no e-mail address.",
        "You can copy the link and send it in a message.",
        "You can copy their links and send them in a message.",
    ),
    "many_lines": (
        "info",
        "1 buyer has more items than an invoice has lines.",
        "{n} buyers have more items than an invoice has lines.",
        "Some are put together in one line.",
        "Some are put together in one line.",
    ),
    "currency_conflict": (
        "triangle-alert",
        "1 buyer is billed in another currency at Stripe.",
        "{n} buyers are billed in another currency at Stripe.",
        "The invoice will fail.",
        "Their invoices will fail.",
    ),
}


def _warnings(entries: list[PlanEntryView]) -> list[Warned]:
    warned: list[Warned] = []
    for warning, (icon, one, many, after_one, after_many) in _SENTENCES.items():
        count = sum(warning in entry.warnings for entry in entries)
        if count:
            lead, after = (one, after_one) if count == 1 else (many, after_many)
            warned.append(Warned(icon, lead.format(n=f"{count:,}"), after))
    return warned
