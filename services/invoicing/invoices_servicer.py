"""InvoicesService: each method reads the request, makes one call, renders the answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from services.common import paging
from services.common.context import identity
from services.common.errors import require
from services.common.ids import parse_id
from services.invoicing import (
    parse,
    parse_invoices,
    parse_listing,
    parse_sending,
    render,
    render_sending,
    render_verification,
)
from services.invoicing.amend_servicer import Changes
from services.invoicing.deliver import Deliveries
from services.invoicing.desk import Desk
from services.invoicing.desk_servicer import DeskServicer
from services.invoicing.generate import Generations
from services.invoicing.hearing import Hearing
from services.invoicing.invoices import Invoices
from services.invoicing.listing import Listing
from services.invoicing.looking import Listed
from services.invoicing.paylinks import PayLinks
from services.invoicing.sendings import Sendings
from services.invoicing.settle import Settlement
from services.invoicing.shows import Shows
from services.invoicing.verify import Verification
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]


class InvoicesServicer(DeskServicer):
    """Invoices, generations, deliveries, provider events and pay links."""

    def __init__(
        self,
        shows: Shows,
        invoices: Invoices,
        listing: Listing,
        generations: Generations,
        deliveries: Deliveries,
        settlement: Settlement,
        pay_links: PayLinks,
        sendings: Sendings,
        hearing: Hearing,
        verification: Verification,
        changes: Changes,
        desk: Desk,
    ) -> None:
        super().__init__(changes, desk)
        self._shows = shows
        self._invoices = invoices
        self._listing = listing
        self._generations = generations
        self._deliveries = deliveries
        self._settlement = settlement
        self._pay_links = pay_links
        self._sendings = sendings
        self._hearing = hearing
        self._verification = verification

    async def PlanGeneration(self, request: pb.PlanGenerationRequest, context: Context) -> pb.PlanGenerationResponse:
        plan, currency = await self._generations.plan(identity(), parse_invoices.asked(request))
        return await asyncio.to_thread(render.plan, plan, currency)

    async def StartGeneration(self, request: pb.StartGenerationRequest, context: Context) -> pb.StartGenerationResponse:
        run = await self._generations.start(identity(), parse_invoices.asked(request))
        return pb.StartGenerationResponse(generation=render.generation(run))

    async def GetGeneration(self, request: pb.GetGenerationRequest, context: Context) -> pb.GetGenerationResponse:
        generation_id = parse_id(request.generation_id, "generation")
        run = await self._generations.get(identity().workspace_id, generation_id)
        return pb.GetGenerationResponse(generation=render.generation(run))

    async def RetryInvoices(self, request: pb.RetryInvoicesRequest, context: Context) -> pb.RetryInvoicesResponse:
        require(parse.id_faults("invoice_ids", request.invoice_ids, "an invoice"))
        run = await self._generations.retry(identity(), parse_id(request.show_id, "show"), list(request.invoice_ids))
        if run is None:
            return pb.RetryInvoicesResponse()
        return pb.RetryInvoicesResponse(retried_count=run["total_count"], generation=render.generation(run))

    async def ListInvoices(self, request: pb.ListInvoicesRequest, context: Context) -> pb.ListInvoicesResponse:
        wanted = parse_listing.wanted(request)
        page = await self._listing.page(identity().workspace_id, wanted)
        return render.page(page, wanted.statuses, parse_listing.next_token(page))

    async def GetInvoice(self, request: pb.GetInvoiceRequest, context: Context) -> pb.GetInvoiceResponse:
        show_id, invoice_id = parse_id(request.show_id, "show"), parse_id(request.invoice_id, "invoice")
        invoice, lines = await self._invoices.get(identity().workspace_id, show_id, invoice_id)
        return pb.GetInvoiceResponse(invoice=render.invoice(invoice, lines))

    async def ListInvoiceHistory(
        self, request: pb.ListInvoiceHistoryRequest, context: Context
    ) -> pb.ListInvoiceHistoryResponse:
        show_id, invoice_id = parse_id(request.show_id, "show"), parse_id(request.invoice_id, "invoice")
        rows = await self._invoices.history(identity().workspace_id, show_id, invoice_id)
        return pb.ListInvoiceHistoryResponse(changes=[render.change(row) for row in rows])

    async def SendInvoice(self, request: pb.SendInvoiceRequest, context: Context) -> pb.SendInvoiceResponse:
        invoice, delivery = await self._deliveries.send(identity(), parse_sending.wish(request))
        return pb.SendInvoiceResponse(invoice=render.invoice(invoice), delivery=render_sending.delivery(delivery))

    async def SendInvoices(self, request: pb.SendInvoicesRequest, context: Context) -> pb.SendInvoicesResponse:
        run = render_sending.sending(await self._sendings.begin(identity(), parse_sending.many(request)))
        return pb.SendInvoicesResponse(queued_count=run.total_count, sending=run)

    async def GetSending(self, request: pb.GetSendingRequest, context: Context) -> pb.GetSendingResponse:
        sending_id = parse_id(request.sending_id, "sending")
        run = await self._sendings.get(identity().workspace_id, sending_id)
        return pb.GetSendingResponse(sending=render_sending.sending(run))

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: Context) -> pb.ListDeliveriesResponse:
        size, after = paging.page_size(request.page_size, 200, 1000), parse.id_key(request.page_token)
        workspace_id = identity().workspace_id
        if request.sending_id:
            sending_id = parse_id(request.sending_id, "sending")
            rows = await self._sendings.list(workspace_id, sending_id, after, size + 1)
        else:
            show_id, invoice_id = parse_id(request.show_id, "show"), parse_id(request.invoice_id, "invoice")
            rows = await self._deliveries.list(workspace_id, show_id, invoice_id, after, size + 1)
        return render_sending.deliveries(rows, size)

    async def ReportDelivery(self, request: pb.ReportDeliveryRequest, context: Context) -> pb.ReportDeliveryResponse:
        await self._deliveries.report(identity(), parse_sending.report(request))
        return pb.ReportDeliveryResponse()

    async def ApplyProviderEvents(
        self, request: pb.ApplyProviderEventsRequest, context: Context
    ) -> pb.ApplyProviderEventsResponse:
        events = parse_invoices.events(request.events)
        outcomes = await self._settlement.apply(events)
        await self._hearing.note(events)
        return pb.ApplyProviderEventsResponse(outcomes=[render.OUTCOMES[outcome] for outcome in outcomes])

    async def ResolvePayLink(self, request: pb.ResolvePayLinkRequest, context: Context) -> pb.ResolvePayLinkResponse:
        page = await self._pay_links.resolve(request.token, count_opening=request.count_opening)
        return render_sending.pay_link(page)

    async def RevokePayLink(self, request: pb.RevokePayLinkRequest, context: Context) -> pb.RevokePayLinkResponse:
        show_id, buyer_id = parse_id(request.show_id, "show"), parse_id(request.buyer_id, "buyer")
        return pb.RevokePayLinkResponse(pay_path=await self._pay_links.revoke(identity(), show_id, buyer_id))

    async def VerifyShow(self, request: pb.VerifyShowRequest, context: Context) -> pb.VerifyShowResponse:
        show, report = await self._verification.prove(identity(), parse_id(request.show_id, "show"))
        return render_verification.verification(show, report)

    async def StreamVerification(
        self, request: pb.StreamVerificationRequest, context: Context
    ) -> AsyncIterator[pb.StreamVerificationResponse]:
        async for told in self._verification.follow(identity(), parse_id(request.show_id, "show")):
            if isinstance(told, Listed):
                yield render_verification.progress(told)
            else:
                for part in render_verification.parts(*told):
                    yield part

    async def GetHearing(self, request: pb.GetHearingRequest, context: Context) -> pb.GetHearingResponse:
        provider = parse.provider(request.provider)
        return render.hearing(await self._hearing.tell(identity(), provider, counts=request.with_counts))

    async def GetShowSummary(self, request: pb.GetShowSummaryRequest, context: Context) -> pb.GetShowSummaryResponse:
        show_id = parse_id(request.show_id, "show")
        show, parts = await self._shows.summary(identity().workspace_id, show_id)
        if request.with_mailable:
            chosen = parse_sending.mailable_of(request)
            parts["mailable"] = await self._sendings.mailable(identity(), show_id, chosen)
        answer = render.summary(show, parts, await self._shows.trend(show_id, request.trend_points))
        answer.running_sending_id = await self._shows.running_sending(show)
        if request.with_owed and (owed := await self._shows.owed(show_id)):
            answer.owed.MergeFrom(pb.OwedSummary(**dict(owed)))
        return answer
