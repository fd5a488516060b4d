"""Proves, or disproves, that each buyer of a show has exactly the right invoices, here and at the provider."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from services.common.context import Identity
from services.common.db import Pool
from services.common.errors import ShowbillError
from services.invoicing import repository
from services.invoicing.domain.evidence import Claimant, Evidence, Ours, Place, Report, Theirs
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import DraftReason, Status
from services.invoicing.domain.rollup import NOTHING
from services.invoicing.domain.verification import verify
from services.invoicing.parse import uuid_of
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

log = structlog.get_logger()

CLOCKS: Final = timedelta(hours=1)
"""The provider's list is read from so long before our first invoice: its clock is not ours."""
LISTING: Final = 40.0
"""Seconds for the lists of all accounts. A proof that takes longer is not given."""
AGAIN: Final = (0.0, 1.0, 2.0)
"""Seconds before each further look at what differs: what is under way comes to rest meanwhile."""
MOST_AGAIN: Final = 100
"""Where more differ than that, another look would not make it right."""


class Verification:
    """The use case. Changes nothing."""

    def __init__(self, pool: Pool, provider: Provider) -> None:
        self._pool = pool
        self._provider = provider

    async def prove(self, identity: Identity, show_id: str) -> tuple[asyncpg.Record, Report]:
        """The show, and its proof. Raises ShowNotFound."""
        show = await self._pool.fetchrow(SQL["get_show"], show_id, identity.workspace_id)
        if show is None:
            raise ShowNotFound
        look = _Look(self._pool, self._provider, identity, show)
        await look.list_accounts()
        report = await _judged(await look.evidence())
        for pause in AGAIN:
            doubtful = report.doubtful
            if not doubtful:
                break
            await asyncio.sleep(pause)
            await look.read_again(doubtful[:MOST_AGAIN])
            report = await _judged(await look.evidence())
        log.info("a show was verified", show_id=show_id, verdict=report.verdict, findings=len(report.findings))
        return show, report


async def _judged(evidence: Evidence) -> Report:
    """In a thread: 20,000 buyers take the better part of a second, in which the loop has others to serve."""
    return await asyncio.to_thread(verify, evidence)


class _Look:
    """What the providers have of one show."""

    def __init__(self, pool: Pool, provider: Provider, identity: Identity, show: asyncpg.Record) -> None:
        self._pool = pool
        self._provider = provider
        self._identity = identity
        self._show = show
        self._theirs: dict[Place, Theirs] = {}
        self._unchecked: dict[Account, str] = {}

    async def list_accounts(self) -> None:
        """The provider first and our rows after it: what is made in between is looked for by itself."""
        rows = await self._pool.fetch(SQL["verify_invoices"], self._show["id"])
        places = await self._pool.fetch(SQL["verify_places"], self._show["id"])
        accounts = {repository.account(row) for row in (*rows, *places)}
        since = min((row["created_at"] for row in rows), default=datetime.now(UTC)) - CLOCKS
        await asyncio.gather(*(self._list(account, since) for account in accounts))

    async def _list(self, account: Account, since: datetime) -> None:
        try:
            async with asyncio.timeout(LISTING):
                page_token = ""
                while True:
                    page, page_token = await self._provider.listed(self._identity, account, since, page_token)
                    self._theirs.update({one.place: one for one in page})
                    if not page_token:
                        return
        except ShowbillError as error:
            self._unchecked[account] = f"The account {account.account_id} could not be looked into: {error.message}"
        except TimeoutError:
            self._unchecked[account] = f"The account {account.account_id} has too much to list at once. Try again."

    async def read_again(self, places: Sequence[Place]) -> None:
        """What differs, as it is now. One that cannot be read stays as it was listed."""
        for place in places:
            account, external_id = place
            try:
                now = await self._provider.look(self._identity, account, external_id)
            except ShowbillError as error:
                log.info("what differs could not be read again", external_id=external_id, reason=error.reason)
                continue
            known = self._theirs.get(place)
            if now is None:
                self._theirs.pop(place, None)
            else:
                self._theirs[place] = replace(now, invoice_id=known.invoice_id if known else now.invoice_id)

    async def evidence(self) -> Evidence:
        """Our side as it is now, at one moment, beside what was seen of the provider's."""
        async with self._pool.acquire() as database, database.transaction(isolation="repeatable_read", readonly=True):
            rows = await database.fetch(SQL["verify_invoices"], self._show["id"])
            positions = [repository.position(row) for row in await database.fetch(SQL["positions"], self._show["id"])]
            places = await database.fetch(SQL["verify_places"], self._show["id"])
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
            self._show["currency"], [*claimants.values()], ours, mine, strays, begun, self._unchecked, datetime.now(UTC)
        )

    async def _divided(self, show: set[str]) -> tuple[Mapping[Place, Theirs], list[Theirs]]:
        """What carries the mark of an invoice of the show, and what that of none that is known here."""
        mine = {place: one for place, one in self._theirs.items() if one.invoice_id in show}
        others = [one for one in self._theirs.values() if one.invoice_id not in show]
        ids = [one.invoice_id for one in others if uuid_of(one.invoice_id)]
        rows = await self._pool.fetch(SQL["known_invoices"], self._show["workspace_id"], ids) if ids else []
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
        digest=row["planned_digest"],
    )
