"""Invoices marked as paid outside the provider, from a file."""

from typing import Annotated

import msgspec
from msgspec.structs import asdict

from services.gateway.schemas.shows import ImportReport, RowsTaken


class PaidMark(msgspec.Struct, frozen=True):
    """A line of the file."""

    invoice_id: str
    number: str
    """Names the invoice where its id is empty; else what it must have."""
    paid: bool = False
    note: str = ""
    amount: int | None = None
    """Minor units."""
    currency: str = ""


class MarksTaken(RowsTaken):
    """What became of a stream of marks."""

    total: int
    """What those that are queued to be marked ask for, in minor units; or would be."""
    currency: str
    generation_ids: list[str]


class MarksReport(ImportReport):
    """What became of a file of invoices: `updated` are those that are marked, one after the other, by a run."""

    updated_total: Annotated[int, msgspec.Meta(description="What those ask for, in minor units.")]
    currency: str
    generation_ids: Annotated[
        list[str],
        msgspec.Meta(description="The runs that mark them, one for each 5,000 lines or so; none with `validateOnly`."),
    ]

    @classmethod
    def of(cls, report: ImportReport, taken: MarksTaken) -> "MarksReport":
        return cls(
            **asdict(report), updated_total=taken.total, currency=taken.currency, generation_ids=taken.generation_ids
        )
