"""Shows: made, changed, started, paused, ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import asyncpg
import msgspec

from services.common.db import Connection
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.ids import new_id
from services.common.money import exponent
from services.invoicing import events
from services.invoicing.ledger import Entry, Ledger
from services.invoicing.repository import SQL


class ShowNotFound(NotFound):
    """There is no show with this id in your workspace."""

    reason = "SHOW_NOT_FOUND"


class ShowState(ShowbillError):
    """The show is {state}, so it cannot be {wish}."""

    kind = Kind.FAILED_PRECONDITION
    reason = "SHOW_STATE"


class ShowChanged(ShowbillError):
    """Somebody changed the show meanwhile. Read it again, then decide."""

    kind = Kind.OUTDATED
    reason = "SHOW_CHANGED"


class CurrencyFixed(ShowbillError):
    """The show has invoices in {currency}, so its currency cannot be changed any more."""

    kind = Kind.FAILED_PRECONDITION
    reason = "CURRENCY_FIXED"


class PricesFixed(CurrencyFixed):
    """Items of the show have prices in {currency}, and {wanted} has other minor units: the prices would be other
    amounts. Make a new show in {wanted}, or take the prices away first.
    """


@dataclass(frozen=True, slots=True)
class Move:
    """A step of a show's lifecycle."""

    to: str
    allowed_from: frozenset[str]
    wish: str


START: Final = Move("active", frozenset({"draft", "paused"}), "started")
PAUSE: Final = Move("paused", frozenset({"active"}), "paused")
END: Final = Move("ended", frozenset({"draft", "active", "paused"}), "ended")

MOST_POINTS: Final = 200
"""Of a trend."""


def etag(show: asyncpg.Record) -> str:
    """Names this state of what people edit of a show."""
    state = msgspec.json.encode([show["name"], show["currency"], show["start_at"]])
    return blake2b(state, digest_size=8).hexdigest()


