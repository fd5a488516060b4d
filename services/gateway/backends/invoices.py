"""The invoicing service: plans, generations, invoices and pay links."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import asdict

from services.common.client import GrpcClient
from services.common.context import Identity
from services.gateway.backends import invoice_views as views
from services.gateway.backends.convert import STREAM, requests_of
from services.gateway.schemas.invoices import (
    Channel,
    GenerateBody,
    GenerationView,
    InvoiceDetail,
    InvoiceHistory,
    InvoicePage,
    InvoiceSort,
    InvoiceStatus,
    InvoiceView,
    PlanView,
    RetryView,
    SentView,
    SummaryView,
)
from services.gateway.schemas.marks import MarksTaken, PaidMark
from services.gateway.schemas.shows import RejectedRow
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub

_PLANNING: Final = 20.0
_STARTING: Final = 30.0
_SENDING: Final = 20.0
_CHANGING: Final = 58.0
"""Seconds for calls that do more than read a page."""


_ORDERS: Final = {"amount": "total", "updated": "update_time", "items": "line_count"}
"""Where the contract names an order otherwise than REST."""


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """Which page of a show's invoices."""

    page_size: int = 0
    page_token: str = ""
    statuses: Sequence[InvoiceStatus] = ()
    search: str = ""
    sort: InvoiceSort = ""
    ids: Sequence[str] = ()
    """Only these, on one page."""


def _order_by(sort: InvoiceSort) -> str:
    name = sort.removeprefix("-")
    return _ORDERS.get(name, name) + (" desc" if sort.startswith("-") else "")


