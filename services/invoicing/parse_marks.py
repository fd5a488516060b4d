"""Marks of what was paid outside the provider, as they come in."""

from collections.abc import AsyncIterator
from typing import Final

from services.common.errors import Fault
from services.invoicing.domain.marks import Mark
from services.invoicing.feed import Batch
from services.invoicing.parse import text_fault, uuid_of
from services.invoicing.parse_feed import Kind, batches_of
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

LONGEST_NOTE: Final = 500


def _read(index: int, told: pb.PaidMark) -> Mark | list[Fault]:
    faults = [*text_fault("note", told.note, LONGEST_NOTE), *text_fault("number", told.number, 200)]
    if not (told.invoice_id or told.number):
        faults.append(Fault("invoice_id", "The line names no invoice. Fill in its invoice_id, or its number."))
    if told.invoice_id and not uuid_of(told.invoice_id):
        faults.append(Fault("invoice_id", f"'{told.invoice_id[:60]}' is not the id of an invoice. Export them again."))
    return faults or Mark(
        index=index,
        invoice_id=uuid_of(told.invoice_id) or "",
        number=told.number,
        paid=told.paid,
        note=told.note.strip(),
        amount=told.amount if told.HasField("amount") else None,
        currency=told.currency.upper(),
    )


MARKS: Final[Kind[pb.PaidMark, Mark]] = Kind("marks", lambda told: told.invoice_id or told.number, _read)


def mark_batches(requests: AsyncIterator[pb.StreamMarksRequest]) -> AsyncIterator[Batch[Mark]]:
    """Raises InvalidRequest at a batch that is none, or is of another show."""
    return batches_of(requests, MARKS)
