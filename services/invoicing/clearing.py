"""What a late or lost answer left at a provider beside the invoice that counts: looked for, and voided.

It must not be payable. Each is a row that stands until it is done: noted by the database when an invoice is voided
unmade or moved to another account (migrations 0152 and 0154), and by a worker that comes back too late.
"""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog
from prometheus_client import Gauge

from services.common import context
from services.common.context import Identity
from services.common.errors import ShowbillError
from services.common.ids import new_id
from services.common.money import format_money
from services.invoicing import amending, repository
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Invoice, Standing, Status
from services.invoicing.domain.sighting import Sighting
from services.invoicing.ledger import Entry, Ledger
from services.invoicing.ports import Provider, passing
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

ACTOR: Final = "worker:clearing"
_WAITING: Final = Gauge("showbill_leftovers", "What may stand at a provider beside what counts, and is looked for.")
_OLDEST: Final = Gauge("showbill_oldest_leftover_seconds", "Since when the oldest of them is looked for.")
_STRAY: Final = Gauge(
    "showbill_stray_payments",
    "Payments for what was left at a provider: they count for no invoice, and nobody settled them.",
)

LOOK_EVERY: Final = 2.0
"""Seconds between two looks for what is due."""
_COUNT_EVERY: Final = 15.0
"""Seconds between two counts of what is left."""
_LEASE: Final = 120.0
"""Seconds: longer than all calls about one of them."""
_LONGEST_REST: Final = 3600.0
"""Seconds. So long too after a refusal: an account that is not connected may be connected again."""
_ACCOUNT_RESTS: Final = 60.0
"""Seconds that others of an account are not looked for after one could not be, at the most: they would hold up other
accounts. Where it is not connected, they rest as long as that one."""
_UNDECIDED: Final = 60.0
"""Seconds until one is looked at again that its invoice, not made yet, may take up as its own."""
_OF_THE_ACCOUNT: Final = ("NOT_CONNECTED", "ACCOUNT_CHANGED", "CREDENTIALS_REJECTED")
_VOIDED: Final = "What a late try had left in the account {account} was voided there."
_UNSEEN: Final = (
    "An earlier try may have left one in the account {account}. {why} It is looked for by itself from time to time."
)
_PAID: Final = (
    "What a late try had left in the account {account} was paid there: {money}."
    " It does not count here. Give the money back, then say so on the page of the show."
)


