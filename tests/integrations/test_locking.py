"""What changes many connections at once locks them in one order, so that no two such changes wait for each other."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.common.db import Pool, open_pool
from services.common.ids import new_id
from services.common.secret import Secret
from services.integrations.repository import SQL
from tests.conftest import Database
from tests.waiting import eventually


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(Secret(await database("integrations", migrated=True)), "tests", largest=4)
    yield pool
    await pool.close()


async def connections(pool: Pool, count: int) -> list[str]:
    """Ids, the first one first."""
    ids = sorted(new_id() for _ in range(count))
    for one in reversed(ids):  # so that the order in the table is another
        await pool.execute(
            "INSERT INTO integrations (id, workspace_id, provider, status, account_id, livemode, wrapped_key, key_id,"
            " update_mode, connect_time, connected_by)"
            " VALUES ($1, $2, 'stripe', 'active', 'acct_1', false, 'old', 'k', 'live', now(), 'user:1')",
            *(one, new_id()),
        )
    return ids


async def waits(pool: Pool) -> bool:
    waiting = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return bool(await pool.fetchval(waiting))


async def test_note_of_an_event_passes_over_what_is_being_changed(pool: Pool) -> None:
    first, second, third = await connections(pool, 3)
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM integrations WHERE id = $1 FOR UPDATE", second)
        await pool.execute(SQL["note_events"], [third, second, first], timeout=10)
        rows = await pool.fetch("SELECT id FROM integrations WHERE last_event_time IS NOT NULL")
    assert {str(row["id"]) for row in rows} == {first, third}


async def test_wrapping_anew_locks_in_the_order_of_ids(pool: Pool) -> None:
    """While it waits for the first, it holds none of the others: whoever holds the first may go on to them."""
    first, *others = await connections(pool, 6)
    ids = [*others[::-1], first]
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM integrations WHERE id = $1 FOR UPDATE", first)
        values = (ids, [b"old"] * 6, [f"new of {one}".encode() for one in ids])
        wrapping = asyncio.create_task(pool.fetch(SQL["put_rewrapped"], "fresh", *values))
        await eventually(lambda: waits(pool))
        try:
            await other.execute("SELECT FROM integrations FOR UPDATE NOWAIT")
        except asyncpg.LockNotAvailableError:
            pytest.fail("others are locked before the first one is")
    assert len(await wrapping) == 6
    rows = await pool.fetch("SELECT id, wrapped_key, key_id FROM integrations")
    assert {(str(row["id"]), row["wrapped_key"].decode(), row["key_id"]) for row in rows} == {
        (one, f"new of {one}", "fresh") for one in ids
    }


async def test_connection_with_new_keys_of_its_own_is_not_wrapped_over(pool: Pool) -> None:
    """The new keys come in while the wrapping waits for the row."""
    (only,) = await connections(pool, 1)
    async with pool.acquire() as other, other.transaction():
        await other.execute("UPDATE integrations SET wrapped_key = 'its own' WHERE id = $1", only)
        wrapping = asyncio.create_task(pool.fetch(SQL["put_rewrapped"], "fresh", [only], [b"old"], [b"new"]))
        await eventually(lambda: waits(pool))
    assert await wrapping == []
    assert await pool.fetchval("SELECT wrapped_key FROM integrations") == b"its own"
