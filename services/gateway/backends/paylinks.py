"""The invoicing service: what a pay link of any workspace leads to."""

from typing import Final

from services.common.client import GrpcClient
from services.common.context import Identity
from services.gateway.backends.convert import moment
from services.gateway.backends.invoice_views import DRAFT_REASON, STATUS, lines
from services.gateway.schemas.paylink import PayLink
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub

_ANYBODY: Final = Identity(workspace_id="", actor="worker:pay-link")


class PayLinks:
    """Links, by the unguessable part of their address. Raise RemoteError of kind NOT_FOUND for unknown and revoked."""

    def __init__(self, client: GrpcClient) -> None:
        self._client = client
        self._stub = InvoicesServiceStub(client.channel)

    async def resolve(self, token: str) -> PayLink:
        """What the link shows, and where it leads now."""
        request = pb.ResolvePayLinkRequest(token=token)
        return _pay_link(await self._client.call(self._stub.ResolvePayLink, request, _ANYBODY))

    async def count_opening(self, token: str) -> None:
        """Counts that the buyer opened it."""
        request = pb.ResolvePayLinkRequest(token=token, count_opening=True)
        await self._client.call(self._stub.ResolvePayLink, request, _ANYBODY)


def _pay_link(answer: pb.ResolvePayLinkResponse) -> PayLink:
    return PayLink(
        show_name=answer.show_name,
        show_date=answer.show_date,
        handle=answer.handle,
        status=STATUS[answer.status],
        total=answer.total,
        currency=answer.currency,
        lines=lines(answer.lines),
        external_url=answer.external_url,
        draft_reason=DRAFT_REASON[answer.draft_reason],
        payment_instructions=answer.payment_instructions,
        number=answer.number,
        paid_at=moment(answer.paid_time),
        livemode=answer.livemode,
        replaces_earlier=answer.replaces_earlier,
        paid_before=answer.paid_before,
    )
