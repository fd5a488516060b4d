"""Proves, or disproves, that each buyer of a show has exactly the right invoices, here and at the provider."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import structlog

from services.common.context import Identity
from services.common.db import Pool
from services.invoicing.domain.evidence import Evidence, Report
from services.invoicing.domain.verification import verify
from services.invoicing.looking import Listed, Look
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

log = structlog.get_logger()

LISTING: Final = 40.0
"""Seconds for the lists of all accounts where one answer is waited for. Followed, it takes as long as it takes."""
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
        """The show, and its proof, within the time of one call. Raises ShowNotFound."""
        look = await self._look(identity, show_id)
        try:
            async with asyncio.timeout(LISTING):
                async for _ in look.listing():
                    pass
        except TimeoutError:
            look.give_up()
        return look.show, await _settled(look)

    async def follow(self, identity: Identity, show_id: str) -> AsyncIterator[Listed | tuple[asyncpg.Record, Report]]:
        """How far the provider was listed, after each page, and at last the show and its proof.

        Each page has a deadline of its own, the whole has none. Raises ShowNotFound.
        """
        look = await self._look(identity, show_id)
        async for listed in look.listing():
            yield listed
        yield look.show, await _settled(look)

    async def _look(self, identity: Identity, show_id: str) -> Look:
        show = await self._pool.fetchrow(SQL["get_show"], show_id, identity.workspace_id)
        if show is None:
            raise ShowNotFound
        look = Look(self._pool, self._provider, identity, show)
        await look.begin()
        return look


async def _settled(look: Look) -> Report:
    """The verdict, once what differs was read again."""
    report = await _judged(await look.evidence())
    for pause in AGAIN:
        doubtful = report.doubtful
        if not doubtful:
            break
        await asyncio.sleep(pause)
        await look.read_again(doubtful[:MOST_AGAIN])
        report = await _judged(await look.evidence())
    show_id = str(look.show["id"])
    log.info("a show was verified", show_id=show_id, verdict=report.verdict, findings=len(report.findings))
    return report


async def _judged(evidence: Evidence) -> Report:
    """In a thread: 20,000 buyers take the better part of a second, in which the loop has others to serve."""
    return await asyncio.to_thread(verify, evidence)
