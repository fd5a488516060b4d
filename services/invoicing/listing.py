"""A show's invoices in pages: filtered, searched and sorted, each page after a key, with the counts for its filters."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import asyncpg

from services.common.db import Connection, Pool
from services.invoicing.domain.invoice import Status
from services.invoicing.openings import Beside, beside_of
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

_MOST_COUNTED: Final = 1_000
"""Shows whose counts are kept."""


class Sort(StrEnum):
    """What invoices can be sorted by, as the contract names it."""

    PLAN = ""
    """The order of the plan: by handle within a run, runs one after the other."""
    HANDLE = "handle"
    TOTAL = "total"
    STATUS = "status"
    """What needs attention first; in each status what changed last."""
    UPDATE_TIME = "update_time"
    LINE_COUNT = "line_count"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of which invoices."""

    show_id: str
    statuses: Sequence[Status]
    """All when empty."""
    search: str
    """In lower case; part of a handle, a name, an e-mail address or a number. All when empty."""
    sort: Sort
    downwards: bool
    after: tuple[str | int | None, str] | None
    """Place and id of the last one of the page before; the place is None in the order of the plan."""
    size: int
    ids: Sequence[str] = ()
    """Only these, whatever else is wanted, where there are some."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of invoice_records; with `place` where they are sorted."""

    rows: list[asyncpg.Record]
    beside: Beside
    seq: int
    counts: dict[Status, int]
    """Of all that the search finds, whatever their status."""
    more: bool
    sort: Sort
    downwards: bool

    @property
    def last(self) -> tuple[str | int | None, str]:
        row = self.rows[-1]
        return row.get("place"), str(row["id"])


class Listing:
    """The use case. Raises ShowNotFound."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._counted: OrderedDict[str, tuple[int, dict[Status, int]]] = OrderedDict()
        """The counts of a show, and the position that was read before they were: at that position they are right, since
        every change of an invoice raises it in the same transaction."""

    async def page(self, workspace_id: str, wanted: Wanted) -> Page:
        """The position is read before the rows: an event that is already in the rows may come again, none is missed."""
        async with self._pool.acquire() as connection:
            show = await connection.fetchrow(SQL["get_show"], wanted.show_id, workspace_id)
            if show is None:
                raise ShowNotFound
            query, values = _query(wanted)
            rows = await connection.fetch(SQL[query], *values)
            beside = await beside_of(connection, wanted.show_id, rows)
            counts = await self._counts(connection, wanted, show["seq"])
        return Page(
            rows=rows[: wanted.size],
            beside=beside,
            seq=show["seq"],
            counts=counts,
            more=len(rows) > wanted.size,
            sort=wanted.sort,
            downwards=wanted.downwards,
        )

    async def _counts(self, connection: Connection, wanted: Wanted, seq: int) -> dict[Status, int]:
        if wanted.search:
            return _by_status(await connection.fetch(SQL["count_found_invoices"], wanted.show_id, wanted.search))
        position, counts = self._counted.get(wanted.show_id, (-1, {}))
        if position != seq:
            counts = _by_status(await connection.fetch(SQL["count_invoices"], wanted.show_id))
            self._counted[wanted.show_id] = (seq, counts)
            if len(self._counted) > _MOST_COUNTED:
                self._counted.popitem(last=False)
        return counts


def _by_status(rows: Sequence[asyncpg.Record]) -> dict[Status, int]:
    return {Status(row["status"]): row["count"] for row in rows}


def _query(wanted: Wanted) -> tuple[str, list[object]]:
    if wanted.ids:
        return "list_these_invoices", [wanted.show_id, list(wanted.ids)]
    place, after_id = wanted.after or (None, None)
    head = [wanted.show_id, list(wanted.statuses) or None, wanted.size + 1]
    if wanted.sort is Sort.PLAN and not wanted.search:
        return "list_invoices", [*head, after_id]
    if wanted.sort is Sort.HANDLE:
        query = "list_invoices_by_handle_downwards" if wanted.downwards else "list_invoices_by_handle"
        return query, [*head, place, after_id, wanted.search]
    direction = -1 if wanted.downwards else 1
    return "list_invoices_by_place", [*head, place, after_id, wanted.search, wanted.sort, direction]
