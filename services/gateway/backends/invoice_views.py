"""Messages of the invoicing service as JSON schemas."""

from collections.abc import Iterable
from typing import Any, Final

from services.gateway.backends.convert import enum_names, enum_numbers, moment, seconds
from services.gateway.backends.shows import buyer_view
from services.gateway.schemas.invoices import (
    ChangeKind,
    Channel,
    DeliveryState,
    DeliveryView,
    DraftReason,
    GenerationState,
    GenerationView,
    InvoiceChangeView,
    InvoiceDetail,
    InvoiceLineView,
    InvoicePage,
    InvoiceRow,
    InvoiceStatus,
    InvoiceView,
    PlanAction,
    PlanEntryView,
    PlannedChangeView,
    PlanView,
    PlanWarning,
    SkippedBuyerView,
    SummaryPartView,
    SummaryView,
)
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

STATUS: Final[dict[int, InvoiceStatus]] = enum_names(pb.InvoiceStatus.DESCRIPTOR, "INVOICE_STATUS_")
STATUS_NUMBERS: Final = enum_numbers(pb.InvoiceStatus.DESCRIPTOR, "INVOICE_STATUS_")
DRAFT_REASON: Final[dict[int, DraftReason | None]] = enum_names(pb.DraftReason.DESCRIPTOR, "DRAFT_REASON_")
PLAN_ACTION: Final[dict[int, PlanAction]] = enum_names(pb.PlanAction.DESCRIPTOR, "PLAN_ACTION_")
CHANGE_KIND: Final[dict[int, ChangeKind]] = enum_names(pb.ChangeKind.DESCRIPTOR, "CHANGE_KIND_")
PLAN_WARNING: Final[dict[int, PlanWarning]] = enum_names(pb.PlanWarning.DESCRIPTOR, "PLAN_WARNING_")
GENERATION_STATE: Final[dict[int, GenerationState]] = enum_names(pb.GenerationState.DESCRIPTOR, "GENERATION_STATE_")
CHANNEL: Final[dict[int, Channel]] = enum_names(pb.DeliveryChannel.DESCRIPTOR, "DELIVERY_CHANNEL_")
CHANNEL_NUMBERS: Final = enum_numbers(pb.DeliveryChannel.DESCRIPTOR, "DELIVERY_CHANNEL_")


DELIVERY_STATE: Final[dict[int, DeliveryState]] = enum_names(pb.DeliveryState.DESCRIPTOR, "DELIVERY_STATE_")


def channel_number(channel: Channel | None) -> pb.DeliveryChannel.ValueType:
    """Unspecified where the caller leaves the choice."""
    number: pb.DeliveryChannel.ValueType = CHANNEL_NUMBERS.get(channel or "", pb.DELIVERY_CHANNEL_UNSPECIFIED)
    return number


def _row(invoice: pb.Invoice) -> dict[str, Any]:
    return {
        "id": invoice.id,
        "show_id": invoice.show_id,
        "buyer_id": invoice.buyer_id,
        "platform": invoice.platform,
        "platform_user_id": invoice.platform_user_id,
        "handle": invoice.handle,
        "display_name": invoice.display_name,
        "email": invoice.email,
        "status": STATUS[invoice.status],
        "draft_reason": DRAFT_REASON[invoice.draft_reason],
        "status_reason": invoice.status_reason,
        "total": invoice.total,
        "currency": invoice.currency,
        "line_count": invoice.line_count,
        "unpriced_count": invoice.unpriced_count,
        "revision": invoice.revision,
        "attempt": invoice.attempt,
        "version": invoice.version,
        "provider": invoice.provider,
        "external_id": invoice.external_id,
        "external_url": invoice.external_url,
        "provider_url": invoice.provider_url,
        "external_account": invoice.external_account,
        "livemode": invoice.livemode,
        "number": invoice.number,
        "paid_at": moment(invoice.paid_time),
        "sent_at": moment(invoice.sent_time),
        "send_count": invoice.send_count,
        "created_at": moment(invoice.create_time),
        "updated_at": moment(invoice.update_time),
        "pay_path": invoice.pay_path,
        "adjusted_at_provider": invoice.adjusted_at_provider,
    }


def invoice(invoice: pb.Invoice) -> InvoiceView:
    return InvoiceView(**_row(invoice))


def _beside(invoice: pb.Invoice) -> dict[str, Any]:
    return {
        "opened_count": invoice.opened_count,
        "first_opened_at": moment(invoice.first_opened_time),
        "priced_since": invoice.priced_since,
        "provider_request_id": invoice.provider_request_id,
        "paid_outside": invoice.paid_outside,
        "being_made": invoice.being_made,
    }


def row(invoice: pb.Invoice) -> InvoiceRow:
    return InvoiceRow(**_row(invoice), **_beside(invoice))


