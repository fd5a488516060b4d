"""Claims as their callers decided them, and the buyers who made them."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.common.db import Connection, Pool, transaction
from services.common.errors import NotFound
from services.common.ids import new_id
from services.invoicing import events
from services.invoicing.domain.claim import Claim, Person, latest, people, timed
from services.invoicing.feed import Batch, Rejection
from services.invoicing.ledger import Entry, Ledger
from services.invoicing.repository import SQL


class BuyerNotFound(NotFound):
    """There is no buyer with this id in your workspace."""

    reason = "BUYER_NOT_FOUND"


class Claims:
    """What is read of claims and buyers, and how a buyer is changed."""

    def __init__(self, ledger: Ledger) -> None:
        self._pool: Pool = ledger.pool

    async def page(
        self, show_id: str, after: tuple[datetime, str] | None, status: str | None, size: int
    ) -> list[asyncpg.Record]:
        """Oldest first; `after` is the time and id of the last one before."""
        time, claim = after or (None, None)
        return await self._pool.fetch(SQL["list_claims"], show_id, time, claim, status, size)

    async def buyers(self, show_id: str, after: tuple[str, str] | None, size: int) -> list[asyncpg.Record]:
        """Buyers with winner claims and what they owe, by handle."""
        handle, buyer_id = after or (None, None)
        return await self._pool.fetch(SQL["list_buyers"], show_id, handle, buyer_id, size)

    async def update_buyer(
        self, workspace_id: str, buyer_id: str, *, email: str | None, display_name: str | None
    ) -> asyncpg.Record:
        """Changes what is not None. Raises BuyerNotFound."""
        async with transaction(self._pool) as connection:
            buyer = await connection.fetchrow(SQL["lock_buyer"], buyer_id, workspace_id)
            if buyer is None:
                raise BuyerNotFound
            await connection.execute(SQL["update_buyer"], buyer_id, email, display_name)
            changed = await connection.fetchrow(SQL["lock_buyer"], buyer_id, workspace_id)
            assert changed is not None
            return changed


class ClaimLoad:
    """How claims are taken: idempotent on the claim id."""

    row = Claim

    def lock_key(self, row: Claim) -> tuple[str, str]:
        return row.person

    async def sift(self, connection: Connection, batch: Batch[Claim]) -> tuple[list[Claim], list[Rejection]]:
        items = await _items(connection, batch.show_id, batch.rows)
        unknown = [_unknown_item(claim) for claim in batch.rows if claim.item_number not in items]
        rejections = sorted((*batch.unreadable, *unknown), key=lambda rejection: rejection.index)
        return [claim for claim in batch.rows if claim.item_number in items], rejections

    async def write(self, connection: Connection, show: asyncpg.Record, rows: Sequence[Claim]) -> tuple[int, int]:
        claims = timed(rows, show["created_at"])
        standing = latest(claims)
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
