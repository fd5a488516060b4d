"""One database of invoicing, and a pool on it, that one test after another gets empty.

A new one for each cost more than most tests: to make it, and to warm each connection's caches. One that a test has
altered, or filled, or left somebody at work in, is thrown away, and so is a pool that it has closed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from services.cli.embedded.postgres import Postgres
from services.common.db import Pool, open_pool
from services.common.secret import Secret
from tests.conftest import DatabaseMaker, database_name

_MOST_BYTES = 14_000_000
"""Of the whole database: an empty one has 9 million."""
_SHAPE = """
SELECT md5(concat(
  (SELECT string_agg(concat(relname, relkind, reloptions), ',' ORDER BY oid) FROM pg_class WHERE relnamespace = $1),
  (SELECT string_agg(concat(tgname, tgenabled), ',' ORDER BY oid) FROM pg_trigger),
  (SELECT string_agg(concat(proname, prosrc), ',' ORDER BY oid) FROM pg_proc WHERE pronamespace = $1),
  (SELECT string_agg(pg_get_constraintdef(oid), ',' ORDER BY oid) FROM pg_constraint WHERE connamespace = $1),
  (SELECT string_agg(concat(attname, atttypmod, attnotnull, attstattarget, attisdropped), ',' ORDER BY attrelid, attnum)
   FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = $1))))
"""
_AT_WORK = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle')
"""
"""What a test left running would write into the next one's tables, or hold their rows."""
_EMPTYING = """
SELECT string_agg(CASE relkind WHEN 'r' THEN format('DELETE FROM %s', oid::regclass)
                               ELSE format('SELECT setval(%L, 1, false)', oid::regclass) END, ';')
FROM pg_class WHERE relnamespace = $1 AND relkind IN ('r', 'S') AND relname <> 'schema_migrations'
"""

WITHOUT_AUTOVACUUM: Final = """
DO $$ DECLARE it regclass; BEGIN
  FOR it IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', it);
  END LOOP;
END $$
"""
"""For tests of plans: while rows are being written it counts pages that it finds no rows in yet, and so the next plans
are made for a table that is nearly empty."""


@dataclass(frozen=True, slots=True)
class Lent:
    """What a test gets."""

    url: str
    pool: Pool
    admin: "asyncpg.Connection[asyncpg.Record]"
    """Of a superuser, whom no trigger and no key hinders."""
    shape: str
    emptying: str


class Lender:
    """Lends it, to one test at a time."""

    def __init__(self, maker: DatabaseMaker, server: Postgres) -> None:
        self._maker = maker
        self._server = server
        self._free: Lent | None = None

    @asynccontextmanager
    async def lend(self, *, new: bool = False) -> AsyncIterator[Lent]:
        """`new` for a test of plans or of many rows: nobody's statistics and plans are in it."""
        if new:
            await self.close()
        lent, self._free = self._free or await self._make(), None
        if new:
            await lent.admin.execute(WITHOUT_AUTOVACUUM)
        try:
            yield lent
        finally:
            self._free = lent
            if new or lent.pool.is_closing() or not await _emptied(lent):
                await self.close()

    async def close(self) -> None:
        """Until the next one asks."""
        lent, self._free = self._free, None
        if lent is not None:
            lent.pool.terminate()
            await lent.admin.close()
            await self._maker.drop(lent.url)

    async def _make(self) -> Lent:
        url = await self._maker.make("invoicing", migrated=True)
        admin = await asyncpg.connect(self._server.url(database_name(url)))
        await admin.execute("SET session_replication_role = replica")
        public = await admin.fetchval("SELECT 'public'::regnamespace::oid")
        shape, emptying = [await admin.fetchval(query, public) for query in (_SHAPE, _EMPTYING)]
        return Lent(url, await open_pool(Secret(url), "invoicing-test", largest=5), admin, shape, emptying)


async def _emptied(lent: Lent) -> bool:
    """False where it is not as it was made."""
    public = await lent.admin.fetchval("SELECT 'public'::regnamespace::oid")
    if await lent.admin.fetchval(_AT_WORK):
        return False
    if await lent.admin.fetchval("SELECT pg_database_size(current_database())") > _MOST_BYTES:
        return False
    if await lent.admin.fetchval(_SHAPE, public) != lent.shape:
        return False
    await lent.admin.execute(lent.emptying)
    return True
