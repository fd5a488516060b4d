"""A file looked at before anything of it is taken: how it is written, its first rows, its bad lines."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, TypeVar

from services.gateway.imports.repeats import repeats
from services.gateway.imports.report import Tally
from services.gateway.imports.rows import Sheet, open_sheet
from services.gateway.imports.taking import FileKind, good_rows
from services.gateway.schemas.shows import BuyerBody, ClaimBody, ImportReport, ItemBody

What = Literal["items", "claims", "buyers"]
Body = ItemBody | ClaimBody | BuyerBody
B = TypeVar("B", bound=Body)
_FIRST: Final = 6
"""Rows that are shown."""
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a file before it is taken."""

    kind: What
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


async def preview_file(file: BinaryIO, what: What, name: str, kind: FileKind[B]) -> Preview:
    """Beside the event loop, in the room of a few rows. Raises BadHeader."""
    return await asyncio.to_thread(_read, await open_sheet(file, kind.columns), what, name, kind)


async def digest_of(file: BinaryIO) -> str:
    return await asyncio.to_thread(_digest, file)


def _read(sheet: Sheet, what: What, name: str, kind: FileKind[B]) -> Preview:
    tally, first, good, unpriced = Tally(sheet), list[Body](), 0, 0
    with repeats() as known:
        for parsed, _ in good_rows(sheet, kind, known, tally):
            if parsed is None:
                continue
            good += 1
            unpriced += isinstance(parsed, ItemBody) and parsed.price is None
            if len(first) < _FIRST:
                first.append(parsed)
    return Preview(what, name, _digest(sheet.file), sheet.names, first, good, unpriced, tally.report())


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
