"""What happens here, as events on the bus: one function for each type, and the envelope."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeAlias

from services.common.bus import subject
from services.common.ids import new_id
from services.common.outbox import Message
from services.common.timestamps import to_duration, to_proto
from services.invoicing.domain.invoice import DraftReason, Invoice, Status
from services.invoicing.domain.progress import Counts, Pace
from services.rpc.showbill.events.v1 import events_pb2 as pb

Payload: TypeAlias = (
    pb.InvoiceUpdated
    | pb.GenerationProgressed
    | pb.GenerationFinished
    | pb.CheckoutLinkRequested
    | pb.CheckoutLinkSent
    | pb.ClaimsChanged
    | pb.ShowUpdated
    | pb.SendingStarted
    | pb.PayLinkOpened
)

_STATUSES: Final = {
    member: pb.InvoiceStatus.Value(f"INVOICE_STATUS_{member.name if member else 'UNSPECIFIED'}")
    for member in (None, *Status)
}
_DRAFT_REASONS: Final = {
    member: pb.DraftReason.Value(f"DRAFT_REASON_{member.name if member else 'UNSPECIFIED'}")
    for member in (None, *DraftReason)
}
_FIELDS: Final[Mapping[type, tuple[str, str]]] = {
    pb.InvoiceUpdated: ("invoice.updated", "invoice_updated"),
    pb.GenerationProgressed: ("generation.progressed", "generation_progressed"),
    pb.GenerationFinished: ("generation.finished", "generation_finished"),
    pb.CheckoutLinkRequested: ("checkout_link.requested", "checkout_link_requested"),
    pb.CheckoutLinkSent: ("checkout_link.sent", "checkout_link_sent"),
    pb.ClaimsChanged: ("claims.changed", "claims_changed"),
    pb.ShowUpdated: ("show.updated", "show_updated"),
    pb.SendingStarted: ("sending.started", "sending_started"),
    pb.PayLinkOpened: ("pay_link.opened", "pay_link_opened"),
}


def message(workspace_id: str, show_id: str, seq: int, payload: Payload, now: datetime, request_id: str) -> Message:
    """The event with its place among the show's events, ready for the outbox."""
    event_type, field = _FIELDS[type(payload)]
    event = pb.Event(
        id=new_id(),
        type=event_type,
        workspace_id=workspace_id,
        show_id=show_id,
        seq=seq,
        occur_time=to_proto(now),
        **{field: payload},  # type: ignore[arg-type]  # the field that belongs to the payload's type
    )
    return Message(event.id, subject(workspace_id, show_id, event_type), event.SerializeToString(), request_id)


def invoice_updated(invoice: Invoice, previous: Status | None) -> Payload:
    return pb.InvoiceUpdated(
        invoice_id=invoice.id,
        buyer_id=invoice.buyer_id,
        handle=invoice.handle,
        display_name=invoice.display_name,
        status=_STATUSES[invoice.status],
        previous_status=_STATUSES[previous],
        draft_reason=_DRAFT_REASONS[invoice.draft_reason],
        status_reason=invoice.status_reason,
        total=invoice.total,
        currency=invoice.currency,
        line_count=invoice.line_count,
        revision=invoice.revision,
        version=invoice.version,
        external_id=invoice.external_id,
        external_url=invoice.external_url,
        provider_url=invoice.provider_url,
        number=invoice.number,
        paid_time=to_proto(invoice.paid_at),
        sent_time=to_proto(invoice.sent_at),
        pay_path=invoice.pay_path,
        update_time=to_proto(invoice.updated_at),
        livemode=invoice.livemode,
        platform=invoice.platform,
        platform_user_id=invoice.platform_user_id,
        email=invoice.email,
        unpriced_count=invoice.unpriced_count,
        send_count=invoice.send_count,
        adjusted_at_provider=invoice.adjusted_at_provider,
        attempt=invoice.attempt,
        provider=invoice.provider,
        external_account=invoice.external_account,
        create_time=to_proto(invoice.created_at),
    )


def claims_changed(*, created: int, updated: int) -> Payload:
    return pb.ClaimsChanged(created_count=created, updated_count=updated)


def show_updated(name: str, state: str) -> Payload:
    return pb.ShowUpdated(name=name, state=pb.ShowState.Value(f"SHOW_STATE_{state.upper()}"))


def sending_started(sending_id: str, total: int) -> Payload:
    return pb.SendingStarted(sending_id=sending_id, total_count=total)


def link_opened(buyer_id: str, invoice_id: str, count: int, first: datetime | None) -> Payload:
    """`count` openings of the link in force, the first of them then."""
    return pb.PayLinkOpened(
        buyer_id=buyer_id, invoice_id=invoice_id, opened_count=count, first_open_time=to_proto(first)
    )


def link_requested(invoice: Invoice, delivery_id: str, text: str, link: str) -> Payload:
    """`text` is the rendered message, with the link in it."""
    return pb.CheckoutLinkRequested(
        delivery_id=delivery_id,
        invoice_id=invoice.id,
        platform=invoice.platform,
        platform_user_id=invoice.platform_user_id,
        handle=invoice.handle,
        message=text,
        link=link,
    )


def link_sent(invoice: Invoice, delivery_id: str, channel: str) -> Payload:
    return pb.CheckoutLinkSent(delivery_id=delivery_id, invoice_id=invoice.id, channel=channel)


def generation_progressed(run_id: str, counts: Counts, pace: Pace | None = None) -> Payload:
    return pb.GenerationProgressed(
        generation_id=run_id,
        total_count=counts.total,
        created_count=counts.created,
        failed_count=counts.failed,
        pending_count=counts.pending,
        cancelled_count=counts.cancelled,
        rate=pace.rate if pace else 0.0,
        remaining_time=to_duration(pace.remaining if pace else None),
        marks_paid=counts.marks,
    )


def generation_finished(run_id: str, counts: Counts, *, cancelled: bool) -> Payload:
    return pb.GenerationFinished(
        generation_id=run_id,
        total_count=counts.total,
        created_count=counts.created,
        failed_count=counts.failed,
        cancelled=cancelled,
        cancelled_count=counts.cancelled,
        marks_paid=counts.marks,
    )
