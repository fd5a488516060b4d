import asyncio
from pathlib import Path

import asyncpg
import pytest

from services.common.db import DatabaseBusy, load_queries, open_pool, transaction
from services.common.errors import Kind
from services.common.migrate import MigrationFailed, TableInUse, migrate
from services.common.secret import Secret
from services.common.server import translate
from tests.conftest import Database


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


FIRST_UP = "CREATE TABLE thing (id int PRIMARY KEY, body jsonb);\nSELECT pg_sleep(0.2);"
FIRST = {"0001_things": f"-- migrate:up\n{FIRST_UP}\n-- migrate:down\n"}


async def test_replicas_may_migrate_at_the_same_time(database: Database, tmp_path: Path) -> None:
    url = Secret(await database("invoicing"))
    folder = write(tmp_path / "migrations", **FIRST)
    await asyncio.gather(*(migrate(url, folder) for _ in range(4)))
    pool = await open_pool(url, "test")
    assert await pool.fetchval("SELECT count(*) FROM schema_migrations") == 1
    await pool.close()


async def test_a_failed_migration_leaves_nothing_and_says_why(database: Database, tmp_path: Path) -> None:
    url = Secret(await database("invoicing"))
    folder = write(tmp_path / "migrations", **FIRST)
    await migrate(url, folder)
    write(
        folder,
        **{"0002_bad": "-- migrate:up\nCREATE TABLE half (id int);\nSELECT no_such_function();\n-- migrate:down\n"},
    )
    with pytest.raises(MigrationFailed, match="no_such_function") as error:
        await migrate(url, folder)
    assert url.reveal() not in str(error.value)
    pool = await open_pool(url, "test")
    assert await pool.fetchval("SELECT to_regclass('half')") is None
    await pool.close()


async def test_a_migration_keeps_nobody_waiting_behind_a_long_transaction(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = Secret(await database("invoicing"))
    folder = write(tmp_path / "migrations", **FIRST)
    await migrate(url, folder)
    write(folder, **{"0002_more": "-- migrate:up\nALTER TABLE thing ADD COLUMN more int;\n-- migrate:down\n"})
    monkeypatch.setattr("services.common.migrate.LONGEST_WAIT", "50ms")
    pool = await open_pool(url, "test")
    async with transaction(pool) as connection:
        await connection.execute("LOCK TABLE thing IN ACCESS SHARE MODE")
        with pytest.raises(TableInUse, match="End that transaction"):
            await migrate(url, folder)
    await migrate(url, folder)
    assert await pool.fetchval("SELECT count(more) FROM thing") == 0
    await pool.close()


@pytest.mark.parametrize("by_key", [False, True])
async def test_a_transaction_is_whole_or_nothing(database: Database, tmp_path: Path, by_key: bool) -> None:
    url = Secret(await database("invoicing"))
    await migrate(url, write(tmp_path / "migrations", **FIRST))
    pool = await open_pool(url, "test", largest=1)

    async def write_twice() -> None:
        async with transaction(pool, by_key=by_key) as connection:
            await connection.execute("INSERT INTO thing VALUES (1, $1)", {"a": [1, "two"]})
            await connection.execute("INSERT INTO thing VALUES (1, $1)", {})

    async def write_and_leave() -> None:
        async with transaction(pool, by_key=by_key) as connection:
            await connection.execute("INSERT INTO thing VALUES (1, $1)", {})
            async with asyncio.timeout(0.05):
                await connection.execute("SELECT pg_sleep(60)")

    with pytest.raises(asyncpg.UniqueViolationError):
        await write_twice()
    with pytest.raises(TimeoutError):
        await write_and_leave()
    assert await pool.fetchval("SELECT count(*) FROM thing") == 0
    async with transaction(pool, by_key=by_key) as connection:
        await connection.execute("INSERT INTO thing VALUES (1, $1)", {"a": [1, "two"]})
        kept = await connection.fetchval("SHOW plan_cache_mode") == "force_generic_plan"
    assert kept is by_key
    assert await pool.fetchval("SELECT body FROM thing") == {"a": [1, "two"]}
    assert await pool.fetchval("SHOW plan_cache_mode") == "auto"
    await pool.close()


def test_queries_are_found_by_their_names(tmp_path: Path) -> None:
    folder = write(
        tmp_path, a="-- name: one\nSELECT 1;\n\n-- name: two\n-- why\nSELECT 2;\n", b="-- name: three\nSELECT 3"
    )
    assert load_queries(folder) == {"one": "SELECT 1", "two": "-- why\nSELECT 2", "three": "SELECT 3"}


def test_two_queries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="named one"):
        load_queries(write(tmp_path, a="-- name: one\nSELECT 1;", b="-- name: one\nSELECT 2;"))


async def test_a_wait_for_a_free_connection_has_an_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.db.LONGEST_WAIT", 0.05)
    pool = await open_pool(Secret(await database("invoicing")), "test", largest=1)
    async with pool.acquire():
        with pytest.raises(DatabaseBusy) as busy:
            await pool.fetchval("SELECT 1")
        with pytest.raises(asyncpg.InterfaceError):  # so that what outlives a database that is away outlives this
            await pool.execute("SELECT 1")
    assert (translate(busy.value).kind, busy.value.retry_after) == (Kind.UNAVAILABLE, 2.0)
    assert busy.value.message.endswith("try again in a moment.")
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


async def test_a_connection_comes_back_clean_from_a_cut_transaction(database: Database) -> None:
    pool = await open_pool(Secret(await database("invoicing")), "test", largest=1)
    async with pool.acquire() as connection:
        await connection.execute("BEGIN")
        await connection.execute("SET LOCAL enable_nestloop = off")
    async with pool.acquire() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SHOW enable_nestloop") == "on"
    await pool.close()
