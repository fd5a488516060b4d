"""Open invoices read again from the provider from time to time: a payment is learned of even when no webhook comes."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from services.common import context
from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.invoicing import repository
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Sighting
from services.invoicing.ledger import Ledger
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

ACTOR: Final = "worker:catchup"
_BATCH: Final = 20
_PACE: Final = 0.2
"""Seconds between two readings: far below what a provider allows, so that it is never in the way of making invoices."""
_LONGEST_REST: Final = 60.0


class Catchup:
    """Reads every open invoice once in `every` seconds. Replicas share the work: each takes others."""

    def __init__(self, ledger: Ledger, provider: Provider, *, every: float) -> None:
        self._ledger = ledger
        self._provider = provider
        self._every = every

    async def run(self) -> None:
        """Works until cancelled; begins at once with what is due."""
        while True:
            try:
                taken = await self.sweep()
            except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                log.warning("catch-up could not look for open invoices", error=str(error))
                taken = 0
            if not taken:
                await asyncio.sleep(min(self._every / 4, _LONGEST_REST))

    async def sweep(self) -> int:
        """Reads a batch of the invoices that are due; answers how many it took."""
        rows = await self._ledger.pool.fetch(SQL["take_to_check"], self._every, _BATCH)
        for row in rows:
            context.bind_request(None)
            await self._check(row)
            await asyncio.sleep(min(_PACE, self._every / 4))
        return len(rows)

    async def _check(self, row: asyncpg.Record) -> None:
        account: Account = repository.account(row)
        try:
            seen = await self._provider.read(Identity(account.workspace_id, ACTOR), account, row["external_id"])
        except ShowbillError as error:
            level = log.warning if error.kind is Kind.INTERNAL else log.info
            level("an open invoice could not be read", invoice_id=str(row["id"]), reason=error.reason)
            return
        await self._apply(str(row["id"]), seen)

    async def _apply(self, invoice_id: str, seen: Sighting) -> None:
        async with self._ledger.entry() as entry:
            rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice_id])
            change = step(repository.invoice(rows[0]), seen, ACTOR, datetime.now(UTC))
            if change is not None:
                await entry.change([change])
                log.info("catch-up found news", invoice_id=invoice_id, status=change.after.status)
