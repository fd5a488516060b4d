"""One row of the invoice list."""

from dataclasses import dataclass
from datetime import datetime

from services.gateway.dashboard.views.statuses import badge_of, note_of
from services.gateway.schemas.invoices import InvoiceRow


@dataclass(frozen=True, slots=True)
class Row:
    """An invoice as the list shows it."""

    id: str
    show_id: str
    version: int
    buyer: str
    name: str
    email: str
    badge: str
    note: str
    held_back: bool
    item_count: int
    number: str
    total: int
    currency: str
    updated_at: datetime | None
    pay_link: str
    """Empty while there is nothing to pay or to see behind it."""
    provider_url: str
    can_send: bool
    was_sent: bool
    can_retry: bool
    can_void: bool
    can_mark_paid: bool
    can_update: bool
    """A draft that is held back: it can be brought to the claims and prices of now."""
    can_finalize: bool
    needs_price: bool
    """An item of it has no price yet."""
    request_id: str
    """The provider's name of the request that failed."""
    of_stripe: bool
    """What is done with it asks Stripe."""
    fresh: bool
    """Just became paid: lights up once."""


def is_address(text: str) -> bool:
    """Whether a page may link to it."""
    return text.startswith(("https://", "http://"))


def row_of(invoice: InvoiceRow, base_url: str, *, fresh: bool = False) -> Row:
    """`base_url` is our public address, that the pay link begins with."""
    buyer = invoice.handle or invoice.display_name or invoice.platform_user_id
    payable = invoice.status in ("sent", "payment_failed") or (
        invoice.status == "draft" and invoice.draft_reason is None and bool(invoice.external_id)
    )
    held_back = invoice.status == "draft" and invoice.draft_reason is not None
    return Row(
        id=invoice.id,
        show_id=invoice.show_id,
        version=invoice.version,
        buyer=buyer,
        name=invoice.display_name if invoice.display_name != buyer else "",
        email=invoice.email,
        badge=badge_of(invoice.status, being_made=invoice.being_made),
        note=note_of(invoice),
        held_back=held_back,
        item_count=invoice.line_count,
        number=invoice.number,
        total=invoice.total,
        currency=invoice.currency,
        updated_at=invoice.updated_at,
        pay_link=base_url + invoice.pay_path if payable and invoice.pay_path else "",
        provider_url=invoice.provider_url if is_address(invoice.provider_url) else "",
        can_send=payable,
        was_sent=invoice.send_count > 0,
        can_retry=invoice.status == "error",
        can_void=invoice.status in ("draft", "sent", "payment_failed", "error"),
        can_mark_paid=payable,
        can_update=held_back,
        can_finalize=held_back and not invoice.unpriced_count and invoice.draft_reason != "below_minimum",
        needs_price=invoice.draft_reason == "needs_price" and held_back and not invoice.priced_since,
        request_id=invoice.provider_request_id,
        of_stripe=invoice.provider == "stripe",
        fresh=fresh and invoice.status == "paid",
    )
