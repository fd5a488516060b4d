"""A file as it goes out: page by page, the first before anything is answered, so that a refusal is still one."""

import asyncio
import csv
import io
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, Protocol, TypeVar

from services.gateway.exports.tables import Context, Table

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

PAGE: Final = 1_000
"""Rows that one call brings, and one piece of the file holds."""
_LONGEST_NAME: Final = 60
BOM: Final = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""


class Page(Protocol[T_co]):
    """Entries, and where the next begin."""

    @property
    def items(self) -> Iterable[T_co]: ...
    @property
    def next_page_token(self) -> str: ...


Read = Callable[[str], Awaitable[Page[T]]]
"""The page at a token; the first at an empty one."""


async def opened(read: Read[T], table: Table[T], context: Context, *, bom: bool) -> AsyncIterator[bytes]:
    """The pieces of the file. Raises what reading the first page raises."""
    page = await read("")
    head = BOM * bom + _lines([list(table.columns)])

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal page
        yield (head + await _text(page, table, context)).encode()
        while page.next_page_token:
            page = await read(page.next_page_token)
            yield (await _text(page, table, context)).encode()

    return pieces()


async def _text(page: Page[T], table: Table[T], context: Context) -> str:
    """Made beside the event loop."""
    return await asyncio.to_thread(lambda: _lines(table.row(entry, context) for entry in page.items))


def _lines(rows: Iterable[list[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def file_name(show_name: str, table: str) -> str:
    """Letters, digits and hyphens alone, whatever the show is called: nothing that a path or a header could mean."""
    ascii_name = unicodedata.normalize("NFKD", show_name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower())[:_LONGEST_NAME].strip("-")
    return "-".join(filter(None, ("showbill", words, table))) + ".csv"
