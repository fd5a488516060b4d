"""The domain's values as the contract's messages."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from services.common.timestamps import to_duration, to_proto
from services.invoicing import repository, shows
from services.invoicing.domain.changes import Proposal
from services.invoicing.domain.invoice import DraftReason, Invoice, Status
from services.invoicing.domain.plan import Action, Entry, Plan, Warn
from services.invoicing.domain.rollup import Buyer, ChangeKind
from services.invoicing.feed import Taken
from services.invoicing.hearing import Heard
from services.invoicing.items import etag
from services.invoicing.listing import Page
from services.invoicing.marks import MarkLoad
from services.invoicing.openings import Beside
from services.invoicing.settle import Outcome
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

STATUSES: Final = {status: pb.InvoiceStatus.Value(f"INVOICE_STATUS_{status.name}") for status in Status}
DRAFT_REASONS: Final = {
    member: pb.DraftReason.Value(f"DRAFT_REASON_{member.name if member else 'UNSPECIFIED'}")
    for member in (None, *DraftReason)
}
OUTCOMES: Final = {outcome: pb.EventOutcome.Value(f"EVENT_OUTCOME_{outcome.name}") for outcome in Outcome}
_ACTIONS: Final = {action: pb.PlanAction.Value(f"PLAN_ACTION_{action.name}") for action in Action}
_CHANGES: Final = {kind: pb.ChangeKind.Value(f"CHANGE_KIND_{kind.name}") for kind in ChangeKind}
_WARNINGS: Final = {warning: pb.PlanWarning.Value(f"PLAN_WARNING_{warning.name}") for warning in Warn}


def show(row: asyncpg.Record) -> pb.Show:
    return pb.Show(
        id=str(row["id"]),
        name=row["name"],
        state=pb.ShowState.Value(f"SHOW_STATE_{row['state'].upper()}"),
        currency=row["currency"],
        start_time=to_proto(row["start_at"]),
        end_time=to_proto(row["end_at"]),
        create_time=to_proto(row["created_at"]),
        seq=row["seq"],
        item_count=row["item_count"],
        claim_count=row["claim_count"],
        buyer_count=row["buyer_count"],
        etag=shows.etag(row),
        claims_arrive_time=to_proto(row["claims_arrived_at"]),
    )


def item(row: asyncpg.Record) -> pb.Item:
    return pb.Item(
        id=str(row["id"]),
        item_number=row["item_number"],
        title=row["title"],
        price=row["price"],
        quantity=row["quantity"],
        etag=etag(row),
    )


def ingested_claims(done: Taken) -> pb.IngestClaimsResponse:
    return pb.IngestClaimsResponse(
        created_count=done.created,
        updated_count=done.updated,
        unchanged_count=done.unchanged,
        rejected_claims=_rejected_claims(done),
    )


def streamed_claims(done: Taken) -> pb.StreamClaimsResponse:
    return pb.StreamClaimsResponse(
        created_count=done.created,
        updated_count=done.updated,
        unchanged_count=done.unchanged,
        rejected_claims=_rejected_claims(done),
        rejected_count=done.rejected,
    )


def _rejected_claims(done: Taken) -> list[pb.RejectedClaim]:
    return [pb.RejectedClaim(index=one.index, claim_id=one.name, reason=one.reason) for one in done.rejections]


def streamed_items(done: Taken) -> pb.StreamItemsResponse:
    return pb.StreamItemsResponse(
        created_count=done.created,
        updated_count=done.updated,
        unchanged_count=done.unchanged,
        rejected_items=[
            pb.RejectedItem(index=one.index, item_number=one.name, reason=one.reason) for one in done.rejections
        ],
        rejected_count=done.rejected,
    )


def streamed_buyers(done: Taken) -> pb.StreamBuyersResponse:
    return pb.StreamBuyersResponse(
        created_count=done.created,
        updated_count=done.updated,
        unchanged_count=done.unchanged,
        rejected_buyers=[pb.RejectedBuyer(index=one.index, reason=one.reason) for one in done.rejections],
        rejected_count=done.rejected,
    )


def streamed_marks(done: Taken, load: MarkLoad) -> pb.StreamMarksResponse:
    return pb.StreamMarksResponse(
        updated_count=done.updated,
        unchanged_count=done.unchanged,
        rejected_marks=[pb.RejectedMark(index=one.index, reason=one.reason) for one in done.rejections],
        rejected_count=done.rejected,
        updated_total=load.total if done.updated else 0,
        currency=load.currency,
        generation_ids=load.runs,
    )


def claim(row: asyncpg.Record) -> pb.Claim:
    return pb.Claim(
        claim_id=row["claim_id"],
        platform=row["platform"],
        platform_user_id=row["platform_user_id"],
        user_handle=row["handle"],
        display_name=row["display_name"],
        item_number=row["item_number"],
        quantity=row["quantity"],
        status=pb.ClaimStatus.Value(f"CLAIM_STATUS_{row['status'].upper()}"),
        claim_time=to_proto(row["claim_time"]),
        sequence=row["sequence"],
        email=row["email"],
        item_title=row["title"],
        item_price=row["price"],
    )


def buyer(known: Buyer, owed: Mapping[str, int]) -> pb.Buyer:
    """`owed` holds claim_count, line_count, unpriced_count and total; empty where nothing is asked."""
    return pb.Buyer(
        id=known.id,
        platform=known.platform,
        platform_user_id=known.platform_user_id,
        handle=known.handle,
        display_name=known.display_name,
        email=known.email,
        pay_path=f"/p/{known.pay_token}" if known.pay_token else "",
        **owed,  # type: ignore[arg-type]  # its names are those of numbers
    )


def lines(snapshot: Sequence[Mapping[str, Any]]) -> list[pb.InvoiceLine]:
    return [pb.InvoiceLine(**line) for line in snapshot]


def invoice(known: Invoice, snapshot: Sequence[Mapping[str, Any]] = ()) -> pb.Invoice:
    return pb.Invoice(
        id=known.id,
        show_id=known.show_id,
        buyer_id=known.buyer_id,
        platform=known.platform,
        platform_user_id=known.platform_user_id,
        handle=known.handle,
        display_name=known.display_name,
        email=known.email,
        status=STATUSES[known.status],
        draft_reason=DRAFT_REASONS[known.draft_reason],
        status_reason=known.status_reason,
        total=known.total,
        currency=known.currency,
        line_count=known.line_count,
        unpriced_count=known.unpriced_count,
        revision=known.revision,
        attempt=known.attempt,
        version=known.version,
        provider=known.provider,
        external_id=known.external_id,
        external_url=known.external_url,
        provider_url=known.provider_url,
        external_account=known.external_account,
        livemode=known.livemode,
        number=known.number,
        paid_time=to_proto(known.paid_at),
        sent_time=to_proto(known.sent_at),
        send_count=known.send_count,
        create_time=to_proto(known.created_at),
        update_time=to_proto(known.updated_at),
        pay_path=known.pay_path,
        adjusted_at_provider=known.adjusted_at_provider,
        lines=lines(snapshot),
        opened_count=known.opened_count,
        paid_outside=known.paid_outside,
        first_opened_time=to_proto(known.first_opened_at),
        priced_since=known.priced_since,
        provider_request_id=known.provider_request,
        being_made=known.being_made,
    )


_STRAIGHT: Final = (
    *("platform", "platform_user_id", "handle", "display_name", "email", "status_reason", "total", "currency"),
    *("line_count", "unpriced_count", "revision", "attempt", "version", "provider", "external_id", "external_url"),
    *("provider_url", "external_account", "livemode", "number", "send_count", "adjusted_at_provider", "paid_outside"),
)


def listed_invoice(row: asyncpg.Record, beside: Beside) -> pb.Invoice:
    """A row of invoice_records as `invoice` renders it, without the domain's value between: a page is full of them."""
    token, buyer_id = row["pay_token"], str(row["buyer_id"])
    opened_count, first_opened_at = beside.openings.get(buyer_id, (0, None))
    return pb.Invoice(
        id=str(row["id"]),
        show_id=str(row["show_id"]),
        buyer_id=buyer_id,
        opened_count=opened_count,
        first_opened_time=to_proto(first_opened_at),
        priced_since=buyer_id in beside.priced,
        provider_request_id=beside.requests.get(str(row["id"]), ""),
        being_made=str(row["id"]) in beside.in_hand,
        status=STATUSES[row["status"]],
        draft_reason=DRAFT_REASONS[row["draft_reason"]],
        paid_time=to_proto(row["paid_at"]),
        sent_time=to_proto(row["sent_at"]),
        create_time=to_proto(row["created_at"]),
        update_time=to_proto(row["updated_at"]),
        pay_path=f"/p/{token}" if token else "",
        **{name: row[name] for name in _STRAIGHT},
    )


