"""A show's items, claims and buyers as people look through them: filtered, searched, counted, in pages after a key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg

from services.common.db import Pool
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound


class ItemFilter(StrEnum):
    """Which items are listed."""

    ALL = "all"
    UNPRICED = "unpriced"
    CLAIMED = "claimed"
    UNCLAIMED = "unclaimed"


@dataclass(frozen=True, slots=True)
class WantedItems:
    """Which page of which items."""

    show_id: str
    after: tuple[int, str] | None
    """Rank and number_order of the last one of the page before."""
    size: int
    filter: ItemFilter = ItemFilter.ALL
    search: str = ""
    """In lower case."""
    unpriced_first: bool = False
    counted: bool = False
    number: str = ""
    """The only one that is wanted; all when empty."""

    @property
    def plain(self) -> bool:
        """Whether the index gives the page as it is."""
        return self.filter is ItemFilter.ALL and not (self.search or self.unpriced_first or self.counted or self.number)


@dataclass(frozen=True, slots=True)
class WantedClaims:
    """Which page of which claims."""

    show_id: str
    after: tuple[datetime, str] | None
    """Time and id of the last one of the page before."""
    size: int
    status: str | None = None
    search: str = ""
    """In lower case."""
    newest_first: bool = False
    counted: bool = False


@dataclass(frozen=True, slots=True)
class WantedBuyers:
    """Which page of which buyers."""

    show_id: str
    after: tuple[str, str] | None
    """Handle and id of the last one of the page before."""
    size: int
    search: str = ""
    """In lower case."""
    buyer_id: str | None = None
    """The only one that is wanted; all when None."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and how many there are in all."""

    rows: Sequence[asyncpg.Record]
    more: bool
    counts: Mapping[str, int]
    """Of what the search finds, by kind; empty where nobody asked."""


class Browsing:
    """The readings. Each raises ShowNotFound."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def items(self, workspace_id: str, wanted: WantedItems) -> Page:
        show_id, after = await self._show(workspace_id, wanted.show_id), wanted.after or (None, None)
        if wanted.plain:
            rows = await self._pool.fetch(SQL["list_items"], show_id, after[1], wanted.size + 1)
            return _page(rows, wanted.size, {})
        query = (wanted.filter, wanted.search, wanted.unpriced_first)
        rows = await self._pool.fetch(SQL["browse_items"], show_id, wanted.size + 1, *query, *after, wanted.number)
        counts = await self._pool.fetchrow(SQL["count_items"], show_id, wanted.search) if wanted.counted else None
        return _page(rows, wanted.size, dict(counts or {}))

    async def claims(self, workspace_id: str, wanted: WantedClaims) -> Page:
        show_id, after = await self._show(workspace_id, wanted.show_id), wanted.after or (None, None)
        query = SQL["list_claims_downwards" if wanted.newest_first else "list_claims"]
        rows = await self._pool.fetch(query, show_id, wanted.size + 1, wanted.status, wanted.search, *after)
        return _page(rows, wanted.size, await self._claim_counts(wanted) if wanted.counted else {})

    async def _claim_counts(self, wanted: WantedClaims) -> dict[str, int]:
        if wanted.search:
            rows = await self._pool.fetch(SQL["count_found_claims"], wanted.show_id, wanted.search)
        else:
            rows = await self._pool.fetch(SQL["count_claims_by_status"], wanted.show_id)
        return {row["status"]: row["count"] for row in rows}

    async def buyers(self, workspace_id: str, wanted: WantedBuyers) -> Page:
        """Buyers with winner claims, what they owe and paid, and whether they opened their link; by handle."""
        show = await self._pool.fetchrow(SQL["get_show"], wanted.show_id, workspace_id)
        if show is None:
            raise ShowNotFound
        after = wanted.after or (None, None)
        query = (wanted.size + 1, wanted.search, wanted.buyer_id)
        rows = await self._pool.fetch(SQL["list_buyers"], wanted.show_id, *after, *query)
        count = show["buyer_count"]
        if wanted.search:
            count = await self._pool.fetchval(SQL["count_found_buyers"], wanted.show_id, wanted.search)
        return _page(rows, wanted.size, {"all": count})

    async def _show(self, workspace_id: str, show_id: str) -> str:
        if await self._pool.fetchrow(SQL["get_show"], show_id, workspace_id) is None:
            raise ShowNotFound
        return show_id


def _page(rows: Sequence[asyncpg.Record], size: int, counts: Mapping[str, int]) -> Page:
    return Page(rows[:size], len(rows) > size, counts)
