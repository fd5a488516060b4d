"""Events of the bus as the JSON that goes to sockets."""

from collections.abc import Callable
from typing import Final

import msgspec
from google.protobuf.message import DecodeError

from services.gateway.backends.convert import enum_names, moment, seconds
from services.gateway.schemas.events import (
    ClaimsChangedView,
    EventData,
    GenerationFinishedView,
    GenerationProgressedView,
    IntegrationUpdatedView,
    LinkRequestedView,
    LinkSentView,
    Message,
    PayLinkOpenedView,
    SendingStartedView,
    ShowUpdatedView,
)
from services.gateway.schemas.invoices import DraftReason, InvoiceStatus, InvoiceView
from services.gateway.schemas.shows import ShowState
from services.rpc.showbill.events.v1 import events_pb2 as pb

STATUS: Final[dict[int, InvoiceStatus]] = enum_names(pb.InvoiceStatus.DESCRIPTOR, "INVOICE_STATUS_")
SHOW_STATE: Final[dict[int, ShowState]] = enum_names(pb.ShowState.DESCRIPTOR, "SHOW_STATE_")
DRAFT_REASON: Final[dict[int, DraftReason | None]] = enum_names(pb.DraftReason.DESCRIPTOR, "DRAFT_REASON_")


class BusEvent(msgspec.Struct, frozen=True):
    """One event for the sockets of a workspace."""

    id: str
    workspace_id: str
    show_id: str
    seq: int
    change: str
    """Names the change that it tells of, whatever its id, so that it is told once; empty where only the id does."""
    message: Message | None
    """None for a kind of event that this version does not know."""


def decode(payload: bytes) -> BusEvent:
    """Raises ValueError for what is no event."""
    try:
        event = pb.Event.FromString(payload)
    except DecodeError as error:
        raise ValueError("no event of ours") from error
    view = _VIEWS.get(event.WhichOneof("payload") or "")
    if view is None:
        return BusEvent(event.id, event.workspace_id, event.show_id, event.seq, "", None)
    data = view(event)
    change = f"{data.id}:{data.version}" if isinstance(data, InvoiceView) else ""
    message = Message(
        v=1,
        type=event.type,
        id=event.id,
        seq=event.seq,
        at=moment(event.occur_time),
        show_id=event.show_id,
        data=data,
    )
    return BusEvent(event.id, event.workspace_id, event.show_id, event.seq, change, message)


def _invoice(event: pb.Event) -> InvoiceView:
    updated = event.invoice_updated
    return InvoiceView(
        id=updated.invoice_id,
        show_id=event.show_id,
        buyer_id=updated.buyer_id,
        platform=updated.platform,
        platform_user_id=updated.platform_user_id,
        handle=updated.handle,
        display_name=updated.display_name,
        email=updated.email,
        status=STATUS[updated.status],
        draft_reason=DRAFT_REASON[updated.draft_reason],
        status_reason=updated.status_reason,
        total=updated.total,
        currency=updated.currency,
        line_count=updated.line_count,
        unpriced_count=updated.unpriced_count,
        revision=updated.revision,
        attempt=updated.attempt,
        version=updated.version,
        provider=updated.provider,
        external_id=updated.external_id,
        external_url=updated.external_url,
        provider_url=updated.provider_url,
        external_account=updated.external_account,
        livemode=updated.livemode,
        number=updated.number,
        paid_at=moment(updated.paid_time),
        sent_at=moment(updated.sent_time),
        send_count=updated.send_count,
        created_at=moment(updated.create_time),
        updated_at=moment(updated.update_time),
        pay_path=updated.pay_path,
        adjusted_at_provider=updated.adjusted_at_provider,
    )


def _progressed(event: pb.Event) -> GenerationProgressedView:
    progressed = event.generation_progressed
    return GenerationProgressedView(
        generation_id=progressed.generation_id,
        total_count=progressed.total_count,
        created_count=progressed.created_count,
        failed_count=progressed.failed_count,
        pending_count=progressed.pending_count,
        cancelled_count=progressed.cancelled_count,
        rate=progressed.rate,
        remaining_seconds=seconds(progressed.remaining_time),
        marks_paid=progressed.marks_paid,
    )


def _finished(event: pb.Event) -> GenerationFinishedView:
    finished = event.generation_finished
    return GenerationFinishedView(
        generation_id=finished.generation_id,
        total_count=finished.total_count,
        created_count=finished.created_count,
        failed_count=finished.failed_count,
        cancelled=finished.cancelled,
        cancelled_count=finished.cancelled_count,
        marks_paid=finished.marks_paid,
    )


def _link_requested(event: pb.Event) -> LinkRequestedView:
    requested = event.checkout_link_requested
    return LinkRequestedView(
        delivery_id=requested.delivery_id,
        invoice_id=requested.invoice_id,
        platform=requested.platform,
        platform_user_id=requested.platform_user_id,
        handle=requested.handle,
    )


def _link_sent(event: pb.Event) -> LinkSentView:
    sent = event.checkout_link_sent
    return LinkSentView(delivery_id=sent.delivery_id, invoice_id=sent.invoice_id, channel=sent.channel)


def _claims_changed(event: pb.Event) -> ClaimsChangedView:
    changed = event.claims_changed
    return ClaimsChangedView(created_count=changed.created_count, updated_count=changed.updated_count)


def _integration_updated(event: pb.Event) -> IntegrationUpdatedView:
    updated = event.integration_updated
    return IntegrationUpdatedView(provider=updated.provider, status=updated.status, status_reason=updated.status_reason)


def _show_updated(event: pb.Event) -> ShowUpdatedView:
    return ShowUpdatedView(name=event.show_updated.name, state=SHOW_STATE[event.show_updated.state])


def _sending_started(event: pb.Event) -> SendingStartedView:
    started = event.sending_started
    return SendingStartedView(sending_id=started.sending_id, total_count=started.total_count)


def _pay_link_opened(event: pb.Event) -> PayLinkOpenedView:
    opened = event.pay_link_opened
    return PayLinkOpenedView(
        buyer_id=opened.buyer_id,
        invoice_id=opened.invoice_id,
        opened_count=opened.opened_count,
        first_opened_at=moment(opened.first_open_time),
    )


_VIEWS: Final[dict[str, Callable[[pb.Event], EventData]]] = {
    "invoice_updated": _invoice,
    "generation_progressed": _progressed,
    "generation_finished": _finished,
    "checkout_link_requested": _link_requested,
    "checkout_link_sent": _link_sent,
    "claims_changed": _claims_changed,
    "integration_updated": _integration_updated,
    "show_updated": _show_updated,
    "sending_started": _sending_started,
    "pay_link_opened": _pay_link_opened,
}