def page(listed: Page, statuses: Sequence[Status], next_page_token: str) -> pb.ListInvoicesResponse:
    """`statuses` are those that were asked for; all when empty."""
    return pb.ListInvoicesResponse(
        invoices=[listed_invoice(row, listed.beside) for row in listed.rows],
        next_page_token=next_page_token,
        seq=listed.seq,
        total_size=sum(listed.counts.get(status, 0) for status in statuses or Status),
        status_counts=[pb.StatusCount(status=STATUSES[status], count=count) for status, count in listed.counts.items()],
    )


def change(row: asyncpg.Record) -> pb.InvoiceChange:
    return pb.InvoiceChange(
        from_status=STATUSES[Status(row["from_status"])] if row["from_status"] else pb.INVOICE_STATUS_UNSPECIFIED,
        to_status=STATUSES[Status(row["to_status"])],
        reason=row["reason"],
        actor=row["actor"],
        create_time=to_proto(row["created_at"]),
        version=row["version"],
        provider_request_id=row["provider_request"],
    )


def plan(known: Plan, currency: str) -> pb.PlanGenerationResponse:
    return pb.PlanGenerationResponse(
        entries=[_entry(entry) for entry in known.entries],
        plan_hash=known.hash,
        warnings=[_WARNINGS[warning] for warning in known.warnings],
        currency=currency,
        create_total=known.create_total,
    )


