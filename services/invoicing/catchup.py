"""What happened at the providers, read past all webhooks: the events of each account since a durable cursor.

Each account is read when the service starts, once in `every` seconds, sooner while no webhook comes, and every twelfth
of that where none can come or some are missing. What is read goes the way of a webhook: same event, inbox and rank.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog
from prometheus_client import Counter

from services.common import context
from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing import repository
from services.invoicing.domain.fairness import Account
from services.invoicing.ledger import Ledger
from services.invoicing.ports import Provider, UpdateMode, passing
from services.invoicing.repository import SQL
from services.invoicing.rereading import take_in
from services.invoicing.settle import Event, Outcome, Settlement

log = structlog.get_logger()

_SWEEPS: Final = Counter("showbill_sweeps", "Readings of what happened at a provider account.", ("outcome",))
_MISSED: Final = Counter("showbill_missed_events", "Events that moved an invoice and that no webhook had brought.")

_PASSED_OVER: Final = Counter("showbill_passed_over_events", "Events that could not be noted, however often tried.")

ACTOR: Final = "worker:catchup"
PATIENCE: Final = 3
"""Readings in a row that could not be noted, after which what cannot be noted is passed over."""
AT_ONCE: Final = 4
"""Accounts that one replica reads at the same time."""
OVERLAP: Final = timedelta(minutes=5)
"""Read once more before the cursor: an event may be listed a little after those that are younger."""
CLOCKS: Final = timedelta(days=1)
"""By so much the provider's clock may be behind ours. A quiet account is taken as read up to so long ago: what happened
later has a time of the provider's own."""
REMEMBERED: Final = timedelta(days=29)
"""What is older may be forgotten: Stripe keeps events for 30 days."""
UNCONNECTED: Final = frozenset(("NOT_CONNECTED", "ACCOUNT_CHANGED", "CREDENTIALS_REJECTED"))
"""Reasons of an account that cannot be read until somebody connects it: the provider is not even asked."""
_LEASE: Final = 60.0
_JUST_STARTED: Final = 60.0
"""Seconds: what another replica read so lately is not read again at a start."""


class NotApplied(ShowbillError):
    """What was read from the provider could not be noted here. It is tried again by itself."""

    kind = Kind.UNAVAILABLE
    reason = "NOT_APPLIED"


