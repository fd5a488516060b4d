"""What ends even where nobody ends it: messages that are never reported, the memory of events about nothing here."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from services.common.db import Pool
from services.invoicing.repository import SQL

log = structlog.get_logger()

LOOK_EVERY: Final = 3600.0
"""Seconds."""
UNREPORTED: Final = timedelta(days=8)
"""An event is kept for seven days (docs/messaging.md), and a day is left for what was tried more than once."""
REMEMBERED: Final = timedelta(days=90)
"""Of an event about no invoice of ours. Providers list and send again what is 30 days old at the most."""
_BATCH: Final = 1_000
_NOT_REPORTED: Final = (
    "The messaging service never said what became of this message. Send the link again if the buyer did not get it."
)


class Upkeep:
    """Replicas share the work: rows that one holds are passed over by the others."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            try:
                await self.fail_unreported()
                await self.forget_events()
            except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                log.warning("what is over could not be cleared away", error=str(error))
            await asyncio.sleep(LOOK_EVERY)

    async def fail_unreported(self) -> int:
        """Ends messages that nobody reports any more, so that their invoices can be sent again; answers how many."""
        ended = await self._in_batches("fail_unreported", UNREPORTED, _NOT_REPORTED)
        if ended:
            log.warning("messages were never reported", deliveries=ended)
        return ended

    async def forget_events(self) -> int:
        """Answers how many."""
        return await self._in_batches("forget_events", REMEMBERED)

    async def _in_batches(self, query: str, *values: object) -> int:
        done = 0
        while rows := await self._pool.fetch(SQL[query], *values, _BATCH):
            done += len(rows)
        return done
