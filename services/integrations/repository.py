"""Reads and writes the tables of connections and credentials. Each write goes with its event for the outbox."""

import base64
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from services.common.db import Connection as Database
from services.common.db import Pool, load_queries, transaction
from services.common.errors import Kind, ShowbillError
from services.common.outbox import Message, Outbox
from services.integrations import audit
from services.integrations.announcing import integration_updated
from services.integrations.audit import Action
from services.integrations.connection import Connection, etag, from_row, wrapped_key
from services.integrations.connection_values import ConnectedAccount, Link, Names
from services.integrations.listening import Hearing
from services.integrations.vault import Sealed

SQL: Final = load_queries(Path(__file__).parent / "sql")


class SettingsChanged(ShowbillError):
    """Somebody changed the settings meanwhile. Read them again, then decide."""

    kind = Kind.OUTDATED
    reason = "SETTINGS_CHANGED"


class ChangedMeanwhile(Exception):
    """The connection is not what it was when it was read."""


class Repository:
    """The connections of all workspaces."""

    def __init__(self, pool: Pool, outbox: Outbox) -> None:
        self._pool = pool
        self._outbox = outbox

    async def current(self, workspace_id: str, provider: str) -> Connection | None:
        """The connection in use, else the latest one that was."""
        row = await self._pool.fetchrow(SQL["current_integration"], workspace_id, provider)
        return from_row(row) if row else None

    async def current_with_credentials(self, workspace_id: str, provider: str) -> Connection | None:
        """The same with its sealed credentials."""
        row = await self._pool.fetchrow(SQL["current_integration_with_credentials"], workspace_id, provider)
        return from_row(row, _sealed(row)) if row else None

    async def all_current(self, workspace_id: str) -> dict[str, Connection]:
        """The workspace's connections by provider."""
        rows = await self._pool.fetch(SQL["current_integrations"], workspace_id)
        return {row["provider"]: from_row(row) for row in rows}

    async def add(
        self,
        link: Link,
        provider: str,
        account: ConnectedAccount,
        sealed: Sealed,
        hearing: Hearing,
        actor: str,
        replaced: tuple[Connection, str] | None,
    ) -> Connection:
        """Stores a connection, and in the same transaction ends the one that it replaces, given with the endpoint
        that was left behind. Raises ChangedMeanwhile when another was connected."""
        rows: list[asyncpg.Record] = []
        try:
            async with transaction(self._pool) as connection:
                if replaced:
                    rows += await _deactivate(connection, *replaced)
                values = (
                    link.integration_id,
                    link.workspace_id,
                    provider,
                    *_account_values(account),
                    *_sealed_values(sealed),
                    *_hearing_values(hearing),
                    actor,
                    *_name_values(account.names),
                )
                row = await connection.fetchrow(SQL["insert_integration"], *values)
                assert row is not None
                await _put(connection, row["id"], sealed)
                await audit.record(connection, from_row(row), Action.CONNECT, _connected(account, "Connected to"))
                messages = await self._announce(connection, [*rows, row])
        except asyncpg.UniqueViolationError as error:
            raise ChangedMeanwhile from error
        self._outbox.committed(messages)
        return from_row(row)

    async def renew(
        self,
        old: Connection,
        account: ConnectedAccount,
        sealed: Sealed,
        hearing: Hearing,
        actor: str,
        action: Action,
    ) -> Connection:
        """New keys of the same account and mode, by connecting again or by replacing them. Raises ChangedMeanwhile."""
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(
                SQL["renew_integration"],
                *(old.id, old.version, *_account_values(account)[2:], *_sealed_values(sealed)),
                *(*_hearing_values(hearing), actor, *_name_values(account.names)),
            )
            if row is None:
                raise ChangedMeanwhile
            await connection.execute(SQL["delete_credentials"], old.id)
            await _put(connection, old.id, sealed)
            verb = "Keys replaced for" if action is Action.REPLACE else "Connected again to"
            await audit.record(connection, old, action, _connected(account, verb))
            messages = await self._announce(connection, [row])
        self._outbox.committed(messages)
        return from_row(row)

    async def deactivate(self, old: Connection, orphan: str) -> Connection | None:
        """Destroys the data key and the credentials; `orphan` is the endpoint left behind, or empty.

        None, and nothing done, when the connection is not as it was read."""
        async with transaction(self._pool) as connection:
            rows = await _deactivate(connection, old, orphan)
            messages = await self._announce(connection, rows)
        self._outbox.committed(messages)
        return from_row(rows[0]) if rows else None

    async def change_status(self, old: Connection, status: str, reason: str, hindered_verb: str = "") -> bool:
        """False, and nothing changed, when the connection is not as it was read or has that status already."""
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(SQL["change_status"], old.id, old.version, status, reason, hindered_verb)
            messages = await self._announce(connection, rows)
        self._outbox.committed(messages)
        return bool(rows)

    async def note_names(self, of: Connection, names: Names) -> None:
        """What a check found the account to be called; nothing is written while that is known."""
        known = of.account_name, of.public_key_hint, of.key_kind
        if any(found and found != one for found, one in zip(_name_values(names), known, strict=True)):
            await self._pool.execute(SQL["note_names"], of.id, *_name_values(names))

    async def record(self, of: Connection, action: Action, detail: str) -> None:
        """An entry of the audit, where nothing else is written."""
        await audit.record(self._pool, of, action, detail)

    def telling_refusals(self, workspace_id: str, provider: str, action: Action) -> AbstractAsyncContextManager[None]:
        """Writes an entry of the audit when the block is ended by an error of ours."""
        return audit.telling_refusals(self._pool, workspace_id, provider, action)

    async def change_settings(self, old: Connection, changes: Mapping[str, object], expected: str) -> Connection | None:
        """None when the connection was ended. Raises SettingsChanged, but not for a change that stands already."""
        async with transaction(self._pool) as connection:
            locked = await connection.fetchrow(SQL["lock_settings"], old.id)
            if locked is not None and expected:
                now = from_row(locked).settings
                if msgspec.structs.replace(now, **changes) != now and expected != etag(now):
                    raise SettingsChanged
            row = await connection.fetchrow(SQL["change_settings"], old.id, dict(changes))
            if row and changes:
                names = ", ".join(name.replace("_", " ") for name in changes)
                await audit.record(connection, from_row(row), Action.SETTINGS, f"Settings changed: {names}.")
            messages = await self._announce(connection, [row] if row else [])
        self._outbox.committed(messages)
        return from_row(row) if row else None

    async def _announce(self, connection: Database, rows: Sequence[asyncpg.Record]) -> list[Message]:
        messages = [integration_updated(from_row(row)) for row in rows]
        await self._outbox.add(connection, messages)
        return messages


