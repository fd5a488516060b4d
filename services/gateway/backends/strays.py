"""The invoicing service: payments that count for no invoice."""

from typing import Final

from services.common.client import GrpcClient
from services.common.context import Identity
from services.gateway.backends.convert import enum_names, enum_numbers, moment
from services.gateway.schemas.strays import StrayPaymentPage, StrayPaymentView, StraySettlement
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub

SETTLEMENT: Final[dict[int, StraySettlement | None]] = enum_names(pb.StraySettlement.DESCRIPTOR, "STRAY_SETTLEMENT_")
_NUMBERS: Final = enum_numbers(pb.StraySettlement.DESCRIPTOR, "STRAY_SETTLEMENT_")


class StrayPayments:
    """Of the caller's workspace."""

    def __init__(self, client: GrpcClient) -> None:
        self._client = client
        self._stub = InvoicesServiceStub(client.channel)

    async def list(
        self, caller: Identity, show_id: str, page_size: int, page_token: str, *, with_settled: bool = False
    ) -> StrayPaymentPage:
        request = pb.ListStrayPaymentsRequest(
            show_id=show_id, page_size=page_size, page_token=page_token, with_settled=with_settled
        )
        answer = await self._client.call(self._stub.ListStrayPayments, request, caller)
        return StrayPaymentPage([_view(one) for one in answer.stray_payments], answer.next_page_token)

    async def settle(
        self, caller: Identity, show_id: str, payment_id: str, settlement: str, note: str
    ) -> StrayPaymentView:
        """A settlement that is none is refused there."""
        number: pb.StraySettlement.ValueType = _NUMBERS.get(settlement, pb.STRAY_SETTLEMENT_UNSPECIFIED)
        request = pb.SettleStrayPaymentRequest(
            show_id=show_id, stray_payment_id=payment_id, settlement=number, note=note
        )
        answer = await self._client.call(self._stub.SettleStrayPayment, request, caller)
        return _view(answer.stray_payment)


def _view(one: pb.StrayPayment) -> StrayPaymentView:
    return StrayPaymentView(
        id=one.id,
        show_id=one.show_id,
        invoice_id=one.invoice_id,
        handle=one.handle,
        display_name=one.display_name,
        platform_user_id=one.platform_user_id,
        provider=one.provider,
        external_account=one.external_account,
        livemode=one.livemode,
        external_id=one.external_id,
        provider_url=one.provider_url,
        total=one.total,
        currency=one.currency,
        paid_at=moment(one.paid_time),
        noted_at=moment(one.note_time),
        settlement=SETTLEMENT[one.settlement],
        note=one.note,
        settled_by=one.settled_by,
        settled_at=moment(one.settle_time),
    )
