"""A file of items."""

import re
from collections.abc import Sequence
from typing import BinaryIO, Final

import msgspec

from services.common.context import Identity
from services.common.errors import Kind
from services.common.status import RemoteError
from services.gateway.backends.shows import BATCH, Shows
from services.gateway.faults import sentence_of
from services.gateway.imports.report import Tally, Unfit, whole_number
from services.gateway.imports.rows import Columns, Row, batches
from services.gateway.schemas.shows import ImportReport, ItemBody

COLUMNS: Final = Columns(("item_number", "title", "price"), ("quantity",))
_PLACE: Final = re.compile(r"^items\[(\d+)\]")

Placed = tuple[int, ItemBody]
"""An item and its line."""


async def import_items(file: BinaryIO, shows: Shows, caller: Identity, show_id: str) -> ImportReport:
    """Takes the good lines. Raises BadHeader before anything is taken."""
    tally = Tally()
    lines: dict[str, int] = {}
    async for rows in batches(file, COLUMNS, BATCH):
        items: list[Placed] = []
        for row in rows:
            try:
                item = parse_item(row)
                first = lines.setdefault(item.item_number, row.line)
                if first != row.line:
                    raise Unfit(f"The item number {item.item_number} is on line {first} already.")
            except Unfit as error:
                tally.reject(row.line, str(error))
            else:
                items.append((row.line, item))
        await _put(items, tally, shows, caller, show_id)
    return tally.report()


async def _put(items: Sequence[Placed], tally: Tally, shows: Shows, caller: Identity, show_id: str) -> None:
    """One batch is all or none: the lines that the service names as bad are left out, and the others sent again."""
    if not items:
        return
    try:
        tally.take(await shows.put_items(caller, show_id, [item for _, item in items]))
    except RemoteError as error:
        bad = _named(error)
        if not bad:
            raise
        for place, problem in bad.items():
            tally.reject(items[place][0], problem)
        rest = [item for place, item in enumerate(items) if place not in bad]
        if rest:
            tally.take(await shows.put_items(caller, show_id, [item for _, item in rest]))


def _named(error: RemoteError) -> dict[int, str]:
    """Place and problem of each item that the service refused; nothing when it refused more than items."""
    places = [(_PLACE.match(fault.field), fault.problem) for fault in error.faults]
    if error.kind is not Kind.INVALID or not all(match for match, _ in places):
        return {}
    return {int(match[1]): problem for match, problem in places if match}


def parse_item(row: Row) -> ItemBody:
    """Raises Unfit."""
    if row.problem:
        raise Unfit(row.problem)
    fields = row.fields
    values: dict[str, object] = {"itemNumber": fields["item_number"], "title": fields["title"]}
    if fields["price"]:
        values["price"] = _price(fields["price"])
    if fields.get("quantity"):
        values["quantity"] = whole_number(fields["quantity"], "quantity")
    try:
        return msgspec.convert(values, ItemBody)
    except msgspec.ValidationError as error:
        raise Unfit(sentence_of(error)) from error


def _price(text: str) -> int:
    if re.fullmatch(r"\d+[.,]\d+", text):
        raise Unfit(f"The price '{text[:40]}' is not in minor units. Write 1250 for 12.50.")
    return whole_number(text, "price")
