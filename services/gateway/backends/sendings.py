"""The invoicing service: links sent to many, and every attempt to deliver one."""

from typing import Final

from services.common.client import GrpcClient
from services.common.context import Identity
from services.gateway.backends import invoice_views as views
from services.gateway.backends.convert import enum_names, moment
from services.gateway.schemas.sendings import DeliveryPage, PayLinkView, SendingState, SendingView, SendManyBody
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub

_STARTING: Final = 30.0
_STATES: Final[dict[int, SendingState]] = enum_names(pb.SendingState.DESCRIPTOR, "SENDING_STATE_")


class Sendings:
    """Sendings of the caller's workspace."""

    def __init__(self, client: GrpcClient, base: str) -> None:
        """`base` is our public address, that pay links in messages begin with."""
        self._client = client
        self._base = base
        self._stub = InvoicesServiceStub(client.channel)

    async def begin(self, caller: Identity, show_id: str, body: SendManyBody, request_id: str) -> SendingView:
        """`request_id` makes the call idempotent; empty when the caller gave none."""
        request = pb.SendInvoicesRequest(
            show_id=show_id,
            invoice_ids=body.invoice_ids,
            channel=views.channel_number(body.channel),
            channel_without_email=views.channel_number(body.channel_without_email),
            request_id=request_id,
            pay_link_base=self._base,
            most_count=body.most_count,
        )
        answer = await self._client.call(self._stub.SendInvoices, request, caller, timeout=_STARTING)
        return _sending(answer.sending)

    async def get(self, caller: Identity, sending_id: str) -> SendingView:
        request = pb.GetSendingRequest(sending_id=sending_id)
        return _sending((await self._client.call(self._stub.GetSending, request, caller)).sending)

    async def deliveries(self, caller: Identity, sending_id: str, page_size: int, page_token: str) -> DeliveryPage:
        request = pb.ListDeliveriesRequest(sending_id=sending_id, page_size=page_size, page_token=page_token)
        return _page(await self._client.call(self._stub.ListDeliveries, request, caller))

    async def deliveries_of(
        self, caller: Identity, show_id: str, invoice_id: str, page_size: int, page_token: str
    ) -> DeliveryPage:
        request = pb.ListDeliveriesRequest(
            show_id=show_id, invoice_id=invoice_id, page_size=page_size, page_token=page_token
        )
        return _page(await self._client.call(self._stub.ListDeliveries, request, caller))

    async def revoke_pay_link(self, caller: Identity, show_id: str, buyer_id: str) -> PayLinkView:
        request = pb.RevokePayLinkRequest(show_id=show_id, buyer_id=buyer_id)
        answer = await self._client.call(self._stub.RevokePayLink, request, caller)
        return PayLinkView(pay_path=answer.pay_path)


def _page(answer: pb.ListDeliveriesResponse) -> DeliveryPage:
    items = [views.delivery(one) for one in answer.deliveries]
    return DeliveryPage(items=items, next_page_token=answer.next_page_token)


def _sending(run: pb.Sending) -> SendingView:
    return SendingView(
        id=run.id,
        show_id=run.show_id,
        state=_STATES[run.state],
        total_count=run.total_count,
        queued_count=run.queued_count,
        requested_count=run.requested_count,
        delivered_count=run.delivered_count,
        failed_count=run.failed_count,
        skipped_count=run.skipped_count,
        created_at=moment(run.create_time),
        finished_at=moment(run.finish_time),
        actor=run.actor,
    )
