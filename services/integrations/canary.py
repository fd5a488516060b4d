"""The canary: a known value, stored sealed under each key, that a wrong or missing key cannot open."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg

from services.common.db import Connection, Pool, load_queries
from services.common.errors import CannotStart
from services.integrations.keyring import KeyMissing, Keyring, UnreadableCredential, WrappedKey, names
from services.integrations.vault import context

SQL: Final = load_queries(Path(__file__).parent / "sql")

_KNOWN: Final = b"This is the key that it was."
_BOUND_TO: Final = b"canary"
_SAMPLE: Final = 20
"""Connections to try where a key has no canary yet: one of them may be damaged, not all."""

Database = Pool | Connection


class UnusableKeyring(CannotStart):
    """The keys are not the ones that this database was sealed with. The message names their ids."""


async def check_keyring(database: Database, keyring: Keyring) -> None:
    """Opens every canary, and plants those of new keys. Raises UnusableKeyring: then nothing must be sealed."""
    rows = await database.fetch(SQL["canaries"])
    retired = {row["key_id"] for row in rows if row["retire_time"]}
    if not keyring.ids:
        raise UnusableKeyring("There is no key here. Put back the key that sealed the credentials.")
    if keyring.ids[0] in retired:
        raise UnusableKeyring(f"The key '{keyring.ids[0]}' was retired, but comes first. Put another one first.")
    known = {row["key_id"] for row in rows}
    missing: set[str] = set()
    wrong: set[str] = set()
    if not known:
        await _check_connections(database, keyring, missing, wrong)
    await _try_all(keyring, rows, missing, wrong)
    _complain(missing, wrong)  # before anything is planted: keys that do not belong here leave no trace
    if new := [key_id for key_id in keyring.ids if key_id not in known]:
        for key_id in new:
            await plant(database, keyring, key_id)
        # Read again: another process may have been faster, with another key.
        await _try_all(keyring, await database.fetch(SQL["canaries"]), missing, wrong)
        _complain(missing, wrong)


async def plant(database: Database, keyring: Keyring, key_id: str) -> None:
    """Stores the canary of a key, unless it has one."""
    await database.execute(SQL["plant_canary"], key_id, (await keyring.wrap(_KNOWN, _BOUND_TO, key_id)).blob)


async def proves(database: Database, keyring: Keyring, key_id: str) -> bool:
    """Whether the key of this id here opens its canary: it is the one that sealed what is sealed under it."""
    missing: set[str] = set()
    wrong: set[str] = set()
    rows = [row for row in await database.fetch(SQL["canaries"]) if row["key_id"] == key_id]
    await _try_all(keyring, rows, missing, wrong)
    return not missing | wrong


async def _try_all(keyring: Keyring, rows: Sequence[asyncpg.Record], missing: set[str], wrong: set[str]) -> None:
    for row in rows:
        if row["retire_time"] is None:
            await _try(keyring, WrappedKey(row["key_id"], row["canary"]), missing, wrong)


async def _try(keyring: Keyring, canary: WrappedKey, missing: set[str], wrong: set[str]) -> None:
    try:
        if await keyring.unwrap(canary, _BOUND_TO) != _KNOWN:
            wrong.add(canary.key_id)
    except KeyMissing:
        missing.add(canary.key_id)
    except UnreadableCredential:
        wrong.add(canary.key_id)


async def _check_connections(database: Database, keyring: Keyring, missing: set[str], wrong: set[str]) -> None:
    """For a database from before there were canaries: its connections tell. Later nothing is sealed without a canary,
    so that a key id that has none was written into the row by somebody else, and is that connection's trouble alone."""
    for used in await database.fetch(SQL["keys_in_use"]):
        key_id = used["key_id"]
        if key_id not in keyring.ids:
            missing.add(key_id)
        elif not any([await opens(keyring, row) for row in await database.fetch(SQL["wrapped_by"], key_id, _SAMPLE)]):
            wrong.add(key_id)


async def opens(keyring: Keyring, row: asyncpg.Record) -> bool:
    """Whether a connection's data key can be opened."""
    try:
        bound_to = context(str(row["workspace_id"]), str(row["id"]))
        await keyring.unwrap(WrappedKey(row["key_id"], row["wrapped_key"]), bound_to)
    except UnreadableCredential:
        return False
    return True


def _complain(missing: set[str], wrong: set[str]) -> None:
    sentences = []
    if missing:
        sentences.append(
            f"The key {names(sorted(missing))} is not among the keys here, but credentials in the database need it. Put"
            " it back; where it is lost for good, see `showbill keys retire --lost`."
        )
    if wrong:
        sentences.append(
            f"The key {names(sorted(wrong))} here is not the one of that name that sealed the credentials in the"
            " database. Put back the right one."
        )
    if sentences:
        raise UnusableKeyring(" ".join(sentences))
