"""The methods of InvoicesService that change single invoices and stop or watch a run."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from services.common.context import identity
from services.common.errors import require
from services.common.ids import parse_id
from services.invoicing import parse, parse_marks, render
from services.invoicing.amend import Amending
from services.invoicing.amending import Which
from services.invoicing.cancel import Cancelling
from services.invoicing.drafts import Drafts
from services.invoicing.marks import Marking
from services.invoicing.strays import StrayPayments
from services.invoicing.watch import Watching
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceServicer

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """The use cases."""

    amending: Amending
    drafts: Drafts
    cancelling: Cancelling
    watching: Watching
    marking: Marking
    strays: StrayPayments


class _Meaning(Protocol):
    @property
    def show_id(self) -> str: ...
    @property
    def invoice_id(self) -> str: ...


def _which(request: _Meaning) -> Which:
    return Which(parse_id(request.show_id, "show"), parse_id(request.invoice_id, "invoice"))


class AmendServicer(InvoicesServiceServicer):
    """See invoicing.proto for what each method promises."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def VoidInvoice(self, request: pb.VoidInvoiceRequest, context: Context) -> pb.VoidInvoiceResponse:
        done = await self._changes.amending.void(identity(), _which(request))
        return pb.VoidInvoiceResponse(invoice=render.invoice(done))

    async def MarkPaid(self, request: pb.MarkPaidRequest, context: Context) -> pb.MarkPaidResponse:
        require(parse.text_fault("note", request.note, parse_marks.LONGEST_NOTE))
        amount = request.amount if request.HasField("amount") else None
        done = await self._changes.amending.mark_paid(identity(), _which(request), request.note.strip(), amount)
        return pb.MarkPaidResponse(invoice=render.invoice(done))

    async def StreamMarks(
        self, request_iterator: AsyncIterator[pb.StreamMarksRequest], context: Context
    ) -> pb.StreamMarksResponse:
        done, load = await self._changes.marking.take(identity(), parse_marks.mark_batches(request_iterator))
        return render.streamed_marks(done, load)

    async def UpdateDraft(self, request: pb.UpdateDraftRequest, context: Context) -> pb.UpdateDraftResponse:
        done = await self._changes.drafts.update(identity(), _which(request))
        return pb.UpdateDraftResponse(invoice=render.invoice(done))

    async def FinalizeInvoice(self, request: pb.FinalizeInvoiceRequest, context: Context) -> pb.FinalizeInvoiceResponse:
        done = await self._changes.drafts.finalize(identity(), _which(request))
        return pb.FinalizeInvoiceResponse(invoice=render.invoice(done))

    async def CancelGeneration(
        self, request: pb.CancelGenerationRequest, context: Context
    ) -> pb.CancelGenerationResponse:
        run = await self._changes.cancelling.cancel(identity(), parse_id(request.generation_id, "generation"))
        return pb.CancelGenerationResponse(generation=render.generation(run))

    async def WatchGeneration(
        self, request: pb.WatchGenerationRequest, context: Context
    ) -> AsyncIterator[pb.WatchGenerationResponse]:
        told = None
        async for run in self._changes.watching.watch(identity(), parse_id(request.generation_id, "generation")):
            now = render.generation(run)
            if now != told:
                told = now
                yield pb.WatchGenerationResponse(generation=now)
