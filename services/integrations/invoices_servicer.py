"""The InvoiceProviderService of the contract: read the request, call the use case, render the answer."""

from typing import Any, Protocol

import grpc

from services.common.context import identity
from services.common.ids import parse_id
from services.common.paging import decode_token, encode_token, page_size
from services.common.timestamps import from_proto
from services.integrations import rendering
from services.integrations.invoice_values import InvoiceRef
from services.integrations.issuing import Issuing, Target
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as rpc

LARGEST_PAGE = 100

Context = grpc.aio.ServicerContext[Any, Any]

NO_MAIL_IN_TEST_MODE = "This connection is in test mode: the provider marks the invoice as sent, but mails nothing."


class _Targeted(Protocol):
    @property
    def provider(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def livemode(self) -> bool: ...


class _Referring(Protocol):
    @property
    def external_id(self) -> str: ...
    @property
    def invoice_id(self) -> str: ...
    @property
    def revision(self) -> int: ...


def _target(request: _Targeted) -> Target:
    background = getattr(request, "background", False)  # only some can be asked for so
    return Target(identity().workspace_id, request.provider, request.account_id, request.livemode, background)


def _ref(request: _Referring) -> InvoiceRef:
    return InvoiceRef(request.external_id, parse_id(request.invoice_id, "invoice"), request.revision)


def _after(page_token: str) -> str:
    key = decode_token(page_token, (str,))
    return str(key[0]) if key else ""


class InvoiceProviderServicer(rpc.InvoiceProviderServiceServicer):
    """See integrations.proto for what each method promises."""

    def __init__(self, issuing: Issuing) -> None:
        self._issuing = issuing

    async def CreateInvoice(self, request: pb.CreateInvoiceRequest, context: Context) -> pb.CreateInvoiceResponse:
        rendering.check_order(request)
        made = await self._issuing.create(_target(request), lambda settings: rendering.order(request, settings))
        return pb.CreateInvoiceResponse(invoice=rendering.invoice(made))

    async def UpdateDraft(self, request: pb.UpdateDraftRequest, context: Context) -> pb.UpdateDraftResponse:
        rendering.check_content(request)
        done = await self._issuing.update_draft(_target(request), _ref(request), rendering.content(request))
        return pb.UpdateDraftResponse(invoice=rendering.invoice(done), other_lines=done.other_lines)

    async def FindInvoice(self, request: pb.FindInvoiceRequest, context: Context) -> pb.FindInvoiceResponse:
        rendering.check_buyer(request.buyer)
        invoice_id = parse_id(request.invoice_id, "invoice")
        found = await self._issuing.find(_target(request), rendering.buyer(request.buyer), invoice_id, request.revision)
        return pb.FindInvoiceResponse(invoice=rendering.invoice(found) if found else None)

    async def FinalizeInvoice(self, request: pb.FinalizeInvoiceRequest, context: Context) -> pb.FinalizeInvoiceResponse:
        done = await self._issuing.finalize(_target(request), _ref(request), request.total, request.currency)
        return pb.FinalizeInvoiceResponse(invoice=rendering.invoice(done))

    async def SendInvoice(self, request: pb.SendInvoiceRequest, context: Context) -> pb.SendInvoiceResponse:
        sent = await self._issuing.send(_target(request), _ref(request), request.delivery_id)
        warning = "" if request.livemode else NO_MAIL_IN_TEST_MODE
        return pb.SendInvoiceResponse(invoice=rendering.invoice(sent), warning=warning)

    async def MarkPaid(self, request: pb.MarkPaidRequest, context: Context) -> pb.MarkPaidResponse:
        done = await self._issuing.mark_paid(_target(request), _ref(request), request.total, request.currency)
        invoice, outside = rendering.invoice(done), done.paid_outside
        return pb.MarkPaidResponse(invoice=invoice, paid_before=done.paid_before, paid_outside=outside)

    async def VoidInvoice(self, request: pb.VoidInvoiceRequest, context: Context) -> pb.VoidInvoiceResponse:
        done = await self._issuing.void(_target(request), _ref(request))
        return pb.VoidInvoiceResponse(invoice=rendering.invoice(done))

    async def GetInvoice(self, request: pb.GetInvoiceRequest, context: Context) -> pb.GetInvoiceResponse:
        found = await self._issuing.read(_target(request), request.external_id)
        return pb.GetInvoiceResponse(invoice=rendering.invoice(found))

    async def ListInvoices(self, request: pb.ListInvoicesRequest, context: Context) -> pb.ListInvoicesResponse:
        size = page_size(request.page_size, LARGEST_PAGE, LARGEST_PAGE)
        after = _after(request.page_token)
        created = (from_proto(request.create_time_from), from_proto(request.create_time_to))
        page = await self._issuing.list(_target(request), created, size, after)
        return pb.ListInvoicesResponse(
            invoices=[rendering.invoice(one) for one in page.invoices],
            next_page_token=encode_token(page.next_after) if page.next_after else "",
        )

    async def ListChangedInvoices(
        self, request: pb.ListChangedInvoicesRequest, context: Context
    ) -> pb.ListChangedInvoicesResponse:
        size, after = page_size(request.page_size, LARGEST_PAGE, LARGEST_PAGE), _after(request.page_token)
        target = _target(request)
        integration_id, page = await self._issuing.changed(target, from_proto(request.occur_time_from), size, after)
        return pb.ListChangedInvoicesResponse(
            events=rendering.listed_events(page.events, request.provider, target.workspace_id, integration_id),
            next_page_token=encode_token(page.next_after) if page.next_after else "",
            unreadable_external_ids=page.unreadable,
        )
