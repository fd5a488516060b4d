"""The figures above the invoices: what was collected of what was claimed, as parts that make up the whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.gateway.dashboard.views.statuses import FILTERS, Filter
from services.gateway.schemas.invoices import InvoiceStatus, SummaryPartView, SummaryView

_LABELS: Final[tuple[tuple[Filter, str], ...]] = (
    ("", "All"),
    ("draft", "Draft"),
    ("sent", "Sent"),
    ("paid", "Paid"),
    ("error", "Error"),
    ("void", "Void"),
    ("queued", "Queued"),
)
Pill: TypeAlias = tuple[Filter, str, int]
"""A filter of the list, its word, and how many invoices it lets through."""


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the bar, and its line of the legend."""

    key: str
    label: str
    colour: str
    amount: int
    count: int
    start: float
    """Percent of the bar."""
    width: float


@dataclass(frozen=True, slots=True)
class Money:
    """A show's money."""

    currency: str
    collected: int
    claimed: int
    claimed_count: int
    """Buyers who won something."""
    parts: list[Part]
    invoice_count: int
    pending_count: int
    error_count: int
    uninvoiced_count: int
    settled_count: int
    """Made or failed, and not void: what a run has behind it."""
    sendable_count: int
    """Payable, and not sent yet."""
    sendable: int
    held_back_count: int
    moved: int
    """What claims, prices or edits at the provider changed since the invoices were made."""
    moved_count: int
    seq: int
    unbalanced: int
    """What nothing explains, in minor units: above 0 when buyers were invoiced less than they owe."""
    unbalanced_count: int
    """Buyers with whom the money does not balance."""
    stray: int
    """Minor units that came in for what a late try had left at the provider: they count for no invoice."""
    stray_count: int
    """Payments."""


def money_of(summary: SummaryView) -> Money:
    drafts = _sum(summary.draft, summary.held_back)
    waiting = _sum(summary.sent, summary.payment_failed)
    gone = _sum(summary.void, summary.uncollectible)
    parts = [
        ("paid", "Paid", "green", summary.paid),
        ("sent", "Waiting for payment", "blue", waiting),
        ("draft", "Draft, not sent", "gray", _sum(drafts, summary.pending)),
        ("error", "Needs attention", "red", summary.error),
    ]
    if summary.not_invoiced.count:
        parts.append(("none", "Not invoiced", "none", summary.not_invoiced))
    if gone.count:
        parts.append(("void", "Void", "void", gone))
    made = _sum(drafts, waiting, summary.paid, summary.error)
    return Money(
        currency=summary.currency,
        collected=summary.paid.amount,
        claimed=summary.claimed.amount,
        claimed_count=summary.claimed.count,
        parts=_bar(parts),
        invoice_count=made.count + gone.count + summary.pending.count,
        pending_count=summary.pending.count,
        error_count=summary.error.count,
        uninvoiced_count=summary.not_invoiced.count,
        settled_count=made.count,
        sendable_count=summary.draft.count,
        sendable=summary.draft.amount,
        held_back_count=summary.held_back.count,
        moved=summary.moved.amount,
        moved_count=summary.moved.count,
        seq=summary.seq,
        unbalanced=summary.unexplained.amount,
        unbalanced_count=summary.unexplained.count,
        stray=summary.stray.amount,
        stray_count=summary.stray.count,
    )


def pills_of(counts: Mapping[InvoiceStatus, int]) -> list[Pill]:
    """The filters with what a search leaves of each."""
    return [
        (key, label, sum(counts.get(status, 0) for status in FILTERS[key]) if key else sum(counts.values()))
        for key, label in _LABELS
        if key != "queued" or counts.get("pending")
    ]


def _sum(*parts: SummaryPartView) -> SummaryPartView:
    return SummaryPartView(amount=sum(part.amount for part in parts), count=sum(part.count for part in parts))


def _bar(parts: list[tuple[str, str, str, SummaryPartView]]) -> list[Part]:
    whole = sum(part.amount for _, _, _, part in parts) or 1
    bar: list[Part] = []
    start = 0.0
    for key, label, colour, part in parts:
        width = 100 * part.amount / whole
        gap = 0.3 if width > 0.6 and start + width < 99.9 else 0.0
        bar.append(Part(key, label, colour, part.amount, part.count, round(start, 2), round(max(width - gap, 0), 2)))
        start += width
    return bar