async def _deactivate(connection: Database, old: Connection, orphan: str) -> list[asyncpg.Record]:
    """The row comes first: whoever renews the credentials holds it until they are written."""
    rows = await connection.fetch(SQL["deactivate_integration"], old.id, old.version, orphan)
    for row in rows:
        await connection.execute(SQL["delete_credentials"], old.id)
        left = f" The webhook endpoint {orphan} could not be deleted." if orphan else ""
        detail = f"Disconnected; the keys were destroyed.{left}"
        await audit.record(connection, from_row(row), Action.DISCONNECT, detail)
    return rows


async def _put(connection: Database, integration_id: object, sealed: Sealed) -> None:
    await connection.execute(SQL["put_credentials"], integration_id, list(sealed.fields), list(sealed.fields.values()))


def _sealed(row: asyncpg.Record) -> Sealed | None:
    wrapped = wrapped_key(row)
    if wrapped is None:
        return None
    return Sealed(wrapped, {field: base64.b64decode(text) for field, text in (row["sealed"] or {}).items()})


def _connected(account: ConnectedAccount, verb: str) -> str:
    mode = "live" if account.livemode else "test"
    key = f", with the key that ends in {account.key_hint}" if account.key_hint else ""
    return f"{verb} the account {account.account_id} in {mode} mode{key}."


def _account_values(account: ConnectedAccount) -> tuple[object, ...]:
    return account.account_id, account.livemode, account.country, account.default_currency, account.key_hint


def _sealed_values(sealed: Sealed) -> tuple[object, ...]:
    return sealed.wrapped.blob, sealed.wrapped.key_id


def _name_values(names: Names) -> tuple[object, ...]:
    return names.account, names.public_key, names.key_kind


def _hearing_values(hearing: Hearing) -> tuple[object, ...]:
    return hearing.endpoint_id, hearing.url, hearing.mode, hearing.reason
