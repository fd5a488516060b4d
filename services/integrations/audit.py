"""The audit of credentials: what was done with them, by whom, when. Kept for good, read by owners."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from services.common import context
from services.common.db import Connection as DatabaseConnection
from services.common.db import Pool, load_queries
from services.common.errors import ShowbillError
from services.common.ids import new_id
from services.common.secret import redact
from services.integrations.connection import Connection

log = structlog.get_logger()

SQL: Final = load_queries(Path(__file__).parent / "sql")
WRITE_EVERY: Final = 5.0
"""Seconds between two writings of counts."""
UNKNOWN_ACTOR: Final = "worker:integrations"


Database = Pool | DatabaseConnection


class Action(Enum):
    """What can be done with credentials."""

    CONNECT = "connect"
    CONNECT_REFUSED = "connect_refused"
    REPLACE = "replace"
    REPLACE_REFUSED = "replace_refused"
    TEST = "test"
    SETTINGS = "settings"
    DISCONNECT = "disconnect"
    LOSE = "lose"
    """The key that sealed them was given up."""
    USE = "use"
    """Opened to be used: counted for each hour, actor and purpose."""


PURPOSES: Final = {
    "ConnectIntegration": "Opened to keep the webhook endpoint when connecting again.",
    "ReplaceCredentials": "Opened to replace the keys.",
    "TestIntegration": "Opened to test the connection.",
    "UpdateIntegrationSettings": "Opened to change the settings.",
    "PreviewTemplate": "Opened to preview a template.",
    "DisconnectIntegration": "Opened to delete the webhook endpoint when disconnecting.",
    "VerifyWebhooks": "Opened to verify webhooks.",
    "CreateInvoice": "Opened to create invoices.",
    "UpdateDraft": "Opened to change drafts.",
    "FinalizeInvoice": "Opened to finalize invoices.",
    "SendInvoice": "Opened to send invoices.",
    "MarkPaid": "Opened to mark invoices as paid.",
    "VoidInvoice": "Opened to void invoices.",
    "GetInvoice": "Opened to read invoices.",
    "FindInvoice": "Opened to look for what was made.",
    "ListInvoices": "Opened to list invoices.",
    "ListChangedInvoices": "Opened to catch up with what changed at the provider.",
}
"""By the method that is being served."""
OTHER_PURPOSE: Final = "Opened by the service itself."


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit."""

    id: str
    provider: str
    action: str
    actor: str
    detail: str
    count: int
    create_time: datetime


async def record(database: Database, connection: Connection, action: Action, detail: str) -> None:
    """Writes an entry in the caller's transaction. The actor is whoever the call being served is made by."""
    await database.execute(
        SQL["add_audit"],
        *(new_id(), connection.workspace_id, connection.id, connection.provider),
        *(action.value, _actor(), redact(detail)),
    )


@asynccontextmanager
async def telling_refusals(pool: Pool, workspace_id: str, provider: str, action: Action) -> AsyncIterator[None]:
    """Writes an entry with the sentence of whatever error of ours ends the block."""
    try:
        yield
    except ShowbillError as error:
        values = (new_id(), workspace_id, provider, action.value, _actor(), redact(error.message))
        await pool.execute(SQL["add_refusal"], *values)
        raise


async def entries(pool: Pool, workspace_id: str, provider: str, size: int, before: str | None) -> Sequence[AuditEntry]:
    """A page of a workspace's entries, newest first."""
    rows: list[asyncpg.Record] = await pool.fetch(SQL["list_audit"], workspace_id, provider, before, size)
    return [
        AuditEntry(
            *(str(row["id"]), row["provider"], row["action"], row["actor"], row["detail"]),
            *(row["count"], row["create_time"]),
        )
        for row in rows
    ]


_Key = tuple[str, str, str, str, datetime]
"""Workspace, connection, actor, purpose, hour."""


class Uses:
    """Counts how often credentials are opened.

    The first time in an hour is written before the credentials are given out; what follows is added every few seconds,
    so that a process that is killed loses the counts of a moment, never the fact.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._written: set[_Key] = set()
        self._counts: Counter[_Key] = Counter()
        self._hour = datetime.min.replace(tzinfo=UTC)

    async def note(self, workspace_id: str, integration_id: str) -> None:
        """Before credentials are opened."""
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._written.clear()
        purpose = PURPOSES.get(context.method(), OTHER_PURPOSE)
        key = (workspace_id, integration_id, _actor(), purpose, hour)
        if key in self._written:
            self._counts[key] += 1
            return
        self._written.add(key)
        try:
            await self._add({key: 1})
        except BaseException:
            self._written.discard(key)
            raise

    async def run(self) -> None:
        """Writes the counts until cancelled, then what is left."""
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Writes what was counted; what could not be written is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        try:
            await self._add(counts)
        except BaseException as error:  # also when cancelled: what is left is written at the end
            self._counts.update(counts)
            if not isinstance(
                error, (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
            ):
                raise
            log.warning("counts of the audit wait", error=str(error), rows=len(counts))

    async def _add(self, counts: dict[_Key, int]) -> None:
        if not counts:
            return
        keys = sorted(counts)  # always in one order: two replicas wait for each other, they do not block each other
        workspaces, connections, actors, purposes, hours = (list(column) for column in zip(*keys, strict=True))
        await self._pool.execute(
            SQL["count_audit"],
            *(Action.USE.value, [new_id() for _ in keys], workspaces, connections, actors, purposes, hours),
            [counts[key] for key in keys],
        )


def _actor() -> str:
    caller = context.identity_or_none()
    return caller.actor if caller else UNKNOWN_ACTOR
