"""The figures above the invoices: what was collected of what was claimed, as parts that make up the whole."""

from dataclasses import dataclass

from services.gateway.dashboard.views.statuses import Filter
from services.gateway.schemas.invoices import SummaryPartView, SummaryView


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
    parts: list[Part]
    pills: list[tuple[Filter, str, int]]
    """Filters of the list, each with its number of invoices."""
    invoice_count: int
    pending_count: int
    error_count: int
    uninvoiced_count: int
    settled_count: int
    """Made or failed, and not void: what a run has behind it."""
    seq: int
    unbalanced: int
    """What nothing explains, in minor units: above 0 when buyers were invoiced less than they owe."""
    unbalanced_count: int
    """Buyers with whom the money does not balance."""


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
    pills: list[tuple[Filter, str, int]] = [
        ("", "All", made.count + gone.count + summary.pending.count),
        ("draft", "Draft", drafts.count),
        ("sent", "Sent", waiting.count),
        ("paid", "Paid", summary.paid.count),
        ("error", "Error", summary.error.count),
        ("void", "Void", gone.count),
    ]
    if summary.pending.count:
        pills.append(("queued", "Queued", summary.pending.count))
    return Money(
        currency=summary.currency,
        collected=summary.paid.amount,
        claimed=summary.claimed.amount,
        parts=_bar(parts),
        pills=pills,
        invoice_count=made.count + gone.count + summary.pending.count,
        pending_count=summary.pending.count,
        error_count=summary.error.count,
        uninvoiced_count=summary.not_invoiced.count,
        settled_count=made.count,
        seq=summary.seq,
        unbalanced=summary.unexplained.amount,
        unbalanced_count=summary.unexplained.count,
    )


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
