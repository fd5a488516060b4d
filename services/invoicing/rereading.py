"""Unsettled invoices read again from the provider on a decaying schedule: the net under webhooks and events."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from services.common import context
from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.invoicing import repository
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Status
from services.invoicing.domain.schedule import rest
from services.invoicing.domain.sighting import Sighting, was_replaced
from services.invoicing.ledger import Ledger
from services.invoicing.ports import Provider, passing
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

ACTOR: Final = "worker:catchup"
_BATCH: Final = 20
_PACE: Final = 0.2
"""Seconds between two readings: far below what a provider allows, so that it is never in the way of making invoices."""
_LONGEST_REST: Final = 60.0
_SOON: Final = 1.0
"""Seconds."""


class Rereading:
    """Reads each invoice when it is due. Replicas share the work: each takes others."""

    def __init__(self, ledger: Ledger, provider: Provider, *, least: float) -> None:
        """`least` seconds lie between two readings of the same invoice."""
        self._ledger = ledger
        self._provider = provider
        self._least = least
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Says that something is due before its time."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled; begins at once with what is due."""
        while True:
            # What we were woken for may be locked still by whoever changed it: it is looked for once more.
            pause = _SOON if self._wake.is_set() else _LONGEST_REST
            self._wake.clear()
            try:
                taken = await self.read_due()
            except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                log.warning("the open invoices could not be looked for", error=str(error))
                taken = 0
            if not taken:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), min(self._least / 4, pause))

    async def read_due(self) -> int:
        """Reads a batch of the invoices that are due; answers how many it took."""
        rows = await self._ledger.pool.fetch(SQL["take_to_check"], self._least, _BATCH)
        for row in rows:
            context.bind_request(None)
            try:
                await self._check(row)
            except Exception:  # of this invoice: those that were taken with it are not held up
                log.exception("an open invoice could not be looked at", invoice_id=str(row["id"]))
            await asyncio.sleep(min(_PACE, self._least / 4))
        return len(rows)

    async def _check(self, row: asyncpg.Record) -> None:
        account: Account = repository.account(row)
        identity = Identity(account.workspace_id, ACTOR)
        try:
            seen = await self._provider.read(identity, account, row["external_id"], background=True)
        except ShowbillError as error:
            level = log.warning if error.kind is Kind.INTERNAL else log.info
            level("an open invoice could not be read", invoice_id=str(row["id"]), reason=error.reason)
            if not passing(error):
                await self._put_off(row)
            return
        if not await take_in(self._ledger, str(row["id"]), seen):
            await self._put_off(row)

    async def _put_off(self, row: asyncpg.Record) -> None:
        age = (datetime.now(UTC) - row["created_at"]).total_seconds()
        seconds = rest(age, self._least, written_off=row["status"] == Status.UNCOLLECTIBLE)
        await self._ledger.pool.execute(SQL["check_later"], row["id"], seconds, row["external_id"])


async def take_in(ledger: Ledger, invoice_id: str, seen: Sighting) -> bool:
    """Whether it was replaced at the provider, and the replacement is to be read at once."""
    async with ledger.entry(by_key=True) as entry:
        rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice_id])
        change = step(repository.invoice(rows[0]), seen, ACTOR, datetime.now(UTC))
        if change is None:
            return False
        await entry.change([change])
    log.info("a reading found news", invoice_id=invoice_id, status=change.after.status)
    return was_replaced(change.before, change.after)
