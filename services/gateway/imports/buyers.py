"""A file of buyers: names and addresses, by platform and user id."""

from collections.abc import AsyncIterator
from typing import BinaryIO, Final

import msgspec

from services.common.context import Identity
from services.gateway.backends.shows import Shows
from services.gateway.faults import column_sentence_of
from services.gateway.imports.claims import COLUMNS as CLAIM_COLUMNS
from services.gateway.imports.columns import Columns
from services.gateway.imports.repeats import Repeats, repeats
from services.gateway.imports.report import Unfit
from services.gateway.imports.rows import Row, open_sheet
from services.gateway.imports.taking import take_sheet
from services.gateway.schemas.shows import BuyerBody, ImportReport, RowsTaken

COLUMNS: Final = Columns(
    required=("platform", "platform_user_id"),
    optional=("user_handle", "display_name", "email"),
    synonyms={
        told: name
        for told, name in CLAIM_COLUMNS.synonyms.items()
        if name in ("platform", "platform_user_id", "user_handle", "display_name", "email")
    }
    | {"id": "platform_user_id"},
    passed_over=("claims", "lines", "unpriced_lines", "total_decimal", "total_minor", "currency", "pay_link"),
)


async def import_buyers(
    file: BinaryIO, shows: Shows, caller: Identity, show_id: str, *, all_or_none: bool = False
) -> ImportReport:
    """Takes the good lines, or all or none. Raises BadHeader before anything is taken, and NothingTaken."""
    sheet = await open_sheet(file, COLUMNS)

    async def send(batches: AsyncIterator[list[BuyerBody]]) -> RowsTaken:
        return await shows.stream_buyers(caller, show_id, batches, all_or_none)

    with repeats() as known:
        return await take_sheet(sheet, lambda row: parse_buyer(row, known), send, all_or_none=all_or_none)


def parse_buyer(row: Row, known: Repeats) -> BuyerBody:
    """Raises Unfit."""
    fields = row.fields
    values = {
        "platform": fields["platform"],
        "platformUserId": fields["platform_user_id"],
        "userHandle": fields.get("user_handle", ""),
        "displayName": fields.get("display_name", ""),
        "email": fields.get("email", ""),
    }
    try:
        buyer = msgspec.convert(values, BuyerBody)
    except msgspec.ValidationError as error:
        raise Unfit(column_sentence_of(error)) from error
    first = known.first_line(f"{buyer.platform}\n{buyer.platform_user_id}", row.line)
    if first != row.line:
        raise Unfit(f"The buyer {buyer.platform_user_id} of {buyer.platform} is on line {first} already.")
    return buyer
