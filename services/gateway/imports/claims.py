"""A file of claims."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from services.gateway.faults import column_sentence_of
from services.gateway.imports.columns import Columns
from services.gateway.imports.report import Unfit, whole_number
from services.gateway.imports.rows import Row
from services.gateway.imports.taking import FileKind
from services.gateway.schemas.shows import ClaimBody

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


CLAIMS: Final = FileKind(COLUMNS, lambda row, _: parse_claim(row))
"""A claim id may come again: its state that is later by sequence or time counts."""
