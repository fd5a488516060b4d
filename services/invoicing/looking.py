"""What the providers and our own tables have of one show, gathered for its proof."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from services.common.context import Identity
from services.common.db import Pool
from services.common.errors import Kind, ShowbillError
from services.invoicing import repository
from services.invoicing.domain.evidence import Claimant, Evidence, Ours, Place, Theirs
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import DraftReason, Status
from services.invoicing.domain.rollup import NOTHING
from services.invoicing.parse import uuid_of
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL

log = structlog.get_logger()

CLOCKS: Final = timedelta(hours=1)
"""The provider's list is read from so long before our first invoice: its clock is not ours."""
PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds before a page that failed for the moment is asked for again."""
_PASSING: Final = {Kind.RATE_LIMITED, Kind.UNAVAILABLE, Kind.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Listed:
    """How far the lists were read."""

    seen: int
    """Invoices of ours at the provider, of whatever show."""
    found: int
    """Those of this show."""
    expected: int
    """What is to be found, as far as is known here."""


class Look:
    """What the providers have of one show."""

    def __init__(self, pool: Pool, provider: Provider, identity: Identity, show: asyncpg.Record) -> None:
        self._pool = pool
        self._provider = provider
        self._identity = identity
        self.show = show
        self._theirs: dict[Place, Theirs] = {}
        self._unchecked: dict[Account, str] = {}
        self._unlisted: list[Account] = []
        self._expected: dict[str, bool] = {}
        """Our invoices, by id, and whether one stands at the provider."""
        self._since = datetime.now(UTC)

    async def begin(self) -> None:
        """Finds out what is to be listed."""
        rows = await self._pool.fetch(SQL["verify_invoices"], self.show["id"])
        places = await self._pool.fetch(SQL["verify_places"], self.show["id"])
        self._unlisted = list(dict.fromkeys(repository.account(row) for row in (*rows, *places)))
        self._expected = {str(row["id"]): bool(row["external_id"]) for row in rows}
        self._since = min((row["created_at"] for row in rows), default=self._since) - CLOCKS

    async def listing(self) -> AsyncIterator[Listed]:
        """Reads the lists page by page. The provider first and our rows after it: what is made in between is looked for
        by itself."""
        found, expected = 0, sum(self._expected.values())
        yield Listed(0, 0, expected)
        while self._unlisted:
            async for page in self._pages(self._unlisted[0]):
                found += sum(one.invoice_id in self._expected for one in page if one.place not in self._theirs)
                self._theirs.update({one.place: one for one in page})
                yield Listed(len(self._theirs), found, max(expected, found))
            del self._unlisted[0]

    def give_up(self) -> None:
        """Notes that there was no time for the rest of the lists."""
        for account in self._unlisted:
            self._unchecked[account] = (
                f"The account {account.account_id} has more to list than one call has time for. Verify the show with"
                " `showbill verify-show`, which takes as long as it needs."
            )

    async def _pages(self, account: Account) -> AsyncIterator[Sequence[Theirs]]:
        """Without an end: a copy of one of ours may have been made at any time since."""
        page_token, failed = "", 0
        while True:
            try:
                page, page_token = await self._provider.listed(self._identity, account, self._since, None, page_token)
            except ShowbillError as error:
                if error.kind in _PASSING and failed < len(PAUSES):
                    await asyncio.sleep(max(PAUSES[failed], error.retry_after or 0))
                    failed += 1
                    continue
                said = f"The account {account.account_id} could not be looked into: {error.message}"
                self._unchecked[account] = said
                return
            failed = 0
            yield page
            if not page_token:
                return

    async def read_again(self, places: Sequence[Place]) -> None:
        """What differs, as it is now, and what took its place: that may be of later than what was listed.

        One that cannot be read stays as it was listed.
        """
        for place in places:
            now = await self._read(place)
            while now and now.replaced_by and (now.account, now.replaced_by) not in self._theirs:
                now = await self._read((now.account, now.replaced_by))

    async def _read(self, place: Place) -> Theirs | None:
        account, external_id = place
        try:
            now = await self._provider.look(self._identity, account, external_id)
        except ShowbillError as error:
            log.info("what differs could not be read again", external_id=external_id, reason=error.reason)
            return None
        known = self._theirs.get(place)
        if now is None:
            self._theirs.pop(place, None)
        else:
            self._theirs[place] = replace(now, invoice_id=known.invoice_id if known else now.invoice_id)
        return now

    async def evidence(self) -> Evidence:
        """Our side as it is now, at one moment, beside what was seen of the provider's."""
        async with self._pool.acquire() as database, database.transaction(isolation="repeatable_read", readonly=True):
            rows = await database.fetch(SQL["verify_invoices"], self.show["id"])
            positions = [repository.position(row) for row in await database.fetch(SQL["positions"], self.show["id"])]
            places = await database.fetch(SQL["verify_places"], self.show["id"])
            settled = await database.fetch(SQL["settled_places"], self.show["id"])
        claimants = {one.buyer.id: Claimant(one.buyer, one.owed) for one in positions}
        for row in rows:
            if str(row["buyer_id"]) not in claimants:
                buyer = replace(repository.buyer(row), id=str(row["buyer_id"]))
                claimants[buyer.id] = Claimant(buyer, NOTHING)
        ours = [_ours(row) for row in rows]
        mine, strays = await self._divided({one.id for one in ours})
        begun: defaultdict[str, list[Account]] = defaultdict(list)
        for row in places:
            begun[str(row["invoice_id"])].append(repository.account(row))
        return Evidence(
            currency=self.show["currency"],
            claimants=[*claimants.values()],
            ours=ours,
            theirs=mine,
            strays=strays,
            begun=begun,
            unchecked=self._unchecked,
            now=datetime.now(UTC),
            settled={(repository.account(row), row["external_id"]) for row in settled},
        )

    async def _divided(self, show: set[str]) -> tuple[Mapping[Place, Theirs], list[Theirs]]:
        """What carries the mark of an invoice of the show, and what that of none that is known here."""
        mine = {place: one for place, one in self._theirs.items() if one.invoice_id in show}
        others = [one for one in self._theirs.values() if one.invoice_id not in show]
        ids = [one.invoice_id for one in others if uuid_of(one.invoice_id)]
        rows = await self._pool.fetch(SQL["known_invoices"], self.show["workspace_id"], ids) if ids else []
        known = {str(row["id"]) for row in rows}
        return mine, [one for one in others if one.invoice_id not in known]


def _ours(row: asyncpg.Record) -> Ours:
    return Ours(
        id=str(row["id"]),
        buyer_id=str(row["buyer_id"]),
        status=Status(row["status"]),
        draft_reason=DraftReason(row["draft_reason"]) if row["draft_reason"] else None,
        total=row["total"],
        revision=row["revision"],
        account=repository.account(row),
        external_id=row["external_id"],
        adjusted=row["adjusted_at_provider"],
        digest=repository.planned_digest(row),
        amounts=tuple(row["amounts"]) if row["amounts"] is not None else None,
    )
