"""What the WebSocket tells of the same sale: one message of each type."""

from typing import Final

from services.gateway.examples.billing import SENT_INVOICE
from services.gateway.examples.ids import BUYER, DELIVERY, GENERATION, INVOICE, SENDING, SHOW, at
from services.gateway.schemas import events
from services.gateway.schemas.events import EventData, HelloView, Message, ResyncView

TOLD: Final[dict[str, EventData | HelloView | ResyncView | None]] = {
    "hello": HelloView(seq=41, behind=False),
    "ping": None,
    "resync": ResyncView(reason="An update is missing. Read the list again."),
    "invoice.updated": SENT_INVOICE,
    "generation.progressed": events.GenerationProgressedView(
        generation_id=GENERATION,
        total_count=110,
        created_count=44,
        failed_count=1,
        pending_count=65,
        cancelled_count=0,
        rate=5.5,
        remaining_seconds=11.8,
        marks_paid=False,
    ),
    "generation.finished": events.GenerationFinishedView(
        generation_id=GENERATION,
        total_count=110,
        created_count=109,
        failed_count=1,
        cancelled=False,
        cancelled_count=0,
        marks_paid=False,
    ),
    "checkout_link.requested": events.LinkRequestedView(
        delivery_id=DELIVERY,
        invoice_id=INVOICE,
        platform=SENT_INVOICE.platform,
        platform_user_id=SENT_INVOICE.platform_user_id,
        handle=SENT_INVOICE.handle,
    ),
    "checkout_link.sent": events.LinkSentView(delivery_id=DELIVERY, invoice_id=INVOICE, channel="email"),
    "claims.changed": events.ClaimsChangedView(created_count=12, updated_count=3),
    "integration.updated": events.IntegrationUpdatedView(provider="stripe", status="active", status_reason=""),
    "show.updated": events.ShowUpdatedView(name="Friday vintage", state="ended"),
    "sending.started": events.SendingStartedView(sending_id=SENDING, total_count=109),
    "pay_link.opened": events.PayLinkOpenedView(
        buyer_id=BUYER, invoice_id=INVOICE, opened_count=1, first_opened_at=at(21, 4)
    ),
}
"""By type, what the message's `data` is."""
_OF_NO_SHOW: Final = ("ping", "resync", "integration.updated")
_OUR_OWN: Final = ("hello", "ping", "resync")
_EVENT: Final = "019abf00-0000-7000-8000-0000000000e1"


def message(kind: str) -> Message:
    """A whole message of this type."""
    of_show = kind not in _OF_NO_SHOW
    return Message(
        v=1,
        type=kind,
        id="" if kind in _OUR_OWN else _EVENT,
        seq=41 if of_show else 0,
        at=at(21, 5),
        show_id=SHOW if of_show else "",
        data=TOLD[kind],
    )
