"""InvoicesService: each method reads the request, makes one call, renders the answer."""

from typing import Any, Final

import grpc

from services.common.context import identity
from services.common.errors import Fault, require
from services.common.ids import parse_id
from services.invoicing import parse, parse_invoices, parse_listing, render, render_verification
from services.invoicing.amend_servicer import AmendServicer, Changes
from services.invoicing.deliver import Deliveries, Wish
from services.invoicing.generate import Generations
from services.invoicing.hearing import Hearing
from services.invoicing.invoices import Invoices
from services.invoicing.listing import Listing
from services.invoicing.paylinks import PayLinks
from services.invoicing.settle import Settlement
from services.invoicing.shows import Shows
from services.invoicing.verify import Verification
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]

_CHANNELS: Final = {
    pb.DELIVERY_CHANNEL_EMAIL: "email",
    pb.DELIVERY_CHANNEL_DM: "dm",
    pb.DELIVERY_CHANNEL_MANUAL: "manual",
}


class InvoicesServicer(AmendServicer):
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
        hearing: Hearing,
        verification: Verification,
        changes: Changes,
    ) -> None:
        super().__init__(changes)
        self._shows = shows
        self._invoices = invoices
        self._listing = listing
        self._generations = generations
        self._deliveries = deliveries
        self._settlement = settlement
        self._pay_links = pay_links
        self._hearing = hearing
        self._verification = verification

    async def PlanGeneration(self, request: pb.PlanGenerationRequest, context: Context) -> pb.PlanGenerationResponse:
        plan, currency = await self._generations.plan(identity(), parse_invoices.asked(request))
        return render.plan(plan, currency)

    async def StartGeneration(self, request: pb.StartGenerationRequest, context: Context) -> pb.StartGenerationResponse:
        run = await self._generations.start(identity(), parse_invoices.asked(request))
        return pb.StartGenerationResponse(generation=render.generation(run))

    async def GetGeneration(self, request: pb.GetGenerationRequest, context: Context) -> pb.GetGenerationResponse:
        generation_id = parse_id(request.generation_id, "generation")
        run = await self._generations.get(identity().workspace_id, generation_id)
        return pb.GetGenerationResponse(generation=render.generation(run))

    async def RetryInvoices(self, request: pb.RetryInvoicesRequest, context: Context) -> pb.RetryInvoicesResponse:
        require(parse.id_faults("invoice_ids", request.invoice_ids, "an invoice"))
        run = await self._generations.retry(
            identity(), parse_id(request.show_id, "show"), list(request.invoice_ids), parse.provider("")
        )
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
        faults = parse.text_fault("pay_link_base", request.pay_link_base, 500, least=1)
        if request.channel not in _CHANNELS:
            faults.append(Fault("channel", "The channel is not email, dm or manual."))
        require(faults)
        wish = Wish(
            show_id=parse_id(request.show_id, "show"),
            invoice_id=parse_id(request.invoice_id, "invoice"),
            channel=_CHANNELS[request.channel],
            request_id=parse.request_id(request.request_id),
            pay_link_base=request.pay_link_base,
        )
        invoice, delivery = await self._deliveries.send(identity(), wish)
        return pb.SendInvoiceResponse(invoice=render.invoice(invoice), delivery=render.delivery(delivery))

    async def ApplyProviderEvents(
        self, request: pb.ApplyProviderEventsRequest, context: Context
    ) -> pb.ApplyProviderEventsResponse:
        events = parse_invoices.events(request.events)
        outcomes = await self._settlement.apply(events)
        await self._hearing.note(events)
        return pb.ApplyProviderEventsResponse(outcomes=[render.OUTCOMES[outcome] for outcome in outcomes])

    async def ResolvePayLink(self, request: pb.ResolvePayLinkRequest, context: Context) -> pb.ResolvePayLinkResponse:
        page = await self._pay_links.resolve(request.token, count_opening=request.count_opening)
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
        )

    async def VerifyShow(self, request: pb.VerifyShowRequest, context: Context) -> pb.VerifyShowResponse:
        show, report = await self._verification.prove(identity(), parse_id(request.show_id, "show"))
        return render_verification.verification(show, report)

    async def GetHearing(self, request: pb.GetHearingRequest, context: Context) -> pb.GetHearingResponse:
        return render.hearing(await self._hearing.tell(identity(), parse.provider(request.provider)))

    async def GetShowSummary(self, request: pb.GetShowSummaryRequest, context: Context) -> pb.GetShowSummaryResponse:
        show, parts = await self._shows.summary(identity().workspace_id, parse_id(request.show_id, "show"))
        return render.summary(show, parts)
