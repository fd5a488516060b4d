"""Claims as their callers decided them, and the buyers who made them."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import asyncpg

from services.common.db import Connection
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.ids import new_id
from services.invoicing import events
from services.invoicing.domain.claim import Claim, Person, latest, people, timed
from services.invoicing.feed import Batch, Rejection
from services.invoicing.ledger import Entry, Ledger
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

_EDITED: Final = ("email", "display_name")


class BuyerNotFound(NotFound):
    """There is no buyer with this id in your workspace."""

    reason = "BUYER_NOT_FOUND"


class BuyerChanged(ShowbillError):
    """Somebody changed {buyer} meanwhile. Look at it as it is now, then make your change again."""

    kind = Kind.OUTDATED
    reason = "BUYER_CHANGED"


def etag(row: asyncpg.Record) -> str:
    """Names this state of what people edit of a buyer, each field by itself: one edit does not hinder the other."""
    return "-".join(_mark(row[name]) for name in _EDITED)


def _mark(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()


def _same(row: asyncpg.Record, expected: str, fields: set[str]) -> bool:
    """Whether these fields are as they were at that etag."""
    marks = expected.split("-")
    if len(marks) != len(_EDITED):
        return False
    return all(mark == _mark(row[name]) for name, mark in zip(_EDITED, marks, strict=True) if name in fields)


class Buyers:
    """How a buyer is changed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def update(
        self,
        workspace_id: str,
        buyer_id: str,
        *,
        email: str | None,
        display_name: str | None,
        expected: str = "",
        show_id: str | None = None,
    ) -> asyncpg.Record:
        """Changes what is not None, with `expected` only from the state of that etag; tells who listens to the show.

        Raises BuyerNotFound, BuyerChanged and ShowNotFound.
        """
        async with self._ledger.entry() as entry:
            if show_id is not None:  # before the buyer, as those do who bring claims
                await _lock_show(entry, workspace_id, show_id)
            buyer = await entry.connection.fetchrow(SQL["lock_buyer"], buyer_id, workspace_id)
            if buyer is None:
                raise BuyerNotFound
            state = (buyer["email"], buyer["display_name"])
            after = tuple(old if new is None else new for old, new in zip(state, (email, display_name), strict=True))
            if after == state:
                return buyer  # also when it was sent again, by then with an old etag
            told = {name for name, new in zip(_EDITED, (email, display_name), strict=True) if new is not None}
            if expected and not _same(buyer, expected, told):
                raise BuyerChanged(buyer=buyer["handle"] or buyer["display_name"] or "this buyer")
            await entry.connection.execute(SQL["update_buyer"], buyer_id, email, display_name)
            if show_id is not None:
                await entry.tell([(workspace_id, show_id, events.claims_changed(created=0, updated=0))])
            changed = await entry.connection.fetchrow(SQL["lock_buyer"], buyer_id, workspace_id)
        assert changed is not None
        return changed


async def _lock_show(entry: Entry, workspace_id: str, show_id: str) -> None:
    if await entry.connection.fetchrow(SQL["lock_show"], show_id, workspace_id) is None:
        raise ShowNotFound


class ClaimLoad:
    """How claims are taken: idempotent on the claim id."""

    row = Claim
    show_query = "lock_show"

    def lock_key(self, row: Claim) -> tuple[str, str]:
        return row.person

    async def sift(self, connection: Connection, batch: Batch[Claim]) -> tuple[list[Claim], list[Rejection]]:
        items = await _items(connection, batch.show_id, batch.rows)
        unknown = [_unknown_item(claim) for claim in batch.rows if claim.item_number not in items]
        rejections = sorted((*batch.unreadable, *unknown), key=lambda rejection: rejection.index)
        return [claim for claim in batch.rows if claim.item_number in items], rejections

    async def write(self, entry: Entry, show: asyncpg.Record, rows: Sequence[Claim]) -> tuple[int, int]:
        claims = timed(rows, show["created_at"])
        standing = latest(claims)
        connection = entry.connection
        items = await _items(connection, str(show["id"]), standing)
        buyers = await _upsert_buyers(connection, str(show["workspace_id"]), people(claims))
        return await _upsert_claims(connection, str(show["id"]), standing, items, buyers)

    async def announce(self, entry: Entry, show: asyncpg.Record, created: int, updated: int) -> None:
        if created or updated:
            await entry.connection.execute(SQL["count_claims"], show["id"], created)
            changed = events.claims_changed(created=created, updated=updated)
            await entry.tell([(str(show["workspace_id"]), str(show["id"]), changed)])


def _unknown_item(claim: Claim) -> Rejection:
    reason = f"The show has no item {claim.item_number}. Add the item, then send the claim again."
    return Rejection(claim.index, claim.claim_id, reason)


async def _items(connection: Connection, show_id: str, claims: Sequence[Claim]) -> dict[str, str]:
    """The ids of the items that claims name, by number."""
    numbers = sorted({claim.item_number for claim in claims})
    rows = await connection.fetch(SQL["items_by_number"], show_id, numbers)
    return {row["item_number"]: str(row["id"]) for row in rows}


async def _upsert_buyers(
    connection: Connection, workspace_id: str, told: Sequence[Person]
) -> dict[tuple[str, str], str]:
    platforms, user_ids = [one.platform for one in told], [one.platform_user_id for one in told]
    await connection.execute(
        SQL["upsert_buyers"],
        workspace_id,
        [new_id() for _ in told],
        platforms,
        user_ids,
        [one.handle[1] for one in told],
        [one.handle[0] for one in told],
        [one.display_name[1] for one in told],
        [one.display_name[0] for one in told],
        [one.email for one in told],
    )
    rows = await connection.fetch(SQL["buyers_by_key"], workspace_id, platforms, user_ids)
    return {(row["platform"], row["platform_user_id"]): str(row["id"]) for row in rows}


async def _upsert_claims(
    connection: Connection,
    show_id: str,
    claims: Sequence[Claim],
    items: dict[str, str],
    buyers: dict[tuple[str, str], str],
) -> tuple[int, int]:
    """Answers how many were created and how many updated."""
    ids = [new_id() for _ in claims]
    rows = await connection.fetch(
        SQL["upsert_claims"],
        show_id,
        ids,
        [claim.claim_id for claim in claims],
        [buyers[claim.person] for claim in claims],
        [items[claim.item_number] for claim in claims],
        [claim.quantity for claim in claims],
        [claim.status for claim in claims],
        [claim.claim_time for claim in claims],
        [claim.sequence for claim in claims],
    )
    created = len({str(row["id"]) for row in rows} & set(ids))
    return created, len(rows) - created
