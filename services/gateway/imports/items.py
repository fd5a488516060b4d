"""A file of items."""

from dataclasses import replace
from functools import partial
from typing import BinaryIO, Final, Literal

import msgspec

from services.common.context import Identity
from services.gateway.backends.shows import Shows
from services.gateway.faults import column_sentence_of
from services.gateway.imports.columns import Columns
from services.gateway.imports.prices import decimal_price, minor_price
from services.gateway.imports.repeats import Repeats
from services.gateway.imports.report import Unfit, whole_number
from services.gateway.imports.rows import Row, open_sheet
from services.gateway.imports.taking import FileKind, take_sheet
from services.gateway.schemas.shows import ImportReport, ItemBody

Prices = Literal["minor", "decimal"]
"""What the column price holds."""

COLUMNS: Final = Columns(
    required=("item_number", "title", "price"),
    optional=("price_decimal", "currency", "quantity"),
    synonyms={
        **dict.fromkeys(
            ("item_no", "item", "number", "no", "#", "nr", "lot", "lot_number", "sku", "code"), "item_number"
        ),
        **dict.fromkeys(("name", "item_name", "item_title", "description"), "title"),
        **dict.fromkeys(
            ("price_minor", "price_minor_units", "price_in_minor_units", "price_cents", "price_pence"), "price"
        ),
        **dict.fromkeys(("decimal_price", "price_major"), "price_decimal"),
        **dict.fromkeys(("qty", "stock"), "quantity"),
    },
    instead={"price": "price_decimal"},
)
DECIMAL: Final = replace(COLUMNS, synonyms={**COLUMNS.synonyms, "price": "price_decimal"})
"""Where the column price holds decimal prices."""


async def import_items(
    file: BinaryIO,
    shows: Shows,
    caller: Identity,
    show_id: str,
    *,
    prices: Prices = "minor",
    all_or_none: bool = False,
) -> ImportReport:
    """Raises what `take_file` raises. The show's currency is asked for where a column needs it."""
    sheet, currency = await open_sheet(file, items_in("", prices).columns), ""
    if not {"price_decimal", "currency"}.isdisjoint(sheet.names):
        currency = (await shows.get(caller, show_id)).currency
    send = partial(shows.stream_items, caller, show_id)
    return await take_sheet(sheet, items_in(currency, prices), send, all_or_none=all_or_none)


def items_in(currency: str, prices: Prices) -> FileKind[ItemBody]:
    """Files of items with prices in this currency."""
    columns = COLUMNS if prices == "minor" else DECIMAL
    return FileKind(columns, lambda row, known: parse_item(row, currency, known))


def parse_item(row: Row, currency: str, known: Repeats) -> ItemBody:
    """Raises Unfit."""
    fields = row.fields
    values: dict[str, object] = {"itemNumber": fields["item_number"], "title": fields["title"]}
    if (price := _price(fields, currency)) is not None:
        values["price"] = price
    if fields.get("quantity"):
        values["quantity"] = whole_number(fields["quantity"], "quantity")
    try:
        item = msgspec.convert(values, ItemBody)
    except msgspec.ValidationError as error:
        raise Unfit(column_sentence_of(error)) from error
    first = known.first_line(item.item_number, row.line)
    if first != row.line:
        raise Unfit(f"The item number {item.item_number} is on line {first} already.")
    return item


def _price(fields: dict[str, str], currency: str) -> int | None:
    """None is unpriced."""
    if fields.get("currency") and fields["currency"].upper() != currency:
        raise Unfit(f"The line is in {fields['currency'][:10]}, the show in {currency}.")
    minor = minor_price(fields["price"]) if fields.get("price") else None
    if fields.get("price_decimal"):
        return decimal_price(fields["price_decimal"], currency, minor)
    return minor
