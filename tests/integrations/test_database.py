"""The schema and the queries, on a real database."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.common.bus import Bus
from services.common.db import Connection, Pool, open_pool
from services.common.ids import new_id
from services.common.migrate import migrate
from services.common.outbox import Outbox
from services.common.secret import Secret
from services.integrations.__main__ import MIGRATIONS
from services.integrations.repository import SQL, Repository
from services.invoicing.parse import PROVIDERS
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.conftest import Database, migrate_service
from tests.waiting import eventually


@pytest.fixture
async def schema(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(await database("integrations", migrated=True))
    yield connection
    await connection.close()


async def test_replicas_may_migrate_at_once_and_again(database: Database) -> None:
    url = await database("integrations")
    await asyncio.gather(*(migrate_service(url, "integrations") for _ in range(3)))
    await migrate_service(url, "integrations")


async def test_queries_fit_the_schema(schema: Connection) -> None:
    for query in SQL.values():
        await schema.prepare(query)


async def test_webhook_bindings_are_found_by_index(schema: Connection) -> None:
    await schema.execute("SET enable_seqscan = off")
    plan = await schema.fetch(
        "EXPLAIN " + SQL["webhook_bindings"], [new_id()], "webhook_secret", "webhook_secret_before"
    )
    text = " ".join(row[0] for row in plan)
    assert "integrations_pkey" in text
    assert "credentials_pkey" in text


async def insert(schema: Connection, workspace_id: str, status: str, wrapped_key: bytes | None) -> None:
    await schema.execute(
        "INSERT INTO integrations (id, workspace_id, provider, status, account_id, livemode, wrapped_key, key_id,"
        " update_mode, connect_time, connected_by)"
        " VALUES ($1, $2, 'stripe', $3, 'acct_1', false, $4, $5, 'live', now(), 'user:1')",
        *(new_id(), workspace_id, status, wrapped_key, "k" if wrapped_key else None),
    )


async def test_workspace_has_one_connection_in_use(schema: Connection) -> None:
    workspace_id = new_id()
    await insert(schema, workspace_id, "inactive", None)
    await insert(schema, workspace_id, "active", b"x")
    await insert(schema, workspace_id, "inactive", None)
    with pytest.raises(asyncpg.UniqueViolationError):
        await insert(schema, workspace_id, "needs_reconnect", b"x")


async def test_ended_connection_cannot_hold_a_key(schema: Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await insert(schema, new_id(), "inactive", b"x")


async def test_ending_a_renewed_connection_leaves_no_ciphertext(database: Database) -> None:
    """New keys come in while the connection is being ended: whoever is second works with what the first one left."""
    url = await database("integrations")
    await migrate_service(url, "integrations")
    pool = await open_pool(Secret(url), "test")
    repository = Repository(pool, Outbox(pool, Bus(Secret("nats://127.0.0.1:1"), "test")))
    workspace_id = new_id()
    async with pool.acquire() as renewing:
        await insert(renewing, workspace_id, "active", b"x")
        old = await repository.current(workspace_id, "stripe")
        assert old is not None
        await renewing.execute(SQL["put_credentials"], old.id, ["secret_key"], [b"old"])
        async with renewing.transaction():
            renewed = ("GB", "GBP", "abcd", b"y", "k", "", "", "live", "", "user:1", "Shop", "wxyz", "sk_test")
            await renewing.execute(SQL["renew_integration"], old.id, old.version, *renewed)
            await renewing.execute(SQL["delete_credentials"], old.id)
            await renewing.execute(SQL["put_credentials"], old.id, ["secret_key"], [b"new"])
            ending = asyncio.create_task(repository.deactivate(old, ""))
            await eventually(lambda: _is_kept_waiting(pool))
        assert await ending is None, "it is not the connection any more that was to be ended"
    now = await repository.current(workspace_id, "stripe")
    assert now is not None
    ended = await repository.deactivate(now, "")
    assert ended is not None
    assert not ended.connected
    assert await pool.fetchval("SELECT count(*) FROM credentials WHERE integration_id = $1", old.id) == 0
    await pool.close()


async def _is_kept_waiting(pool: Pool) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(await pool.fetchval(waiting))


async def test_numbers_that_stood_twice_are_told_apart(database: Database, tmp_path: Path) -> None:
    """In a database from before numbers were kept apart: the older invoice keeps its own, buyers have it."""
    url = await database("integrations")
    files = [file for file in sorted(MIGRATIONS.glob("*.sql")) if file.name < "0040"]
    for file in files:
        shutil.copy(file, tmp_path)
    await migrate(Secret(url), tmp_path)
    schema = await asyncpg.connect(url)
    ids = [f"0199aaaa-bbbb-7ccc-8ddd-{start}12345678" for start in ("a1b2", "a1b3", "a1b4")]
    workspace_id = new_id()
    for minute, one in enumerate(ids):
        await schema.execute(
            "INSERT INTO own_invoices (workspace_id, provider, account_id, livemode, external_id, state, total,"
            " currency, number, invoice_id, revision, lines, payment_instructions, create_time) VALUES"
            " ($1, 'manual', 'manual', true, $2, 'open', 5, 'GBP', '12345678-1', $3, 1, '[]', '',"
            " now() + make_interval(mins => $4))",
            *(workspace_id, f"{one}.1", one, minute),
        )
    await migrate_service(url, "integrations")
    rows = await schema.fetch("SELECT number FROM own_invoices ORDER BY create_time")
    longer = [one.replace("-", "").upper() + "-1" for one in ids[1:]]
    assert [row["number"] for row in rows] == ["12345678-1", *longer]
    await schema.close()


async def test_providers_are_the_same_in_both_databases(database: Database) -> None:
    """What docs/adding-an-adapter.md names as the places of a new slug."""
    named = []
    for service in ("integrations", "invoicing"):
        connection = await asyncpg.connect(await database(service, migrated=True))
        rows = await connection.fetch("SELECT unnest(enum_range(NULL::integration_provider))::text")
        named.append({row[0] for row in rows})
        await connection.close()
    assert named == [PROVIDERS, PROVIDERS]


async def test_statuses_are_those_of_the_contract(schema: Connection) -> None:
    rows = await schema.fetch("SELECT unnest(enum_range(NULL::integration_status))::text")
    named = {f"INTEGRATION_STATUS_{row[0].upper()}" for row in rows}
    assert named == {*pb.IntegrationStatus.keys()} - {"INTEGRATION_STATUS_UNSPECIFIED"}