class Catchup:
    """Replicas share the work: an account is leased to the one that reads it, and a reading that was cut off goes on
    where it was."""

    def __init__(self, ledger: Ledger, provider: Provider, settlement: Settlement, *, every: float) -> None:
        self._ledger = ledger
        self._pool = ledger.pool
        self._provider = provider
        self._settlement = settlement
        self._every = every
        self._look_every = max(0.05, min(every / 60, 5.0))
        _SWEEPS.labels("failed")  # offered as 0: whoever asks what rose does not see one that begins with 1

    async def run(self) -> None:
        """Works until cancelled; begins at once with every account."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._find_accounts())
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            try:
                taken = await self.sweep()
            except Exception as error:  # noqa: BLE001  # outermost loop: a database that is away comes back
                log.warning("what happened at the providers could not be looked for", error=str(error))
                taken = False
            if not taken:
                await asyncio.sleep(self._look_every)

    async def _find_accounts(self) -> None:
        started = False
        while True:
            try:
                if not started:
                    await self._pool.execute(SQL["sweep_at_start"], min(_JUST_STARTED, self._every))
                    started = True
                await self.find_accounts()
            except Exception as error:  # noqa: BLE001  # as above
                log.warning("the accounts to read could not be looked for", error=str(error))
            await asyncio.sleep(max(0.05, min(self._every / 60, 60.0)))

    async def find_accounts(self) -> None:
        """From now on every account that has invoices is read."""
        await self._pool.execute(SQL["find_accounts"])

    async def sweep(self) -> bool:
        """Reads one account that is due; False when none is."""
        owner = new_id()  # of this taking: once it lapsed, another worker of this same process may take it too
        row = await self._pool.fetchrow(SQL["take_sweep"], owner, _LEASE)
        if row is None:
            return False
        context.bind_request(None)
        account = repository.account(row)
        try:
            await self._read(account, row)
        except ShowbillError as error:
            stuck = isinstance(error, NotApplied)
            await self._note_failure(account, owner, error, resumed=bool(row["page_token"]), stuck=stuck)
        except Exception:  # outermost of this account: it is told as failed, and read again
            log.exception("what happened at a provider could not be noted", account=account.account_id)
            await self._note_failure(account, owner, NotApplied(), resumed=False)
        else:
            often = self._every / 12
            rests = (often,) * 3 if await self._polls(account) else (often, self._every / 4, self._every)
            await self._pool.execute(SQL["sweep_done"], *account, owner, *rests, CLOCKS)
            _SWEEPS.labels("done").inc()
        return True

    async def _polls(self, account: Account) -> bool:
        """Whether no webhook of it can come."""
        try:
            found = await self._provider.connection(Identity(account.workspace_id, ACTOR), account.provider)
        except ShowbillError:
            return False
        if found is None or (found.account_id, found.livemode) != (account.account_id, account.livemode):
            return False
        return found.active and found.update_mode is UpdateMode.POLLING

    async def _read(self, account: Account, row: asyncpg.Record) -> None:
        """Page by page, newest first; the order makes no difference, since statuses move by rank."""
        since, token = row["read_until"] - OVERLAP, row["page_token"]
        if not token and datetime.now(UTC) - since > REMEMBERED:
            await self._pool.execute(SQL["check_all_now"], *account)
        identity, owner = Identity(account.workspace_id, ACTOR), row["lease_owner"]
        while True:
            page = await self._provider.happened(identity, account, since, token)
            events, token = page.events, page.next_page
            missed = await self._apply(account, events, patient=row["stuck_count"] < PATIENCE)
            await self._read_instead(account, page.unreadable)
            newest = max((event.occurred_at for event in events), default=None)
            held = await self._pool.fetchval(SQL["sweep_page"], *account, owner, token, newest, _LEASE, missed)
            if not token or not held:
                return

    async def _apply(self, account: Account, events: Sequence[Event], *, patient: bool) -> bool:
        """Whether webhooks were missed: something moved an invoice that they should have told by now.

        What cannot be noted is tried again with the whole page; in the end it is passed over, for the others' sake.
        """
        if not events:
            return False
        outcomes = await self._settlement.apply([replace(event, read=True) for event in events])
        stuck = [event for event, outcome in zip(events, outcomes, strict=True) if outcome is Outcome.TRY_AGAIN]
        if stuck and patient:
            raise NotApplied
        if stuck:
            await self._pass_over(account, stuck)
        late = datetime.now(UTC) - timedelta(seconds=min(60.0, self._every / 60))
        missed = sum(
            outcome is Outcome.APPLIED and event.occurred_at < late
            for event, outcome in zip(events, outcomes, strict=True)
        )
        if missed:
            _MISSED.inc(missed)
            log.warning("webhooks were missed", account=account.account_id, events=missed)
        return missed > 0

    async def _pass_over(self, account: Account, events: Sequence[Event]) -> None:
        _PASSED_OVER.inc(len(events))
        told = [event.event_id for event in events]
        log.error("events cannot be noted and are passed over", account=account.account_id, event_ids=told)
        await self._read_instead(account, [event.external_id for event in events if event.external_id])

    async def _read_instead(self, account: Account, ids: Sequence[str]) -> None:
        """Invoices one by one, in place of events that do not count: what counts is how they stand."""
        if not ids:
            return
        await self._pool.execute(SQL["check_these_now"], *account, ids)
        for row in await self._pool.fetch(SQL["void_of_these"], *account, ids):
            await self._read_void(account, row)

    async def _read_void(self, account: Account, row: asyncpg.Record) -> None:
        """At once, for no schedule does, and money may have come in. Raises what keeps the account from being read."""
        try:
            identity = Identity(account.workspace_id, ACTOR)
            seen = await self._provider.read(identity, account, row["external_id"], background=True)
            await take_in(self._ledger, str(row["id"]), seen)
        except ShowbillError as error:
            if passing(error) and error.kind is not Kind.INTERNAL:
                raise
            log.exception("a void invoice could not be read", invoice_id=str(row["id"]))
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, ValueError):
            log.exception("what a void invoice became could not be noted", invoice_id=str(row["id"]))

    async def _note_failure(
        self, account: Account, owner: str, error: ShowbillError, *, resumed: bool, stuck: bool = False
    ) -> None:
        unconnected = error.reason in UNCONNECTED
        _SWEEPS.labels("unconnected" if unconnected else "failed").inc()
        level = log.info if unconnected else log.warning
        level("what happened at a provider could not be read", account=account.account_id, reason=error.reason)
        place_is_gone = resumed and not passing(error) and not unconnected
        # What was paid while it was not connected is read soon after it is connected again. The connection itself says
        # how it is: once it is there again, nothing of before is to be told.
        longest = self._every / 4 if passing(error) else self._every  # a refusal waits for somebody who mends it
        rests = (self._every / 12,) * 2 if unconnected else (self._every / 60, longest)
        told = "" if unconnected else error.message
        await self._pool.execute(SQL["sweep_failed"], *account, owner, told, *rests, place_is_gone, stuck)
