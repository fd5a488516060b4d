"""The database schema, and every query against it."""

import asyncio
import re

import asyncpg
import pytest

from services.common.migrate import migrate
from services.common.secret import Secret
from services.invoicing.repository import MIGRATIONS, SQL
from tests.conftest import Database


async def test_queries_fit_the_schema(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    for query in SQL.values():
        await connection.prepare(query)
    await connection.close()


async def test_migrations_run_twice_and_at_once(database: Database) -> None:
    url = Secret(await database("invoicing"))
    await asyncio.gather(*(migrate(url, MIGRATIONS) for _ in range(3)))
    await migrate(url, MIGRATIONS)
    connection = await asyncpg.connect(url.reveal())
    applied = await connection.fetchval("SELECT count(*) FROM schema_migrations")
    await connection.close()
    assert applied == len(list(MIGRATIONS.glob("*.sql")))


@pytest.mark.parametrize("table", ["shows", "show_items", "buyers", "claims", "generations", "invoices"])
def test_nothing_that_others_refer_to_is_ever_deleted(table: str) -> None:
    """Invoices, changes, history and pay links have no foreign keys: they are derived from rows that stay."""
    texts = [*SQL.items(), *((path.name, path.read_text()) for path in MIGRATIONS.glob("*.sql"))]
    pattern = re.compile(rf"\b(DELETE\s+FROM|TRUNCATE)\s+{table}\b", re.IGNORECASE)
    assert not [name for name, text in texts if pattern.search(text)]
