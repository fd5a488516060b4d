"""Provider events applied: inbox row, row lock, move and outbox row in one transaction."""

import contextlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import asyncpg
import structlog

from services.common import context
from services.common.grouping import Grouper
from services.invoicing import repository
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.sighting import Sighting, observe, provider_lines, was_replaced
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.repository import SQL

log = structlog.get_logger()

MOST: Final = 256
"""Events of one call at the most, and of calls that share a transaction."""
_AWAY: Final = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


class Outcome(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    NO_CHANGE = "no_change"
    UNKNOWN_INVOICE = "unknown_invoice"
    TRY_AGAIN = "try_again"


@dataclass(frozen=True, slots=True)
class Event:
    """A verified event, bound to the account and mode whose secret verified it."""

    account: Account
    event_id: str
    event_type: str
    """The provider's own name."""
    occurred_at: datetime
    invoice_id: str | None
    """Ours, from the provider's metadata."""
    sighting: Sighting | None
    """None when it moves nothing."""
    external_id: str
    read: bool = False
    """Found by reading the provider, where no webhook had told it."""

    @property
    def replaces(self) -> str:
        """The provider's id of the invoice that the event's own replaces; else empty."""
        return self.sighting.replaces if self.sighting else ""

    @property
    def key(self) -> tuple[Account, str]:
        return self.account, self.event_id


class _Overtaken(Exception):
    """Another transaction applied one of the events a moment ago. Nothing of this one counts."""


@dataclass(frozen=True, slots=True)
class Call:
    """Events that came in one call, and the request that brought them."""

    events: Sequence[Event]
    request_id: str


class Settlement:
    """Applies events in groups: calls that arrive while others are applied share the next transaction."""

    def __init__(self, ledger: Ledger, wake: Callable[[], None]) -> None:
        """`wake` is called when an invoice was replaced at the provider, to read how the new one stands."""
        self._ledger = ledger
        self._wake = wake
        self._calls = Grouper(self._apply_calls, most=MOST, weigh=lambda call: len(call.events), heaviest=MOST)

    async def apply(self, events: Sequence[Event]) -> list[Outcome]:
        """One outcome for each, in order. When a group fails, each event is applied alone."""
        return await self._calls.submit(Call(events, context.request_id())) if events else []

    async def _apply_calls(self, calls: Sequence[Call]) -> list[list[Outcome]]:
        events = [event for call in calls for event in call.events]
        requests = [call.request_id for call in calls for _ in call.events]
        outcomes = iter(await self._apply_group(events, requests))
        return [list(itertools.islice(outcomes, len(call.events))) for call in calls]

    async def _apply_group(self, events: Sequence[Event], requests: Sequence[str]) -> list[Outcome]:
        try:
            return await self._apply(events, requests)
        except _AWAY:
            raise
        except (asyncpg.PostgresError, asyncpg.DataError, ValueError) as error:
            log.warning(
                "a group of provider events is applied one by one", error=type(error).__name__, count=len(events)
            )
        return [await self._alone(event, request) for event, request in zip(events, requests, strict=True)]

    async def _alone(self, event: Event, request_id: str) -> Outcome:
        try:
            return (await self._apply([event], [request_id]))[0]
        except _AWAY:
            raise
        except (asyncpg.PostgresError, asyncpg.DataError, ValueError):
            log.exception("a provider event could not be applied", event_id=event.event_id)
            return Outcome.TRY_AGAIN

    async def _apply(self, events: Sequence[Event], requests: Sequence[str]) -> list[Outcome]:
        while True:
            with contextlib.suppress(_Overtaken):  # by a commit, so that each try has one event less to be surprised by
                return await self._try(events, requests)

    async def _try(self, events: Sequence[Event], requests: Sequence[str]) -> list[Outcome]:
        async with self._ledger.entry(by_key=True) as entry:
            matches, known, invoices = await _match(entry, events)
            outcomes, changes, about = _decide(events, requests, matches, invoices, known)
            await entry.change(changes)
            await _record(entry, events, outcomes, about)
        if any(was_replaced(change.before, change.after) for change in changes):
            self._wake()
        return outcomes


async def _match(entry: Entry, events: Sequence[Event]) -> tuple[dict[int, str], set[int], dict[str, Invoice]]:
    """The invoice id that each place is about, the places of events that are in the inbox, and the invoices, locked."""
    rows = await entry.connection.fetch(
        SQL["match_events"],
        list(range(len(events))),
        [event.account.workspace_id for event in events],
        [event.account.provider for event in events],
        [event.account.account_id for event in events],
        [event.account.livemode for event in events],
        [event.invoice_id for event in events],
        [event.external_id for event in events],
        [event.replaces for event in events],
        [event.event_id for event in events],
    )
    matches = {row["place"]: str(row["id"]) for row in rows if row["id"] is not None}
    locked = await entry.connection.fetch(SQL["lock_invoices"], sorted(set(matches.values()))) if matches else []
    known = {row["place"] for row in rows if row["known"]}
    return matches, known, {str(row["id"]): repository.invoice(row) for row in locked}


def _decide(
    events: Sequence[Event],
    requests: Sequence[str],
    matches: Mapping[int, str],
    invoices: dict[str, Invoice],
    known: set[int],
) -> tuple[list[Outcome], list[Change], list[str | None]]:
    """What becomes of each event, the steps that follow, and the invoice that each is about."""
    outcomes: list[Outcome] = []
    changes: list[Change] = []
    about: list[str | None] = []
    seen = set()
    now = datetime.now(UTC)
    for place, event in enumerate(events):
        invoice = invoices.get(matches.get(place, ""))
        if invoice is not None and not _is_of(event, invoice):
            invoice = None  # since it was matched it found another counterpart, or went to another account
        about.append(invoice.id if invoice else None)
        if place in known or event.key in seen:
            outcomes.append(Outcome.DUPLICATE)
            continue
        seen.add(event.key)
        if invoice is None:
            outcomes.append(Outcome.UNKNOWN_INVOICE if event.sighting else Outcome.NO_CHANGE)
            continue
        change = _step(invoice, event, now)
        outcomes.append(Outcome.APPLIED if change else Outcome.NO_CHANGE)
        if change:
            changes.append(replace(change, request_id=requests[place]))
            invoices[invoice.id] = change.after
    return outcomes, changes, about


def _is_of(event: Event, invoice: Invoice) -> bool:
    same_account = repository.account_of(invoice) == event.account
    return same_account and invoice.external_id in ("", event.external_id, event.replaces)


def _step(invoice: Invoice, event: Event, now: datetime) -> Change | None:
    if event.sighting is None:
        return None
    return step(invoice, event.sighting, f"event:{event.event_id}", now)


def step(invoice: Invoice, sighting: Sighting, actor: str, now: datetime) -> Change | None:
    """The step that a sighting makes of a locked invoice; None when it says nothing new."""
    seen = observe(invoice, sighting, now)
    if seen is None:
        return None
    after, reason = seen
    edited = after.total != invoice.total or was_replaced(invoice, after)
    return Change(invoice, after, reason, actor, provider_lines(sighting) if edited and sighting.lines else None)


async def _record(
    entry: Entry, events: Sequence[Event], outcomes: Sequence[Outcome], about: Sequence[str | None]
) -> None:
    """Writes the inbox, sorted by key so that groups do not wait for each other in a circle.

    Raises _Overtaken when one of the events was written by somebody else since they were looked up.
    """
    fresh = sorted(
        (
            (event, outcome, invoice_id)
            for event, outcome, invoice_id in zip(events, outcomes, about, strict=True)
            if outcome is not Outcome.DUPLICATE
        ),
        key=lambda row: row[0].key,
    )
    if not fresh:
        return
    told = [event for event, _, _ in fresh]
    written = await entry.connection.execute(
        SQL["add_events"],
        [event.account.workspace_id for event in told],
        [event.account.provider for event in told],
        [event.account.account_id for event in told],
        [event.account.livemode for event in told],
        [event.event_id for event in told],
        [event.event_type for event in told],
        [event.occurred_at for event in told],
        [invoice_id for _, _, invoice_id in fresh],
        [outcome for _, outcome, _ in fresh],
        [event.read for event in told],
    )
    if written != f"INSERT 0 {len(fresh)}":
        raise _Overtaken
