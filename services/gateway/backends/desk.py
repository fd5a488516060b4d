"""The invoicing service: links to send by hand, and those that were opened."""

from typing import NamedTuple

from services.common.client import GrpcClient
from services.common.context import Identity
from services.gateway.backends import invoice_views as views
from services.gateway.schemas.invoices import InvoiceRow
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub


class Unsent(NamedTuple):
    """A link that is in nobody's hands yet, with the message to send."""

    invoice: InvoiceRow
    message: str
    link: str


class Queue(NamedTuple):
    """A page of them, and how many there are in all."""

    unsent: list[Unsent]
    total: int
    next_page: str


class Desk:
    """Of the caller's workspace."""

    def __init__(self, client: GrpcClient, base: str) -> None:
        """`base` is our public address, that pay links in messages begin with."""
        self._client = client
        self._base = base
        self._stub = InvoicesServiceStub(client.channel)

    async def unsent(self, caller: Identity, show_id: str, page_size: int, page_token: str) -> Queue:
        request = pb.ListUnsentRequest(
            show_id=show_id, page_size=page_size, page_token=page_token, pay_link_base=self._base
        )
        answer = await self._client.call(self._stub.ListUnsent, request, caller)
        found = [Unsent(views.row(one.invoice), one.message, one.link) for one in answer.unsent]
        return Queue(found, answer.total_size, answer.next_page_token)

    async def opened(self, caller: Identity, show_id: str, page_size: int) -> list[InvoiceRow]:
        """The first to open their link first."""
        request = pb.ListOpenedRequest(show_id=show_id, page_size=page_size)
        answer = await self._client.call(self._stub.ListOpened, request, caller)
        return [views.row(invoice) for invoice in answer.invoices]
