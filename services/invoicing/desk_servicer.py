"""The methods of InvoicesService for the desk from which links are sent by hand."""

from typing import Any

import grpc

from services.common import paging
from services.common.context import identity
from services.common.errors import require
from services.common.ids import parse_id
from services.invoicing import parse, parse_sending, render
from services.invoicing.amend_servicer import Changes
from services.invoicing.desk import Desk
from services.invoicing.stray_servicer import StrayServicer
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]
_USUAL, _LARGEST = 50, 200


class DeskServicer(StrayServicer):
    """See invoicing.proto for what each method promises."""

    def __init__(self, changes: Changes, desk: Desk) -> None:
        super().__init__(changes)
        self._desk = desk

    async def ListUnsent(self, request: pb.ListUnsentRequest, context: Context) -> pb.ListUnsentResponse:
        require(parse_sending.base_faults(request.pay_link_base))
        size, show_id = paging.page_size(request.page_size, _USUAL, _LARGEST), parse_id(request.show_id, "show")
        after = parse.id_key(request.page_token)
        queue = await self._desk.unsent(identity(), show_id, request.pay_link_base, after, size)
        found = [pb.UnsentLink(invoice=render.invoice(o.invoice), message=o.message, link=o.link) for o in queue.unsent]
        more = paging.encode_token(found[-1].invoice.id) if queue.more else ""
        return pb.ListUnsentResponse(unsent=found, total_size=queue.total, next_page_token=more)

    async def ListOpened(self, request: pb.ListOpenedRequest, context: Context) -> pb.ListOpenedResponse:
        size, show_id = paging.page_size(request.page_size, _USUAL, _LARGEST), parse_id(request.show_id, "show")
        found = await self._desk.opened(identity(), show_id, parse.time_and_id_key(request.page_token), size + 1)
        page, last = found[:size], found[:size][-1:]
        more = [paging.encode_token(str(one.first_opened_at), one.id) for one in last if len(found) > size]
        return pb.ListOpenedResponse(invoices=[render.invoice(one) for one in page], next_page_token="".join(more))
