"""API tokens: for programs. Shown once, stored as a hash, revocable, each with a role of its own."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.common.db import Connection, Pool
from services.common.errors import NotFound
from services.common.ids import new_id, parse_id
from services.common.secret import Secret
from services.gateway.identity.credentials import fingerprint, hint, new_api_token
from services.gateway.identity.principal import Principal, Role, Way
from services.gateway.queries import SQL


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What the list shows of a token."""

    id: str
    name: str
    hint: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None


async def store_token(
    connection: Connection | Pool, workspace_id: str, name: str, role: Role, user_id: str | None, token: Secret
) -> TokenRecord:
    """Lets a token in from now on."""
    row = await connection.fetchrow(
        SQL["create_token"],
        *(new_id(), fingerprint(token.reveal()), hint(token), workspace_id, name, role.value, user_id),
    )
    assert row is not None
    return _record(row)


class ApiTokens:
    """Makes, finds, lists and revokes API tokens."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(self, owner: Principal, name: str, role: Role) -> tuple[TokenRecord, Secret]:
        """The token's record, and the only copy of the token."""
        token = new_api_token()
        return await store_token(self._pool, owner.workspace_id, name, role, owner.user_id or None, token), token

    async def find(self, token: str) -> Principal | None:
        """Who the token stands for; None when it was revoked or never was."""
        row = await self._pool.fetchrow(SQL["find_token"], fingerprint(token))
        if row is None:
            return None
        if row["stale"]:
            await self._pool.execute(SQL["touch_token"], row["id"])
        return Principal(
            way=Way.TOKEN,
            credential_id=str(row["id"]),
            role=Role(row["role"]),
            workspace_id=str(row["workspace_id"]),
            workspace_name=row["workspace_name"],
            plan=row["plan"],
            token_name=row["name"],
        )

    async def list(self, workspace_id: str) -> list[TokenRecord]:
        return [_record(row) for row in await self._pool.fetch(SQL["list_tokens"], workspace_id)]

    async def revoke(self, workspace_id: str, token_id: str) -> str:
        """Answers the token's id in its canonical form. Raises NotFound."""
        found = await self._pool.fetchval(SQL["revoke_token"], parse_id(token_id, "API token"), workspace_id)
        if found is None:
            raise NotFound(what="API token")
        return str(found)


def _record(row: asyncpg.Record) -> TokenRecord:
    return TokenRecord(
        id=str(row["id"]),
        name=row["name"],
        hint=row["hint"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
    )
