"""Deliveries, runs of them, and pay links as the contract's messages."""

from collections.abc import Sequence

import asyncpg

from services.common.paging import encode_token
from services.common.timestamps import to_proto
from services.invoicing import render
from services.invoicing.paylinks import Page
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb


def delivery(row: asyncpg.Record) -> pb.Delivery:
    return pb.Delivery(
        id=str(row["id"]),
        channel=pb.DeliveryChannel.Value(f"DELIVERY_CHANNEL_{row['channel'].upper()}"),
        state=pb.DeliveryState.Value(f"DELIVERY_STATE_{row['state'].upper()}"),
        reason=row["reason"],
        message=row["message"],
        link=row["link"],
        create_time=to_proto(row["created_at"]),
        invoice_id=str(row["invoice_id"]),
        sending_id=str(row["sending_id"] or ""),
        automatic=row["automatic"],
        actor=row["actor"],
        finish_time=to_proto(row["finished_at"]),
    )


def deliveries(rows: Sequence[asyncpg.Record], size: int) -> pb.ListDeliveriesResponse:
    """A page, of rows of which there may be one more."""
    page = [delivery(row) for row in rows[:size]]
    more = encode_token(page[-1].id) if len(rows) > size else ""
    return pb.ListDeliveriesResponse(deliveries=page, next_page_token=more)


def sending(row: asyncpg.Record) -> pb.Sending:
    running = row["queued_count"] > 0
    return pb.Sending(
        id=str(row["id"]),
        show_id=str(row["show_id"]),
        state=pb.SENDING_STATE_RUNNING if running else pb.SENDING_STATE_FINISHED,
        total_count=row["total_count"],
        queued_count=row["queued_count"],
        requested_count=row["requested_count"],
        delivered_count=row["delivered_count"],
        failed_count=row["failed_count"],
        skipped_count=row["skipped_count"],
        create_time=to_proto(row["created_at"]),
        finish_time=None if running else to_proto(row["finished_at"]),
        actor=row["actor"],
    )


def pay_link(page: Page) -> pb.ResolvePayLinkResponse:
    invoice = page.invoice
    return pb.ResolvePayLinkResponse(
        show_name=page.show_name,
        handle=page.handle,
        status=render.STATUSES[invoice.status],
        total=invoice.total,
        currency=invoice.currency,
        lines=render.lines(page.lines),
        external_url=invoice.external_url if invoice.payable else "",
        draft_reason=render.DRAFT_REASONS[invoice.draft_reason],
        payment_instructions=page.instructions if invoice.payable else "",
        number=invoice.number,
        paid_time=to_proto(invoice.paid_at),
        show_date=page.show_date.isoformat(),
        livemode=invoice.livemode,
        replaces_earlier=page.replaces_earlier,
        paid_before=page.paid_before,
    )
