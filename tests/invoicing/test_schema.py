"""The database schema, and every query against it."""

import asyncio

import asyncpg
import pytest

from services.common.migrate import migrate
from services.common.secret import Secret
from services.invoicing.repository import MIGRATIONS, SQL
from tests.conftest import Database


@pytest.mark.parametrize("name", sorted(SQL))
async def test_query_prepares_against_the_schema(database_url: str, name: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.prepare(SQL[name])
    await connection.close()


async def test_migrations_run_twice_and_at_once(database: Database) -> None:
    url = Secret(await database("invoicing"))
    await asyncio.gather(*(migrate(url, MIGRATIONS) for _ in range(3)))
    await migrate(url, MIGRATIONS)
    connection = await asyncpg.connect(url.reveal())
    applied = await connection.fetchval("SELECT count(*) FROM schema_migrations")
    await connection.close()
    assert applied == len(list(MIGRATIONS.glob("*.sql")))