def detail(invoice: pb.Invoice) -> InvoiceDetail:
    return InvoiceDetail(
        **_row(invoice),
        **_beside(invoice),
        lines=lines(invoice.lines),
    )


def lines(messages: Iterable[pb.InvoiceLine]) -> list[InvoiceLineView]:
    return [
        InvoiceLineView(
            item_number=line.item_number,
            title=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price if line.HasField("unit_price") else None,
            amount=line.amount,
        )
        for line in messages
    ]


def page(answer: pb.ListInvoicesResponse) -> InvoicePage:
    return InvoicePage(
        items=[row(one) for one in answer.invoices],
        seq=answer.seq,
        total_size=answer.total_size,
        next_page_token=answer.next_page_token,
        counts={STATUS[one.status]: one.count for one in answer.status_counts},
    )


def change(change: pb.InvoiceChange) -> InvoiceChangeView:
    return InvoiceChangeView(
        from_status=STATUS[change.from_status],
        to_status=STATUS[change.to_status],
        reason=change.reason,
        actor=change.actor,
        created_at=moment(change.create_time),
        version=change.version,
        provider_request_id=change.provider_request_id,
    )


def plan(answer: pb.PlanGenerationResponse) -> PlanView:
    return PlanView(
        items=[
            PlanEntryView(
                buyer=buyer_view(entry.buyer),
                action=PLAN_ACTION[entry.action],
                reason=entry.reason,
                warnings=[PLAN_WARNING[warning] for warning in entry.warnings],
                total=entry.total,
                invoiced_total=entry.invoiced_total if entry.HasField("invoiced_total") else None,
                invoice_id=entry.invoice_id,
                change=_planned_change(entry.change) if entry.HasField("change") else None,
            )
            for entry in answer.entries
        ],
        plan_hash=answer.plan_hash,
        warnings=[PLAN_WARNING[warning] for warning in answer.warnings],
        currency=answer.currency,
        create_total=answer.create_total,
    )


def _planned_change(change: pb.PlannedChange) -> PlannedChangeView:
    return PlannedChangeView(
        kind=CHANGE_KIND[change.kind],
        before=change.before,
        after=change.after,
        difference=change.difference,
        sentence=change.sentence,
        optional=change.optional,
        draft_reason=DRAFT_REASON[change.draft_reason],
    )


def generation(generation: pb.Generation) -> GenerationView:
    return GenerationView(
        id=generation.id,
        show_id=generation.show_id,
        state=GENERATION_STATE[generation.state],
        total_count=generation.total_count,
        created_count=generation.created_count,
        failed_count=generation.failed_count,
        pending_count=generation.pending_count,
        draft_count=generation.draft_count,
        unchanged_count=generation.unchanged_count,
        skipped_buyers=[
            SkippedBuyerView(buyer_id=skipped.buyer_id, handle=skipped.handle, reason=skipped.reason)
            for skipped in generation.skipped_buyers
        ],
        created_at=moment(generation.create_time),
        finished_at=moment(generation.finish_time),
        actor=generation.actor,
        change_count=generation.change_count,
        cancelled_count=generation.cancelled_count,
        marks_paid=generation.marks_paid,
        rate=generation.rate,
        remaining_seconds=seconds(generation.remaining_time),
    )


def delivery(delivery: pb.Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        channel=CHANNEL[delivery.channel],
        state=DELIVERY_STATE[delivery.state],
        reason=delivery.reason,
        message=delivery.message,
        link=delivery.link,
        invoice_id=delivery.invoice_id,
        sending_id=delivery.sending_id,
        automatic=delivery.automatic,
        actor=delivery.actor,
        created_at=moment(delivery.create_time),
        finished_at=moment(delivery.finish_time),
    )


def summary(answer: pb.GetShowSummaryResponse) -> SummaryView:
    return SummaryView(
        currency=answer.currency,
        claimed=_part(answer.claimed),
        not_invoiced=_part(answer.not_invoiced),
        pending=_part(answer.pending),
        draft=_part(answer.draft),
        held_back=_part(answer.held_back),
        sent=_part(answer.sent),
        paid=_part(answer.paid),
        error=_part(answer.error),
        payment_failed=_part(answer.payment_failed),
        void=_part(answer.void),
        uncollectible=_part(answer.uncollectible),
        moved=_part(answer.moved),
        unpriced_lines=_part(answer.unpriced_lines),
        unexplained=_part(answer.unexplained),
        stray=_part(answer.stray),
        balanced=answer.balanced,
        running_sending_id=answer.running_sending_id,
        seq=answer.seq,
    )


def _part(part: pb.SummaryPart) -> SummaryPartView:
    return SummaryPartView(amount=part.amount, count=part.count)
