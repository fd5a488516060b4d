"""How a state looks everywhere: its word and its icon. The colour hangs on the name, in the style sheet."""

from typing import Final, Literal

from services.gateway.schemas.invoices import InvoiceRow, InvoiceStatus

BADGES: Final[dict[str, tuple[str, str]]] = {
    "draft": ("Draft", "square-pen"),
    "sent": ("Sent", "send"),
    "paid": ("Paid", "circle-check"),
    "error": ("Error", "circle-alert"),
    "failed": ("Payment failed", "triangle-alert"),
    "void": ("Void", "ban"),
    "uncollectible": ("Written off", "circle-slash"),
    "queued": ("Queued", "circle-dashed"),
    "creating": ("Creating…", "loader-circle"),
    "show-draft": ("Not started", "calendar"),
    "show-active": ("Live", "radio"),
    "show-paused": ("Paused", "pause"),
    "show-ended": ("Ended", "check"),
    "claim-winner": ("Winner", "circle-check"),
    "claim-waitlist": ("Waitlist", "hourglass"),
    "claim-released": ("Released", "circle-slash"),
    "claim-passed": ("Passed", "chevron-right"),
    "connected": ("Connected", "circle-check"),
    "attention": ("Needs attention", "triangle-alert"),
    "test": ("Test mode", "zap"),
    "livemode": ("Live mode", "radio"),
}

Filter = Literal["", "draft", "sent", "paid", "error", "void", "queued"]
FILTERS: Final[dict[Filter, list[InvoiceStatus]]] = {
    "": [],
    "draft": ["draft"],
    "sent": ["sent", "payment_failed"],
    "paid": ["paid"],
    "error": ["error"],
    "void": ["void", "uncollectible"],
    "queued": ["pending"],
}
"""What the filters of the list let through; nothing is everything."""

_BADGE_OF: Final[dict[InvoiceStatus, str]] = {
    "pending": "queued",
    "draft": "draft",
    "sent": "sent",
    "paid": "paid",
    "error": "error",
    "payment_failed": "failed",
    "void": "void",
    "uncollectible": "uncollectible",
}


def badge_of(status: InvoiceStatus, *, being_made: bool = False) -> str:
    return "creating" if being_made and status == "pending" else _BADGE_OF[status]


def note_of(invoice: InvoiceRow) -> str:
    """The second line beneath the badge; empty where the badge says it all."""
    if invoice.status == "draft" and not invoice.draft_reason:
        return invoice.status_reason or "Ready to send"
    if invoice.draft_reason == "needs_price":
        priceless = invoice.unpriced_count
        if invoice.priced_since:
            return "Every item has a price by now"
        return f"{priceless} item{'' if priceless == 1 else 's'} with no price" if priceless else invoice.status_reason
    if invoice.draft_reason == "below_minimum":
        return invoice.status_reason or "Below the smallest amount that Stripe can charge"
    if invoice.status == "payment_failed":
        return invoice.status_reason or "Payment declined. The link still works."
    if invoice.status == "sent" and not invoice.status_reason:
        times = invoice.opened_count
        return "Not opened yet" if not times else "Opened once" if times == 1 else f"Opened {times} times"
    return invoice.status_reason
