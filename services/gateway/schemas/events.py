"""What goes over the WebSocket."""

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from services.gateway.schemas.base import View
from services.gateway.schemas.invoices import InvoiceView
from services.gateway.schemas.shows import ShowState

MarksPaid = Annotated[
    bool,
    msgspec.Meta(description="It marks invoices as paid outside the provider, as many as `createdCount`."),
]


class GenerationProgressedView(View):
    """A run began, or got on. The first, with all pending, says that these invoices stand in the list."""

    generation_id: str
    total_count: int
    created_count: int
    failed_count: int
    pending_count: int
    cancelled_count: int
    rate: float
    remaining_seconds: float | None
    marks_paid: MarksPaid


class GenerationFinishedView(View):
    """A run ended."""

    generation_id: str
    total_count: int
    created_count: int
    failed_count: int
    cancelled: bool
    cancelled_count: int
    marks_paid: MarksPaid


class LinkRequestedView(View):
    """A link was handed to the messaging service."""

    delivery_id: str
    invoice_id: str
    platform: str
    platform_user_id: str
    handle: str


class LinkSentView(View):
    """A link went out."""

    delivery_id: str
    invoice_id: str
    channel: str


class ClaimsChangedView(View):
    """Claims or prices of a show changed."""

    created_count: int
    updated_count: int


class IntegrationUpdatedView(View):
    """A connection changed."""

    provider: str
    status: str
    status_reason: str


class ShowUpdatedView(View):
    """A show was started, paused, ended, renamed, or its currency or start time changed."""

    name: str
    state: ShowState


class SendingStartedView(View):
    """A run that sends links began."""

    sending_id: str
    total_count: int


class PayLinkOpenedView(View):
    """A buyer opened their pay link: how often it was by now, and when first."""

    buyer_id: str
    invoice_id: str
    opened_count: int
    first_opened_at: datetime | None


class HelloView(View):
    """The first message. `behind` says that the client's own position is another: it should re-read."""

    seq: int
    behind: bool


class ResyncView(View):
    """Something may have been missed: read the snapshot again."""

    reason: str


EventData: TypeAlias = (
    InvoiceView
    | GenerationProgressedView
    | GenerationFinishedView
    | LinkRequestedView
    | LinkSentView
    | ClaimsChangedView
    | IntegrationUpdatedView
    | ShowUpdatedView
    | SendingStartedView
    | PayLinkOpenedView
)


class Message(View):
    """One message. `seq` is the show's position; 0 without a show."""

    v: int
    type: str
    id: str
    seq: int
    at: datetime | None
    show_id: str
    data: EventData | HelloView | ResyncView | None
