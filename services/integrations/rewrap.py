"""Changes of the key-encryption keys while everything runs: wrap the data keys anew, retire a key, give a lost one up.

The credentials themselves are not touched. See docs/adr/0008-keys-are-changed-online.md.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg

from services.common.db import Connection, Pool, load_queries, transaction
from services.common.outbox import write
from services.integrations import audit
from services.integrations.announcing import integration_updated
from services.integrations.audit import Action
from services.integrations.canary import opens
from services.integrations.connection import from_row
from services.integrations.holding import GONE_AFTER
from services.integrations.keyring import Keyring, UnreadableCredential, WrappedKey
from services.integrations.vault import context

SQL: Final = load_queries(Path(__file__).parent / "sql")

BATCH: Final = 500
_LOCK: Final = 0x73686F77_6B657973
"""Of the advisory lock that lets one change of keys run at a time."""
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_MANY: Final = 1_000_000
KEY_LOST: Final = "The key that sealed these credentials was lost. Connect again with the keys from the provider."


class ChangeUnderWay(Exception):
    """Another change of keys runs just now."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far wrapping anew has come."""

    done: int
    total: int
    unreadable: int
    """Connections whose data key does not open: left as they are."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that has a canary."""

    key_id: str
    create_time: datetime
    retire_time: datetime | None
    connections: int


@asynccontextmanager
async def alone(pool: Pool) -> AsyncIterator[None]:
    """One change of keys at a time, over all machines. Raises ChangeUnderWay."""
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise ChangeUnderWay
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def known_keys(pool: Pool) -> Sequence[KnownKey]:
    """All that were ever here, the oldest first."""
    used = {row["key_id"]: row["connections"] for row in await pool.fetch(SQL["keys_in_use"])}
    rows = await pool.fetch(SQL["canaries"])
    return [KnownKey(row["key_id"], row["create_time"], row["retire_time"], used.get(row["key_id"], 0)) for row in rows]


async def holders(pool: Pool) -> Sequence[Sequence[str]]:
    """For each running integrations process the keys that it holds, the current one first."""
    return [row["key_ids"] for row in await pool.fetch(SQL["key_holders"], GONE_AFTER)]


async def rewrap(pool: Pool, keyring: Keyring, target: str, batch: int = BATCH) -> AsyncIterator[Progress]:
    """Wraps every data key under the key `target`, batch by batch. Begun again, it goes on with what is left."""
    total = await pool.fetchval(SQL["count_to_rewrap"], target)
    done, moved = 0, 1
    while moved:  # until a pass finds nothing more: what was sealed meanwhile is found by the next one
        moved, unreadable, after = 0, 0, _FIRST
        while rows := await pool.fetch(SQL["to_rewrap"], target, after, batch):
            after = str(rows[-1]["id"])
            changed, failed = await _rewrap(pool, keyring, target, rows)
            moved, done, unreadable = moved + changed, done + changed, unreadable + failed
            yield Progress(done, max(total, done), unreadable)


async def _rewrap(pool: Pool, keyring: Keyring, target: str, rows: Sequence[asyncpg.Record]) -> tuple[int, int]:
    """How many were wrapped anew, and how many do not open."""
    fresh = await asyncio.gather(*(_wrap_anew(keyring, target, row) for row in rows))
    ready = [(row["id"], row["wrapped_key"], blob) for row, blob in zip(rows, fresh, strict=True) if blob is not None]
    columns = ([one[place] for one in ready] for place in range(3))
    changed = await pool.fetch(SQL["put_rewrapped"], target, *columns)
    return len(changed), len(rows) - len(ready)


async def _wrap_anew(keyring: Keyring, target: str, row: asyncpg.Record) -> bytes | None:
    bound_to = context(str(row["workspace_id"]), str(row["id"]))
    try:
        inside = await keyring.unwrap(WrappedKey(row["key_id"], row["wrapped_key"]), bound_to)
    except UnreadableCredential:
        return None
    return (await keyring.wrap(inside, bound_to, target)).blob


async def retire(pool: Pool, key_id: str) -> bool:
    """False, and nothing changed, while a connection is sealed under it."""
    return bool(await pool.fetch(SQL["retire_key"], key_id))


async def give_up(pool: Pool, keyring: Keyring, key_id: str) -> int:
    """Destroys the credentials under a key that do not open; their connections need reconnecting. Answers how many."""
    rows = await pool.fetch(SQL["wrapped_by"], key_id, _MANY)
    lost = [row for row in rows if not await opens(keyring, row)]
    for row in lost:
        async with transaction(pool) as connection:
            await _give_up(connection, row)
    return len(lost)


async def _give_up(connection: Connection, row: asyncpg.Record) -> None:
    changed = await connection.fetch(SQL["lose_connection"], row["id"], row["wrapped_key"], KEY_LOST)
    for one in changed:
        await connection.execute(SQL["delete_credentials"], one["id"])
        await audit.record(connection, from_row(one), Action.LOSE, KEY_LOST)
        await write(connection, [integration_updated(from_row(one))])