def _entry(entry: Entry) -> pb.PlanEntry:
    owed = entry.owed
    counts = {
        "claim_count": owed.claim_count,
        "line_count": owed.line_count,
        "unpriced_count": owed.unpriced_count,
        "total": owed.total,
    }
    return pb.PlanEntry(
        buyer=buyer(entry.buyer, counts),
        action=_ACTIONS[entry.action],
        reason=entry.reason,
        warnings=[_WARNINGS[warning] for warning in entry.warnings],
        total=owed.total,
        invoiced_total=entry.billed.total if entry.billed else None,
        invoice_id=entry.billed.invoice_id if entry.billed else "",
        change=_change(entry.proposal) if entry.proposal else None,
    )


def _change(proposal: Proposal) -> pb.PlannedChange:
    return pb.PlannedChange(
        kind=_CHANGES[proposal.change],
        before=proposal.before,
        after=proposal.after,
        difference=proposal.difference,
        sentence=proposal.sentence,
        optional=proposal.optional,
        draft_reason=DRAFT_REASONS[proposal.draft_reason],
    )


def generation(row: asyncpg.Record) -> pb.Generation:
    counts, pace = repository.counts(row), repository.pace(row, datetime.now(UTC))
    return pb.Generation(
        id=str(row["id"]),
        show_id=str(row["show_id"]),
        state=pb.GenerationState.Value(f"GENERATION_STATE_{row['state'].upper()}"),
        total_count=row["total_count"],
        created_count=row["created_count"],
        failed_count=row["failed_count"],
        pending_count=counts.pending,
        cancelled_count=counts.cancelled,
        rate=pace.rate,
        remaining_time=to_duration(pace.remaining),
        draft_count=row["draft_count"],
        unchanged_count=row["unchanged_count"],
        skipped_buyers=[pb.SkippedBuyer(**skipped) for skipped in row["skipped_buyers"]],
        create_time=to_proto(row["created_at"]),
        finish_time=to_proto(row["finished_at"]),
        actor=row["actor"],
        change_count=row["change_count"],
        marks_paid=row["marks_paid"],
    )


def summary(
    show_row: asyncpg.Record, parts: Mapping[str, tuple[int, int]], trend: Sequence[asyncpg.Record] = ()
) -> pb.GetShowSummaryResponse:
    return pb.GetShowSummaryResponse(
        currency=show_row["currency"],
        seq=show_row["seq"],
        balanced=parts.get("unexplained", (0, 0)) == (0, 0),
        trend=[pb.TrendPoint(time=to_proto(at["time"]), collected=at["collected"], count=at["count"]) for at in trend],
        **{name: pb.SummaryPart(amount=amount, count=count) for name, (amount, count) in parts.items()},  # type: ignore[arg-type]  # fields named after parts
    )


def hearing(one: Heard) -> pb.GetHearingResponse:
    return pb.GetHearingResponse(
        mode=pb.HearingMode.Value(f"HEARING_MODE_{one.mode.name}"),
        sentence=one.sentence,
        last_heard_time=to_proto(one.last_heard_at),
        last_success_time=to_proto(one.sweep.succeeded_at),
        last_try_time=to_proto(one.sweep.tried_at),
        failure=one.sweep.failure,
        account_id=one.connection.account_id,
        livemode=one.connection.livemode,
        unpaid_invoice_count=one.unpaid_count,
        event_count=one.event_count,
        told_event_count=one.told_count,
        read_event_count=one.read_count,
        last_event_type=one.last_event_type,
        last_event_time=to_proto(one.last_event_at),
    )
