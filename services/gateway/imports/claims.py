"""A file of claims."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import BinaryIO, Final

import msgspec

from services.common.context import Identity
from services.gateway.backends.shows import Shows
from services.gateway.faults import column_sentence_of
from services.gateway.imports.columns import Columns
from services.gateway.imports.report import Unfit, whole_number
from services.gateway.imports.rows import Row, open_sheet
from services.gateway.imports.taking import take_sheet
from services.gateway.schemas.shows import ClaimBody, ImportReport, RowsTaken

COLUMNS: Final = Columns(
    required=("claim_id", "platform", "platform_user_id", "item_number", "status"),
    optional=("user_handle", "display_name", "quantity", "claimed_at", "sequence", "email"),
    synonyms={
        **dict.fromkeys(("id", "claim", "claim_no", "claim_number"), "claim_id"),
        **dict.fromkeys(("network", "channel"), "platform"),
        **dict.fromkeys(("user_id", "buyer_id", "platform_id", "userid"), "platform_user_id"),
        **dict.fromkeys(("handle", "username", "user_name", "user", "buyer"), "user_handle"),
        **dict.fromkeys(("name", "full_name", "buyer_name"), "display_name"),
        **dict.fromkeys(("item_no", "item", "number", "lot", "lot_number", "sku", "code"), "item_number"),
        **dict.fromkeys(("qty", "count"), "quantity"),
        **dict.fromkeys(("claim_status", "state"), "status"),
        **dict.fromkeys(("claim_time", "claimed", "time", "timestamp", "date"), "claimed_at"),
        **dict.fromkeys(("seq",), "sequence"),
        **dict.fromkeys(("e_mail", "mail", "email_address", "e_mail_address"), "email"),
    },
)
_CAMEL: Final = {field.name: field.encode_name for field in msgspec.structs.fields(ClaimBody)}


async def import_claims(
    file: BinaryIO, shows: Shows, caller: Identity, show_id: str, *, all_or_none: bool = False
) -> ImportReport:
    """Takes the good lines, or all or none. Raises BadHeader before anything is taken, and NothingTaken."""
    sheet = await open_sheet(file, COLUMNS)

    async def send(batches: AsyncIterator[list[ClaimBody]]) -> RowsTaken:
        return await shows.stream_claims(caller, show_id, batches, all_or_none)

    return await take_sheet(sheet, parse_claim, send, all_or_none=all_or_none)


def parse_claim(row: Row) -> ClaimBody:
    """Raises Unfit."""
    values: dict[str, object] = {}
    for column, text in row.fields.items():
        if text or column in COLUMNS.required:
            values[_CAMEL[column]] = _value(column, text)
    try:
        return msgspec.convert(values, ClaimBody)
    except msgspec.ValidationError as error:
        raise Unfit(column_sentence_of(error)) from error


def _value(column: str, text: str) -> object:
    if column in ("quantity", "sequence"):
        return whole_number(text, column)
    if column == "claimed_at":
        return _moment(text)
    return text.lower() if column == "status" else text


def _moment(text: str) -> datetime:
    """Without a zone it counts as UTC. Raises Unfit, also for a date that could be read in two ways."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unfit(f"The time '{text[:40]}' cannot be read. Write it as 2026-11-01T10:00:00Z.") from error
