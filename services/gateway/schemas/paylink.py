"""What a pay link leads to."""

from datetime import datetime

from services.gateway.schemas.base import View
from services.gateway.schemas.invoices import DraftReason, InvoiceLineView, InvoiceStatus


class PayLink(View):
    """A buyer's invoice as the buyer may see it."""

    show_name: str
    show_date: str
    """`YYYY-MM-DD`."""
    handle: str
    status: InvoiceStatus | None
    total: int
    currency: str
    lines: list[InvoiceLineView]
    external_url: str
    """Where it can be paid now; empty where it cannot."""
    draft_reason: DraftReason | None
    payment_instructions: str
    """Where the provider has no page of its own."""
    number: str
    paid_at: datetime | None
    livemode: bool
    replaces_earlier: bool
    paid_before: int
    """Minor units, on other invoices of the show."""

    @property
    def payable(self) -> bool:
        """Whether the buyer can pay it now."""
        return self.status in ("sent", "payment_failed") or (self.status == "draft" and self.draft_reason is None)
