"""How news of payments comes: by webhooks, by reading, or not at all. A failed reading is a state that is told."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import asyncpg
import structlog

from services.common.context import Identity
from services.common.db import Pool
from services.common.errors import Kind, ShowbillError
from services.invoicing.ports import Connection, Provider, UpdateMode
from services.invoicing.repository import SQL
from services.invoicing.settle import Event

log = structlog.get_logger()

_NOTE_EVERY: Final = 5.0
"""Seconds between two notes that an account was heard: a burst of payments is no burst of updates."""
_MOST_NOTED: Final = 10_000
_LOOKED_BACK: Final = [timedelta(days=days) for days in (0, 1, 2, 4, 8, 16, 30)]


class NeverConnected(ShowbillError):
    """This provider was never connected in your workspace. Connect it first."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOT_CONNECTED"


class Mode(StrEnum):
    LIVE = "live"
    POLLING = "polling"
    CATCHING_UP = "catching_up"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Sweep:
    """How the reading past webhooks went."""

    succeeded_at: datetime | None = None
    tried_at: datetime | None = None
    failure: str = ""
    missed_at: datetime | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """How the connected account is heard."""

    mode: Mode
    sentence: str
    connection: Connection
    sweep: Sweep
    unpaid_count: int = 0
    """Invoices of the account that buyers can pay, where it was asked for."""
    event_count: int = 0
    """Events of the last 24 hours, where it was asked for."""
    told_count: int = 0
    """Those of them that a webhook told."""
    read_count: int = 0
    """Those that were read, since no webhook had told them."""
    last_event_type: str = ""
    """The provider's name of the event that came last, where it was asked for."""
    last_event_at: datetime | None = None

    @property
    def last_heard_at(self) -> datetime | None:
        moments = (self.connection.last_event_at, self.sweep.heard_at, self.sweep.succeeded_at)
        return max((moment for moment in moments if moment), default=None)


class Hearing:
    """The use cases: note that a webhook came, tell how it is."""

    def __init__(self, pool: Pool, provider: Provider, *, every: float) -> None:
        """`every` seconds lie between two readings where webhooks work."""
        self._pool = pool
        self._provider = provider
        self._every = every
        self._noted: dict[tuple[object, ...], float] = {}

    async def note(self, events: Sequence[Event]) -> None:
        """Puts the next reading of their accounts off. Raises nothing: webhooks count without it."""
        now = time.monotonic()
        accounts = sorted({e.account for e in events if now - self._noted.get(e.account, -_NOTE_EVERY) >= _NOTE_EVERY})
        if not accounts:
            return
        if len(self._noted) > _MOST_NOTED:
            self._noted.clear()
        self._noted.update(dict.fromkeys(accounts, now))
        columns = [list(column) for column in zip(*accounts, strict=True)]
        try:
            await self._pool.execute(SQL["note_heard"], *columns, self._every / 4, self._every)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("it was not noted that webhooks come", error=type(error).__name__)

    async def tell(self, identity: Identity, provider: str, *, counts: bool = False) -> Heard:
        """Raises NeverConnected."""
        connection = await self._provider.connection(identity, provider)
        if connection is None:
            raise NeverConnected
        key = (identity.workspace_id, connection.provider, connection.account_id, connection.livemode)
        row = await self._pool.fetchrow(SQL["get_sweep"], *key)
        known = Sweep(*(row[name] for name in Sweep.__dataclass_fields__)) if row else Sweep()
        lately = known.missed_at is not None and datetime.now(UTC) - known.missed_at < timedelta(seconds=self._every)
        mode, sentence = judge(connection, known.failure, missing=lately)
        heard = Heard(mode, sentence, connection, known)
        if not counts:
            return heard
        counted, last = await self._pool.fetch(SQL["count_events"], *key), await self._last_event(key)
        return replace(
            heard,
            unpaid_count=await self._pool.fetchval(SQL["count_unpaid"], *key),
            **dict(counted[0]),
            last_event_type=last["event_type"] if last else "",
            last_event_at=last["received_at"] if last else None,
        )

    async def _last_event(self, key: tuple[object, ...]) -> asyncpg.Record | None:
        """Looks at the last day first, then ever farther back: no more is read than twice the time of its quiet."""
        for later, back in itertools.pairwise(_LOOKED_BACK):
            if row := await self._pool.fetchrow(SQL["last_event"], *key, back, later):
                return row
        return None


def judge(connection: Connection, failure: str, *, missing: bool) -> tuple[Mode, str]:
    """`missing`: a reading lately found what a webhook should have told."""
    if not connection.active:
        return (
            Mode.BROKEN,
            connection.status_reason or "Nothing is connected. Connect the provider to hear of payments.",
        )
    told = connection.update_mode is UpdateMode.LIVE
    if failure and (missing or not told):
        return Mode.BROKEN, f"Payments are not heard of just now. {failure} It is tried again by itself."
    if missing and told:
        return Mode.CATCHING_UP, (
            "Some payments were not told by a webhook. They were read instead, and we look every few minutes until"
            " webhooks come again."
        )
    if not told:
        reason = connection.update_mode_reason
        return Mode.POLLING, reason or "Payments are read every few minutes."
    if failure:
        return Mode.LIVE, (
            f"Payments are told the second they happen. Whether one was missed could not be looked up: {failure}"
        )
    return Mode.LIVE, "Payments are told the second they happen, and we look regularly whether one was missed."
