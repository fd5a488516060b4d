"""A file of buyers: names and addresses, by platform and user id."""

from typing import Final

import msgspec

from services.gateway.faults import column_sentence_of
from services.gateway.imports.claims import COLUMNS as CLAIM_COLUMNS
from services.gateway.imports.columns import Columns
from services.gateway.imports.repeats import Repeats
from services.gateway.imports.report import Unfit
from services.gateway.imports.rows import Row
from services.gateway.imports.taking import FileKind
from services.gateway.schemas.shows import BuyerBody

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


BUYERS: Final = FileKind(COLUMNS, parse_buyer)