class Clearing:
    """Replicas share the work: each takes others."""

    def __init__(self, ledger: Ledger, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Says that there is something to clear away."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work())
            group.create_task(self._count())

    async def _count(self) -> None:
        while True:
            try:
                await self.count()
            except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                log.warning("what is left behind could not be counted", error=str(error))
            await asyncio.sleep(_COUNT_EVERY)

    async def count(self) -> None:
        """Sets the metrics, over all replicas."""
        row = await self._ledger.pool.fetchrow(SQL["count_leftovers"])
        assert row is not None
        _WAITING.set(row["waiting"])
        _OLDEST.set(row["oldest"])
        _STRAY.set(row["stray"])

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            try:
                taken = await self.clear_due()
            except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                log.warning("what was left behind could not be looked for", error=str(error))
                taken = False
            if not taken:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_EVERY)

    async def clear_due(self) -> bool:
        """Clears one away that is due; False when none is."""
        rows = await self._ledger.pool.fetch(SQL["take_leftovers"], _LEASE, 1)
        for row in rows:
            context.bind_request(None)
            try:
                await self._clear(row)
            except ShowbillError as error:
                await self._put_off(row, error)
        return bool(rows)

    async def _put_off(self, row: asyncpg.Record, error: ShowbillError) -> None:
        """Says once in the invoice's history what cannot be looked at."""
        rest = min(2.0 ** min(row["tries"], 16), _LONGEST_REST) if passing(error) else _LONGEST_REST
        invoice_id, account = str(row["invoice_id"]), row["external_account"]
        level = log.warning if row["tries"] == 1 else log.info
        level("a left invoice could not be cleared away", invoice_id=invoice_id, account=account, reason=error.reason)
        async with self._ledger.entry() as entry:
            if not passing(error):
                said = _UNSEEN.format(account=account, why=error.message)
                await amending.note(entry, await _locked(entry, row), said, ACTOR)
            await entry.connection.execute(SQL["look_later"], *_key(row), rest)
            if passing(error) or error.reason in _OF_THE_ACCOUNT:
                others = min(rest, _ACCOUNT_RESTS) if passing(error) else rest
                await entry.connection.execute(SQL["rest_leftovers"], *repository.account(row), others)

    async def _clear(self, row: asyncpg.Record) -> None:
        account, who = repository.account(row), Identity(str(row["workspace_id"]), ACTOR)
        invoice_id, revision, external_id = str(row["invoice_id"]), row["revision"], row["external_id"]
        if await self._left_alone(row, external_id):
            return
        if not external_id:
            found = await self._provider.find(who, account, invoice_id, revision, row["buyer"], background=True)
            if found is None or found.standing is Standing.VOID:
                async with self._ledger.entry() as entry:
                    await _look_for(entry, row, found.replaced_by if found else "")
                    await entry.connection.execute(SQL["end_leftover"], *_key(row), row["tries"])
                return
            external_id = found.external_id
            if await self._left_alone(row, external_id):  # it may have come back meanwhile
                return
        seen = await self._provider.void(who, account, external_id, invoice_id, revision, background=True)
        async with self._ledger.entry() as entry:
            known = await _locked(entry, row)
            await _look_for(entry, row, seen.replaced_by)
            if not seen.replaced_by:
                await _note(entry, known, account, seen)
            if row["external_id"] or seen.standing is not Standing.VOID:
                await entry.connection.execute(SQL["end_leftover"], *_key(row), row["tries"])
            else:  # another one may carry the same mark
                await entry.connection.execute(SQL["look_later"], *_key(row), 0.0)

    async def _left_alone(self, row: asyncpg.Record, external_id: str) -> bool:
        """Whether the invoice itself stands for it, since it came back to the account, or may come to stand for it."""
        async with self._ledger.entry() as entry:
            known = await _locked(entry, row)
            if repository.account_of(known) != repository.account(row) or known.status is Status.VOID:
                return False
            if external_id and not known.external_id:
                await entry.connection.execute(SQL["look_later"], *_key(row), _UNDECIDED)
                return True
            counts = external_id in ("", known.external_id)
            if counts:
                await entry.connection.execute(SQL["end_leftover"], *_key(row), row["tries"])
            return counts


async def _locked(entry: Entry, row: asyncpg.Record) -> Invoice:
    rows = await entry.connection.fetch(SQL["lock_invoices"], [row["invoice_id"]])
    return repository.invoice(rows[0])


async def _look_for(entry: Entry, row: asyncpg.Record, external_id: str) -> None:
    """For what replaced it at the provider, where it was edited there; an empty id is nothing."""
    if external_id:
        await entry.connection.execute(SQL["add_leftover"], *_key(row)[:-1], external_id)


async def _note(entry: Entry, known: Invoice, account: Account, seen: Sighting) -> None:
    """Says in the invoice's history what was done. Money that came in for it counts where it is the invoice's own."""
    log.warning(
        "a left invoice was cleared", invoice_id=known.id, external_id=seen.external_id, standing=seen.standing.name
    )
    if repository.account_of(known) == account and known.external_id in ("", seen.external_id):
        change = step(known, seen, ACTOR, datetime.now(UTC))
        if change is not None:
            await entry.change([change])
            known = change.after
    if seen.standing is Standing.VOID:
        await amending.note(entry, known, _VOIDED.format(account=account.account_id), ACTOR)
    elif known.status is not Status.PAID or known.external_id != seen.external_id:
        total, currency = seen.total or 0, seen.currency or known.currency
        place = (account.provider, account.account_id, account.livemode, seen.external_id)
        about = (total, currency, seen.paid_at, seen.provider_url)
        await entry.connection.execute(SQL["add_stray_payment"], new_id(), known.id, known.show_id, *place, *about)
        money = format_money(total, currency)
        await amending.note(entry, known, _PAID.format(account=account.account_id, money=money), ACTOR)


def _key(row: asyncpg.Record) -> tuple[object, ...]:
    return tuple(row[name] for name in ("invoice_id", "provider", "external_account", "livemode", "external_id"))
