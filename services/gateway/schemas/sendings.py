"""Runs that deliver the links of many invoices, and pay links."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from services.gateway.schemas.base import Body, View
from services.gateway.schemas.invoices import Channel, DeliveryView

SendingState = Literal["running", "finished"]
MOST_INVOICES = 20_000


class SendManyBody(Body):
    """Which links to deliver, and how: all that are unsent and payable, by e-mail where that can be, when left out."""

    invoice_ids: Annotated[list[str], msgspec.Meta(max_length=MOST_INVOICES)] = msgspec.field(default_factory=list)
    channel: Channel | None = None
    channel_without_email: Annotated[
        Literal["dm", "manual"] | None,
        msgspec.Meta(description="For whom the provider cannot mail; left out, these are left out as well."),
    ] = None
    most_count: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None,
        msgspec.Meta(description="How many there were to send as you saw it: of more by now, none is sent."),
    ] = None


class SendingView(View):
    """One durable run. `total` is the sum of queued, requested, delivered and failed."""

    id: str
    show_id: str
    state: SendingState
    total_count: int
    queued_count: int
    requested_count: Annotated[int, msgspec.Meta(description="Handed to the messaging service, not reported yet.")]
    delivered_count: int
    failed_count: int
    skipped_count: Annotated[int, msgspec.Meta(description="Left out: not to be mailed, and given no other channel.")]
    created_at: datetime | None
    finished_at: datetime | None
    actor: str


class DeliveryPage(View):
    """Deliveries in the order in which they were asked for."""

    items: list[DeliveryView]
    next_page_token: str


class PayLinkView(View):
    """A buyer's pay link."""

    pay_path: Annotated[str, msgspec.Meta(description="A path on this server.")]
