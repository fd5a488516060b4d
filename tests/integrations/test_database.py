"""The schema and the queries, on a real database."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.common.db import Connection
from services.common.ids import new_id
from services.integrations.repository import SQL
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.conftest import Database, migrate_service


@pytest.fixture
async def schema(database: Database) -> AsyncIterator[Connection]:
    url = await database("integrations")
    await migrate_service(url, "integrations")
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_replicas_may_migrate_at_once_and_again(database: Database) -> None:
    url = await database("integrations")
    await asyncio.gather(*(migrate_service(url, "integrations") for _ in range(3)))
    await migrate_service(url, "integrations")


@pytest.mark.parametrize("name", sorted(SQL))
async def test_query_fits_the_schema(schema: Connection, name: str) -> None:
    await schema.prepare(SQL[name])


async def test_webhook_bindings_are_found_by_index(schema: Connection) -> None:
    await schema.execute("SET enable_seqscan = off")
    plan = await schema.fetch("EXPLAIN " + SQL["webhook_bindings"], [new_id()], "webhook_secret")
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


async def test_statuses_are_those_of_the_contract(schema: Connection) -> None:
    rows = await schema.fetch("SELECT unnest(enum_range(NULL::integration_status))::text")
    named = {f"INTEGRATION_STATUS_{row[0].upper()}" for row in rows}
    assert named == {*pb.IntegrationStatus.keys()} - {"INTEGRATION_STATUS_UNSPECIFIED"}
