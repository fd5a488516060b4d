"""A file looked at before anything of it is taken: how it is written, its first rows, its bad lines."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from services.gateway.imports.buyers import COLUMNS as BUYER_COLUMNS
from services.gateway.imports.buyers import parse_buyer
from services.gateway.imports.claims import COLUMNS as CLAIM_COLUMNS
from services.gateway.imports.claims import parse_claim
from services.gateway.imports.items import COLUMNS as ITEM_COLUMNS
from services.gateway.imports.items import DECIMAL, Prices, parse_item
from services.gateway.imports.repeats import repeats
from services.gateway.imports.report import Tally
from services.gateway.imports.rows import Row, Sheet, open_sheet
from services.gateway.imports.taking import good_row
from services.gateway.schemas.shows import BuyerBody, ClaimBody, ImportReport, ItemBody

Kind = Literal["items", "claims", "buyers"]
Body = ItemBody | ClaimBody | BuyerBody
_FIRST: Final = 6
"""Rows that are shown."""
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a file before it is taken."""

    kind: Kind
    name: str
    digest: str
    """Names its bytes: what is taken is what was looked at."""
    columns: tuple[str, ...]
    first: list[Body]
    good_count: int
    unpriced_count: int
    """Of items: those without a price."""
    report: ImportReport
    """Of its form and its bad lines; nothing in it was taken."""


async def preview_items(file: BinaryIO, name: str, currency: str, prices: Prices) -> Preview:
    """Raises BadHeader."""
    sheet = await open_sheet(file, ITEM_COLUMNS if prices == "minor" else DECIMAL)
    with repeats() as known:
        return await _look(sheet, "items", name, lambda row: parse_item(row, currency, known))


async def preview_claims(file: BinaryIO, name: str) -> Preview:
    """Raises BadHeader."""
    return await _look(await open_sheet(file, CLAIM_COLUMNS), "claims", name, parse_claim)


async def preview_buyers(file: BinaryIO, name: str) -> Preview:
    """Raises BadHeader."""
    sheet = await open_sheet(file, BUYER_COLUMNS)
    with repeats() as known:
        return await _look(sheet, "buyers", name, lambda row: parse_buyer(row, known))


async def digest_of(file: BinaryIO) -> str:
    return await asyncio.to_thread(_digest, file)


async def _look(sheet: Sheet, kind: Kind, name: str, parse: Callable[[Row], Body]) -> Preview:
    """Beside the event loop, in the room of a few rows."""
    return await asyncio.to_thread(_read, sheet, kind, name, parse)


def _read(sheet: Sheet, kind: Kind, name: str, parse: Callable[[Row], Body]) -> Preview:
    tally, first, good, unpriced = Tally(sheet), list[Body](), 0, 0
    for row in sheet.rows():
        parsed = good_row(row, parse, tally)
        if parsed is None:
            continue
        good += 1
        unpriced += isinstance(parsed, ItemBody) and parsed.price is None
        if len(first) < _FIRST:
            first.append(parsed)
    return Preview(kind, name, _digest(sheet.file), sheet.names, first, good, unpriced, tally.report())


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