class Invoices:
    """Invoices of the caller's workspace."""

    def __init__(self, client: GrpcClient, base: str) -> None:
        """`base` is our public address, that pay links in messages begin with."""
        self._client = client
        self._base = base
        self._stub = InvoicesServiceStub(client.channel)

    async def plan(
        self,
        caller: Identity,
        show_id: str,
        provider: str = "",
        *,
        apply_changes: bool = False,
        reissue_for_email: bool = False,
    ) -> PlanView:
        request = pb.PlanGenerationRequest(
            show_id=show_id, provider=provider, apply_changes=apply_changes, reissue_for_email=reissue_for_email
        )
        answer = await self._client.call(self._stub.PlanGeneration, request, caller, timeout=_PLANNING)
        return await asyncio.to_thread(views.plan, answer)  # of ten thousands, while others are served

    async def generate(self, caller: Identity, show_id: str, body: GenerateBody, request_id: str) -> GenerationView:
        """`request_id` makes the call idempotent; empty when the caller gave none."""
        request = pb.StartGenerationRequest(
            show_id=show_id,
            buyer_ids=body.buyer_ids,
            plan_hash=body.plan_hash,
            request_id=request_id,
            provider=body.provider,
            apply_changes=body.apply_changes,
            reissue_for_email=body.reissue_for_email,
            except_buyer_ids=body.except_buyer_ids,
            pay_link_base=self._base,
            automatic_sending=body.automatic_sending,
            expected_total=body.expected_total,
        )
        answer = await self._client.call(self._stub.StartGeneration, request, caller, timeout=_STARTING)
        return views.generation(answer.generation)

    async def generation(self, caller: Identity, generation_id: str) -> GenerationView:
        request = pb.GetGenerationRequest(generation_id=generation_id)
        return views.generation((await self._client.call(self._stub.GetGeneration, request, caller)).generation)

    async def cancel(self, caller: Identity, generation_id: str) -> GenerationView:
        request = pb.CancelGenerationRequest(generation_id=generation_id)
        answer = await self._client.call(self._stub.CancelGeneration, request, caller, timeout=_CHANGING)
        return views.generation(answer.generation)

    async def list(self, caller: Identity, show_id: str, wanted: InvoiceQuery) -> InvoicePage:
        request = pb.ListInvoicesRequest(
            show_id=show_id,
            page_size=wanted.page_size,
            page_token=wanted.page_token,
            statuses=[views.STATUS_NUMBERS[status] for status in wanted.statuses],
            query=wanted.search,
            order_by=_order_by(wanted.sort),
            invoice_ids=wanted.ids,
        )
        return views.page(await self._client.call(self._stub.ListInvoices, request, caller))

    async def get(self, caller: Identity, show_id: str, invoice_id: str) -> InvoiceDetail:
        request = pb.GetInvoiceRequest(show_id=show_id, invoice_id=invoice_id)
        return views.detail((await self._client.call(self._stub.GetInvoice, request, caller)).invoice)

    async def history(self, caller: Identity, show_id: str, invoice_id: str) -> InvoiceHistory:
        request = pb.ListInvoiceHistoryRequest(show_id=show_id, invoice_id=invoice_id)
        answer = await self._client.call(self._stub.ListInvoiceHistory, request, caller)
        return InvoiceHistory(items=[views.change(change) for change in answer.changes])

    async def void(self, caller: Identity, show_id: str, invoice_id: str) -> InvoiceView:
        request = pb.VoidInvoiceRequest(show_id=show_id, invoice_id=invoice_id)
        answer = await self._client.call(self._stub.VoidInvoice, request, caller, timeout=_CHANGING)
        return views.invoice(answer.invoice)

    async def mark_paid(
        self, caller: Identity, show_id: str, invoice_id: str, note: str, amount: int | None = None
    ) -> InvoiceView:
        """`amount` in minor units, where the caller says over how much: it is not marked over any other."""
        request = pb.MarkPaidRequest(show_id=show_id, invoice_id=invoice_id, note=note, amount=amount)
        answer = await self._client.call(self._stub.MarkPaid, request, caller, timeout=_CHANGING)
        return views.invoice(answer.invoice)

    async def stream_marks(
        self,
        caller: Identity,
        show_id: str,
        batches: AsyncIterator[Sequence[PaidMark]],
        all_or_none: bool,
        validate_only: bool = False,
    ) -> MarksTaken:
        """Any number; what cannot be taken is answered with its place and reason."""

        def request(marks: Sequence[PaidMark]) -> pb.StreamMarksRequest:
            told = [pb.PaidMark(**asdict(mark)) for mark in marks]
            return pb.StreamMarksRequest(
                show_id=show_id, marks=told, all_or_none=all_or_none, validate_only=validate_only
            )

        answer = await self._client.feed(self._stub.StreamMarks, requests_of(batches, request), caller, timeout=STREAM)
        return MarksTaken(
            created=0,
            updated=answer.updated_count,
            unchanged=answer.unchanged_count,
            rejected=[RejectedRow(index=one.index, reason=one.reason) for one in answer.rejected_marks],
            rejected_count=answer.rejected_count,
            total=answer.updated_total,
            currency=answer.currency,
            generation_ids=[*answer.generation_ids],
        )

    async def finalize(self, caller: Identity, show_id: str, invoice_id: str) -> InvoiceView:
        request = pb.FinalizeInvoiceRequest(show_id=show_id, invoice_id=invoice_id)
        answer = await self._client.call(self._stub.FinalizeInvoice, request, caller, timeout=_CHANGING)
        return views.invoice(answer.invoice)

    async def update_draft(self, caller: Identity, show_id: str, invoice_id: str) -> InvoiceView:
        request = pb.UpdateDraftRequest(show_id=show_id, invoice_id=invoice_id)
        answer = await self._client.call(self._stub.UpdateDraft, request, caller, timeout=_CHANGING)
        return views.invoice(answer.invoice)

    async def send(
        self, caller: Identity, show_id: str, invoice_id: str, channel: Channel | None, request_id: str
    ) -> SentView:
        """Without a channel by e-mail where that can be, else to be copied by hand."""
        request = pb.SendInvoiceRequest(
            show_id=show_id,
            invoice_id=invoice_id,
            channel=views.channel_number(channel),
            request_id=request_id,
            pay_link_base=self._base,
        )
        answer = await self._client.call(self._stub.SendInvoice, request, caller, timeout=_SENDING)
        return SentView(invoice=views.invoice(answer.invoice), delivery=views.delivery(answer.delivery))

    async def retry(self, caller: Identity, show_id: str, invoice_ids: Sequence[str]) -> RetryView:
        request = pb.RetryInvoicesRequest(show_id=show_id, invoice_ids=invoice_ids)
        answer = await self._client.call(self._stub.RetryInvoices, request, caller, timeout=_STARTING)
        generation = views.generation(answer.generation) if answer.HasField("generation") else None
        return RetryView(retried_count=answer.retried_count, generation=generation)

    async def summary(self, caller: Identity, show_id: str) -> SummaryView:
        request = pb.GetShowSummaryRequest(show_id=show_id)
        return views.summary(await self._client.call(self._stub.GetShowSummary, request, caller))
