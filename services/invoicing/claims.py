"""Claims as their callers decided them, and the buyers who made them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import asyncpg

from services.common.db import Connection, Pool, transaction
from services.common.errors import NotFound
from services.common.ids import new_id
from services.invoicing import events
from services.invoicing.ledger import Ledger
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

_ORDER: Final = ("waitlist", "winner", "released", "passed")


class BuyerNotFound(NotFound):
    """There is no buyer with this id in your workspace."""

    reason = "BUYER_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Claim:
    """One state of a claim."""

    index: int
    """Place in the caller's request."""
    claim_id: str
    platform: str
    platform_user_id: str
    handle: str
    display_name: str
    email: str
    item_number: str
    quantity: int
    status: str
    claim_time: datetime | None
    sequence: int

    @property
    def person(self) -> tuple[str, str]:
        return self.platform, self.platform_user_id


@dataclass(frozen=True, slots=True)
class Rejection:
    """A claim that was not taken, and why."""

    index: int
    claim_id: str
    reason: str
    """A finished sentence."""


@dataclass(frozen=True, slots=True)
class Ingested:
    created: int
    updated: int
    unchanged: int
    rejections: list[Rejection]


class Claims:
    """The use cases of claims and buyers. Those with a show raise ShowNotFound."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pool: Pool = ledger.pool

    async def ingest(self, workspace_id: str, show_id: str, claims: Sequence[Claim]) -> Ingested:
        """Takes what can be taken in one transaction, idempotent on the claim id."""
        async with self._ledger.entry() as entry:
            show = await entry.connection.fetchrow(SQL["lock_show"], show_id, workspace_id)
            if show is None:
                raise ShowNotFound
            items = await _items(entry.connection, show_id, claims)
            rejections = [_unknown_item(claim) for claim in claims if claim.item_number not in items]
            # A claim without a time counts as made with the show: the same value whenever it is sent again.
            known = [
                claim if claim.claim_time else replace(claim, claim_time=show["created_at"])
                for claim in claims
                if claim.item_number in items
            ]
            latest = _latest(known)
            buyers = await _upsert_buyers(entry.connection, workspace_id, latest)
            created, updated = await _upsert_claims(entry.connection, show_id, latest, items, buyers)
            if created or updated:
                await entry.connection.execute(SQL["count_claims"], show_id, created)
                changed = events.claims_changed(created=created, updated=updated)
                await entry.tell([(workspace_id, show_id, changed)])
        return Ingested(created, updated, len(known) - created - updated, rejections)

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
            await connection.execute(
                SQL["update_buyer"],
                buyer_id,
                buyer["email"] if email is None else email,
                buyer["display_name"] if display_name is None else display_name,
            )
            changed = await connection.fetchrow(SQL["lock_buyer"], buyer_id, workspace_id)
            assert changed is not None
            return changed


def _unknown_item(claim: Claim) -> Rejection:
    reason = f"The show has no item {claim.item_number}. Add the item, then send the claim again."
    return Rejection(claim.index, claim.claim_id, reason)


def _latest(claims: Sequence[Claim]) -> list[Claim]:
    """One state of each claim: the one that would stand if they came one after the other."""
    latest: dict[str, Claim] = {}
    for claim in claims:
        before = latest.get(claim.claim_id)
        if before is None or _replaces(before, claim):
            latest[claim.claim_id] = claim
    return list(latest.values())


def _replaces(before: Claim, claim: Claim) -> bool:
    """As the statement upsert_claims has it."""
    if before.sequence and claim.sequence and before.sequence != claim.sequence:
        return claim.sequence > before.sequence
    assert before.claim_time is not None
    assert claim.claim_time is not None
    return (claim.claim_time, _ORDER.index(claim.status)) >= (before.claim_time, _ORDER.index(before.status))


async def _items(connection: Connection, show_id: str, claims: Sequence[Claim]) -> dict[str, str]:
    numbers = sorted({claim.item_number for claim in claims})
    rows = await connection.fetch(SQL["items_by_number"], show_id, numbers)
    return {row["item_number"]: str(row["id"]) for row in rows}


async def _upsert_buyers(
    connection: Connection, workspace_id: str, claims: Sequence[Claim]
) -> dict[tuple[str, str], str]:
    people: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        before = people.get(claim.person, claim)
        people[claim.person] = replace(
            claim,
            handle=claim.handle or before.handle,
            display_name=claim.display_name or before.display_name,
            email=before.email or claim.email,
        )
    told = list(people.values())
    await connection.execute(
        SQL["upsert_buyers"],
        workspace_id,
        [new_id() for _ in told],
        [claim.platform for claim in told],
        [claim.platform_user_id for claim in told],
        [claim.handle for claim in told],
        [claim.display_name for claim in told],
        [claim.email for claim in told],
    )
    rows = (
        await connection.fetch(SQL["buyers_by_key"], workspace_id, *map(list, zip(*people, strict=True)))
        if people
        else []
    )
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
