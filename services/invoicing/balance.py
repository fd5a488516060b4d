"""The money of every show that changed, looked at again and again: claimed = invoiced + not invoiced, and what differs
is explained by claims, prices or an edit at the provider. What nothing explains is a fault of ours, and is told.
"""

import asyncio
from typing import Final

import asyncpg
import structlog
from prometheus_client import Gauge

from services.common import context
from services.common.db import Pool, transaction
from services.invoicing.repository import SQL

log = structlog.get_logger()

_UNBALANCED: Final = Gauge(
    "showbill_unbalanced_shows", "Shows whose invoices come to another sum than claims, prices and edits explain."
)

LOOK_EVERY: Final = 5.0
"""Seconds between two looks for shows that changed."""
REST: Final = 15.0
"""Seconds for which a show that was looked at rests, however much it changes."""
AGAIN: Final = 600.0
"""Seconds after which a show that did not balance is looked at again, though nothing was told of it."""
_BATCH: Final = 20


class Balance:
    """Replicas share the work: a show is looked at by one of them at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            try:
                taken = await self.check_changed()
                _UNBALANCED.set(await self.unbalanced())
            except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                log.warning("the money of shows could not be looked at", error=str(error))
                taken = 0
            if taken < _BATCH:
                await asyncio.sleep(LOOK_EVERY)

    async def check_changed(self, rest: float = REST, again: float = AGAIN) -> int:
        """Looks at a batch of the shows that changed; answers how many there were."""
        rows = await self._pool.fetch(SQL["unbalanced_since"], rest, _BATCH, again)
        for row in rows:
            context.bind_request(None)
            try:
                await self._check(row)
            except asyncpg.PostgresError:  # of this show; the others have their turn all the same
                log.exception("the money of a show could not be looked at", show_id=str(row["id"]))
                await self._pool.execute(SQL["put_off_balance"], row["id"])
        return len(rows)

    async def unbalanced(self) -> int:
        """How many shows do not balance, over all replicas."""
        return int(await self._pool.fetchval(SQL["count_unbalanced"]))

    async def _check(self, show: asyncpg.Record) -> None:
        """The position is read before the sums: what changes meanwhile makes the show due again."""
        async with transaction(self._pool) as database:
            if not await database.fetchval(SQL["lock_balance"], show["id"]):
                return
            parts = {row["part"]: row for row in await database.fetch(SQL["show_summary"], show["id"])}
            off = parts["unexplained"]
            await database.execute(SQL["write_balance"], show["id"], show["seq"], off["amount"], off["count"])
        if off["count"]:
            log.error(
                "the money of a show does not balance",
                show_id=str(show["id"]),
                workspace_id=str(show["workspace_id"]),
                off_by=off["amount"],
                buyers=off["count"],
            )
