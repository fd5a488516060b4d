"""A file of claims."""

from typing import BinaryIO, Final

import msgspec

from services.common.context import Identity
from services.gateway.backends.shows import BATCH, Shows
from services.gateway.faults import sentence_of
from services.gateway.imports.report import Tally, Unfit, whole_number
from services.gateway.imports.rows import Columns, Row, batches
from services.gateway.schemas.shows import ClaimBody, ImportReport

COLUMNS: Final = Columns(
    ("claim_id", "platform", "platform_user_id", "item_number", "status"),
    ("user_handle", "display_name", "quantity", "claimed_at", "sequence", "email"),
)
_NUMBERS: Final = ("quantity", "sequence")


async def import_claims(file: BinaryIO, shows: Shows, caller: Identity, show_id: str) -> ImportReport:
    """Takes the good lines. Raises BadHeader before anything is taken."""
    tally = Tally()
    async for rows in batches(file, COLUMNS, BATCH):
        claims: list[tuple[int, ClaimBody]] = []
        for row in rows:
            try:
                claims.append((row.line, parse_claim(row)))
            except Unfit as error:
                tally.reject(row.line, str(error))
        if claims:
            taken = await shows.take_claims(caller, show_id, [claim for _, claim in claims])
            tally.take(taken)
            for rejected in taken.rejected:
                tally.reject(claims[rejected.index][0], rejected.reason)
    return tally.report()


def parse_claim(row: Row) -> ClaimBody:
    """Raises Unfit."""
    if row.problem:
        raise Unfit(row.problem)
    values: dict[str, object] = {}
    for column, text in row.fields.items():
        if text or column in COLUMNS.required:
            values[_CAMEL[column]] = whole_number(text, column) if column in _NUMBERS else text
    try:
        return msgspec.convert(values, ClaimBody)
    except msgspec.ValidationError as error:
        raise Unfit(sentence_of(error)) from error


_CAMEL: Final = {field.name: field.encode_name for field in msgspec.structs.fields(ClaimBody)}
