"""What a pay link leads to."""

from services.gateway.schemas.base import View
from services.gateway.schemas.invoices import DraftReason, InvoiceStatus


class PayLink(View):
    """A buyer's invoice as the buyer may see it."""

    show_name: str
    handle: str
    status: InvoiceStatus | None
    total: int
    currency: str
    external_url: str
    draft_reason: DraftReason | None
    payment_instructions: str = ""
    """Where the provider has no page of its own."""
    number: str = ""