class Shows:
    """The use cases of shows. Those with an id raise ShowNotFound."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pool = ledger.pool

    async def create(
        self, workspace_id: str, name: str, currency: str, request_id: str | None, start_at: datetime | None
    ) -> asyncpg.Record:
        arguments = (new_id(), workspace_id, name, currency, request_id, start_at)
        made = await self._pool.fetchrow(SQL["create_show"], *arguments)
        found = made or await self._pool.fetchrow(SQL["show_of_request"], workspace_id, request_id)
        assert found is not None
        return found

    async def get(self, workspace_id: str, show_id: str) -> asyncpg.Record:
        return _found(await self._pool.fetchrow(SQL["get_show"], show_id, workspace_id))

    async def page(
        self, workspace_id: str, after: str | None, size: int, *, query: str = "", states: Sequence[str] = ()
    ) -> list[asyncpg.Record]:
        """The newest first: those with this text in their name, in one of these states; all when left out."""
        return await self._pool.fetch(SQL["list_shows"], workspace_id, after, size, query.lower(), list(states))

    async def update(
        self,
        workspace_id: str,
        show_id: str,
        *,
        name: str | None,
        currency: str | None,
        start_at: datetime | None = None,
        without_start: bool = False,
        expected: str = "",
    ) -> asyncpg.Record:
        """Changes what is not None, with `expected` only the state of that etag. Raises ShowChanged, CurrencyFixed.

        `without_start` takes the start away; raises ShowState once the show has begun.
        """
        async with self._ledger.entry() as entry:
            connection = entry.connection
            show = _found(await connection.fetchrow(SQL["lock_show"], show_id, workspace_id))
            start = None if without_start else start_at or show["start_at"]
            wanted = (name or show["name"], currency or show["currency"], start)
            if wanted == (show["name"], show["currency"], show["start_at"]):
                return show  # also when it was sent again, by then with an old etag
            if expected not in ("", etag(show)):
                raise ShowChanged
            if without_start and show["state"] != "draft":
                raise ShowState(state=show["state"], wish="left without a start")
            if currency not in (None, show["currency"]):
                await _refuse_currency(connection, show, wanted[1])
            return await _write(entry, show, (*wanted, show["state"], show["end_at"]))

    async def move(self, workspace_id: str, show_id: str, move: Move) -> asyncpg.Record:
        """Raises ShowState where the lifecycle does not go that way. There already: answers the show as it is."""
        async with self._ledger.entry() as entry:
            show = _found(await entry.connection.fetchrow(SQL["lock_show"], show_id, workspace_id))
            if show["state"] == move.to:
                return show
            if show["state"] not in move.allowed_from:
                raise ShowState(state=show["state"], wish=move.wish)
            now = datetime.now(UTC)
            start_at = show["start_at"] or (now if move is START else None)
            end_at = now if move is END else None
            return await _write(entry, show, (show["name"], show["currency"], start_at, move.to, end_at))

    async def summary(self, workspace_id: str, show_id: str) -> tuple[asyncpg.Record, dict[str, tuple[int, int]]]:
        """The show as it was before the sums were made, and amount (minor units) and count of each part."""
        show = await self.get(workspace_id, show_id)
        rows = await self._pool.fetch(SQL["show_summary"], show_id)
        return show, {row["part"]: (row["amount"], row["count"]) for row in rows}

    async def running_sending(self, show: asyncpg.Record) -> str:
        """The id of the run that is sending links of the show; empty when none is."""
        return str(await self._pool.fetchval(SQL["running_sending"], show["workspace_id"], show["id"]) or "")

    async def sums(self, shows: Sequence[asyncpg.Record]) -> list[tuple[asyncpg.Record, list[str]]]:
        """The money of each show in a few figures, and where its claims come from; in their order."""
        ids = [show["id"] for show in shows]
        rows = await self._pool.fetch(SQL["show_sums"], ids)
        known = {row["show_id"]: row for row in rows}
        places = await self.platforms(ids)
        return [(known[show_id], places.get(show_id, [])) for show_id in ids]

    async def platforms(self, show_ids: Sequence[str]) -> dict[str, list[str]]:
        """Where the first claims of shows come from; those without claims are left out."""
        rows = await self._pool.fetch(SQL["show_platforms"], show_ids)
        return {row["show_id"]: row["platforms"] for row in rows}

    async def claimed_items(self, show_id: str) -> int:
        """How many items of a show somebody won."""
        return int(await self._pool.fetchval(SQL["count_claimed_items"], show_id))

    async def counts(self, workspace_id: str, query: str) -> dict[str, int]:
        """How many with this text in their name are in each state."""
        rows = await self._pool.fetch(SQL["count_shows"], workspace_id, query.lower())
        return {row["state"]: row["count"] for row in rows}

    async def owed(self, show_id: str) -> asyncpg.Record | None:
        """What the buyers owe, in a few figures; None while nobody owes anything."""
        return await self._pool.fetchrow(SQL["show_owed"], show_id)

    async def trend(self, show_id: str, points: int) -> list[asyncpg.Record]:
        """How the money of a show came in; nothing where no points are asked for."""
        if points <= 0:
            return []
        return await self._pool.fetch(SQL["collected_over_time"], show_id, min(points, MOST_POINTS))


async def _refuse_currency(connection: Connection, show: asyncpg.Record, wanted: str) -> None:
    """Raises CurrencyFixed where something has an amount already that would be another one in that currency."""
    known = show["currency"]
    if await connection.fetchval(SQL["show_has_invoices"], show["id"]):
        raise CurrencyFixed(currency=known)
    if exponent(wanted) != exponent(known) and await connection.fetchval(SQL["show_has_prices"], show["id"]):
        raise PricesFixed(currency=known, wanted=wanted)


async def _write(
    entry: Entry, show: asyncpg.Record, wanted: tuple[str, str, datetime | None, str, datetime | None]
) -> asyncpg.Record:
    """Writes name, currency, start, state and end, and tells of it; answers the show at its new position."""
    name, state = wanted[0], wanted[3]
    await entry.connection.execute(SQL["update_show"], show["id"], *wanted)
    await entry.tell([(str(show["workspace_id"]), str(show["id"]), events.show_updated(name, state))])
    return _found(await entry.connection.fetchrow(SQL["get_show"], show["id"], show["workspace_id"]))


def _found(show: asyncpg.Record | None) -> asyncpg.Record:
    if show is None:
        raise ShowNotFound
    return show
