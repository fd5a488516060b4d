"""The methods of InvoicesService for payments that count for no invoice."""

from typing import Any, Final

import asyncpg
import grpc

from services.common import paging
from services.common.context import identity
from services.common.errors import Fault, require
from services.common.ids import parse_id
from services.common.timestamps import to_proto
from services.invoicing import parse, parse_marks
from services.invoicing.amend_servicer import AmendServicer
from services.invoicing.strays import Settlement, Settling
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]
_USUAL, _LARGEST = 50, 200
_NUMBERS: Final = {one: pb.StraySettlement.Value(f"STRAY_SETTLEMENT_{one.name}") for one in Settlement}
_SETTLEMENTS: Final = {number: one for one, number in _NUMBERS.items()}


class StrayServicer(AmendServicer):
    """See invoicing.proto for what each method promises."""

    async def ListStrayPayments(
        self, request: pb.ListStrayPaymentsRequest, context: Context
    ) -> pb.ListStrayPaymentsResponse:
        size, show_id = paging.page_size(request.page_size, _USUAL, _LARGEST), parse_id(request.show_id, "show")
        after = parse.time_and_id_key(request.page_token)
        found = await self._changes.strays.page(identity(), show_id, after, size + 1, with_settled=request.with_settled)
        page, last = found[:size], found[:size][-1:]
        more = [paging.encode_token(str(one["noted_at"]), str(one["id"])) for one in last if len(found) > size]
        return pb.ListStrayPaymentsResponse(
            stray_payments=[_render(one) for one in page], next_page_token="".join(more)
        )

    async def SettleStrayPayment(
        self, request: pb.SettleStrayPaymentRequest, context: Context
    ) -> pb.SettleStrayPaymentResponse:
        said = _said(request)
        return pb.SettleStrayPaymentResponse(stray_payment=_render(await self._changes.strays.settle(identity(), said)))


def _said(request: pb.SettleStrayPaymentRequest) -> Settling:
    note, settlement = request.note.strip(), _SETTLEMENTS.get(request.settlement)
    faults = parse.text_fault("note", note, parse_marks.LONGEST_NOTE, least=1)
    if settlement is None:
        faults.append(Fault("settlement", "Say whether the money was given back, or counts for something else."))
    require(faults)
    assert settlement is not None
    payment_id = parse_id(request.stray_payment_id, "stray payment")
    return Settling(parse_id(request.show_id, "show"), payment_id, settlement, note)


def _render(row: asyncpg.Record) -> pb.StrayPayment:
    settlement = row["settlement"]
    return pb.StrayPayment(
        id=str(row["id"]),
        show_id=str(row["show_id"]),
        invoice_id=str(row["invoice_id"]),
        handle=row["handle"],
        display_name=row["display_name"],
        platform_user_id=row["platform_user_id"],
        provider=row["provider"],
        external_account=row["external_account"],
        livemode=row["livemode"],
        external_id=row["external_id"],
        provider_url=row["provider_url"],
        total=row["total"],
        currency=row["currency"],
        paid_time=to_proto(row["paid_at"]),
        note_time=to_proto(row["noted_at"]),
        settlement=_NUMBERS[Settlement(settlement)] if settlement else pb.STRAY_SETTLEMENT_UNSPECIFIED,
        note=row["note"],
        settled_by=row["settled_by"],
        settle_time=to_proto(row["settled_at"]),
    )
