"""Postgres: a pool, transactions, and named queries from `.sql` files."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import msgspec

from services.common.database_url import refuse_database_url
from services.common.errors import Unavailable
from services.common.secret import Secret

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

LONGEST_WAIT: Final = 10.0
"""Seconds that one waits for a connection of the pool to become free."""
_CONNECTING: Final = 5.0
"""Seconds that a new connection may take: a database that swallows what it is sent is away."""

_BEGIN_BY_KEY: Final = """
BEGIN;
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
"""
"""One round trip. A plan that is kept outlives the small table that it was made for; only reading by key grows well."""

_ALL_TYPES: Final = """
SELECT 'SELECT ' || string_agg(format('NULL::%s[]', oid::regtype), ', ') FROM pg_type
WHERE typtype = 'e' OR oid IN ('bool'::regtype, 'bytea'::regtype, 'int4'::regtype, 'int8'::regtype,
                               'timestamptz'::regtype, 'uuid'::regtype)
"""
"""Makes the statement that has an array of each type that ours use and asyncpg does not know by itself."""

_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class DatabaseBusy(Unavailable, asyncpg.InterfaceError):
    """Showbill has more to do than it can just now. Nothing was changed; try again in a moment."""


class _Pool(Pool):
    """Gives up a wait for a free connection, which asyncpg alone would never do."""

    async def _acquire(self, timeout: float | None) -> Any:
        # Where one is free there is nothing to wait for, and a timer would cost.
        if timeout is None and self._queue.empty():  # type: ignore[attr-defined]  # as below
            timeout = LONGEST_WAIT
        try:
            return await super()._acquire(timeout)  # type: ignore[misc]  # the stubs leave out what is its own
        except TimeoutError as error:
            raise DatabaseBusy from error


async def _prepare_connection(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )
    # asyncpg looks a type up when a statement first uses it, and each look costs more than most statements: all now.
    await connection.prepare(await connection.fetchval(_ALL_TYPES))


async def _reset_if_needed(connection: Connection) -> None:
    """The reset of asyncpg costs a round trip after every query; nobody here changes a session for longer than that."""
    if connection.is_in_transaction():  # a cancellation cut its end off
        await connection.reset()


async def open_pool(url: Secret, application: str, *, largest: int = 10) -> Pool:
    """A pool whose connections read and write jsonb as plain Python values. Raises UnusableDatabaseUrl."""
    try:
        pool = _Pool(
            url.reveal(),
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            init_size=None,
            min_size=1,
            max_size=largest,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connect=None,
            setup=None,
            init=_prepare_connection,
            reset=_reset_if_needed,
            server_settings={"application_name": f"showbill-{application}", "timezone": "UTC"},
            timeout=_CONNECTING,
            command_timeout=30,
        )
        await pool
    except ValueError:  # asyncpg's ClientConfigurationError is one too
        refuse_database_url()
    return pool


@asynccontextmanager
async def transaction(pool: Pool, *, by_key: bool = False) -> AsyncIterator[Connection]:
    """A connection inside a transaction: committed at the end, rolled back when something is raised.

    `by_key` is for statements that find each of their few rows by a key, whatever is in the tables: their plans are
    made once and kept, since planning takes longer than carrying out. Nothing else may be asked within.
    """
    async with pool.acquire() as connection:
        if by_key:
            async with _kept_plans(connection):
                yield connection
        else:
            async with connection.transaction():
                yield connection


@asynccontextmanager
async def _kept_plans(connection: Connection) -> AsyncIterator[None]:
    await connection.execute(_BEGIN_BY_KEY)
    try:
        yield
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


def load_queries(folder: Path) -> dict[str, str]:
    """The queries of all `.sql` files directly in a folder, by the name in their `-- name:` line."""
    queries: dict[str, str] = {}
    for file in sorted(folder.glob("*.sql")):
        _, *parts = _NAME.split(file.read_text())
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in queries:
                raise ValueError(f"Two queries are named {name}; rename the one in {file.name}.")
            queries[name] = text.strip().removesuffix(";")
    return queries


def record_dict(record: asyncpg.Record) -> dict[str, Any]:
    return dict(record.items())
