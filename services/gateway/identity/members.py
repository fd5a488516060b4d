"""The people of a workspace: listed, given another role, removed. The last owner stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from services.common.db import Connection, Pool, transaction
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.ids import parse_id
from services.gateway.identity.paging import Page, after, page_of
from services.gateway.identity.principal import Principal, Role
from services.gateway.identity.rights import hold_owners_rights
from services.gateway.queries import SQL

log = structlog.get_logger()


class LastOwner(ShowbillError):
    """A workspace needs an owner, and this is the only one. Make somebody else an owner first."""

    kind = Kind.FAILED_PRECONDITION
    reason = "LAST_OWNER"


class MemberChanged(ShowbillError):
    """Somebody changed this member meanwhile. Read the member again, then decide."""

    kind = Kind.OUTDATED
    reason = "MEMBER_CHANGED"


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A person in a workspace."""

    user_id: str
    name: str
    email: str
    role: Role
    version: int
    """Rises with every change of the role."""
    joined_at: datetime
    last_seen_at: datetime | None


class Members:
    """Who belongs to a workspace."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self, workspace_id: str, page_size: int = 0, page_token: str = "") -> Page[MemberRecord]:
        return await page_of(
            page_size,
            lambda limit: self._pool.fetch(SQL["list_members"], workspace_id, after(page_token), limit),
            _record,
            lambda record: record.user_id,
        )

    async def get(self, workspace_id: str, user_id: str) -> MemberRecord:
        """Raises NotFound."""
        return await _find(self._pool, workspace_id, user_id)

    async def change_role(
        self, caller: Principal, user_id: str, role: Role, version: int | None
    ) -> tuple[MemberRecord, Sequence[str]]:
        """The member as it is then, and the tokens that ended with the role: an owner's rights that they handed out.

        With `version` only if nobody changed the member since. Raises NotFound, MemberChanged, LastOwner, OwnerNoMore.
        """
        async with transaction(self._pool) as connection:
            member = await _lock(connection, caller, user_id, version)
            ended = []
            if member.role is not role:
                await _keep_an_owner(connection, caller.workspace_id, member, stays=role is Role.OWNER)
                await connection.execute(SQL["change_role"], caller.workspace_id, member.user_id, role.value)
                if role is not Role.OWNER:
                    ended = await _withdraw(connection, caller.workspace_id, member.user_id, owners_only=True)
            changed = await _find(connection, caller.workspace_id, member.user_id)
        log.info("role changed", member=member.user_id, role=role.value, by=caller.identity.actor)
        return changed, ended

    async def remove(self, caller: Principal, user_id: str, version: int | None = None) -> Sequence[str]:
        """Ends their sessions here, the tokens that they made, their open invitations; answers what ended.

        Raises NotFound, MemberChanged, LastOwner, OwnerNoMore.
        """
        async with transaction(self._pool) as connection:
            member = await _lock(connection, caller, user_id, version)
            await _keep_an_owner(connection, caller.workspace_id, member, stays=False)
            ended = await _withdraw(connection, caller.workspace_id, member.user_id, owners_only=False)
            sessions = await connection.fetch(SQL["sessions_of_member"], caller.workspace_id, member.user_id)
            await connection.execute(SQL["remove_member"], caller.workspace_id, member.user_id)
        log.info("member removed", member=member.user_id, by=caller.identity.actor)
        return [*ended, *(str(row["id"]) for row in sessions)]


async def _lock(connection: Connection, caller: Principal, user_id: str, version: int | None) -> MemberRecord:
    await hold_owners_rights(connection, caller)
    member = await _find(connection, caller.workspace_id, user_id)
    if version is not None and version != member.version:
        raise MemberChanged
    return member


async def _find(connection: Connection | Pool, workspace_id: str, user_id: str) -> MemberRecord:
    row = await connection.fetchrow(SQL["find_member"], workspace_id, parse_id(user_id, "member"))
    if row is None:
        raise NotFound(what="member")
    return _record(row)


async def _keep_an_owner(connection: Connection, workspace_id: str, member: MemberRecord, *, stays: bool) -> None:
    if member.role is not Role.OWNER or stays:
        return
    if not await connection.fetchval(SQL["other_owners"], workspace_id, member.user_id):
        raise LastOwner


async def _withdraw(connection: Connection, workspace_id: str, user_id: str, *, owners_only: bool) -> list[str]:
    """Whoever loses rights keeps none of them in a token's or invitation's clothes."""
    await connection.execute(SQL["close_invitations_made_by"], workspace_id, user_id)
    rows = await connection.fetch(SQL["revoke_tokens_made_by"], workspace_id, user_id, owners_only)
    return [str(row["id"]) for row in rows]


def _record(row: asyncpg.Record) -> MemberRecord:
    return MemberRecord(
        user_id=str(row["user_id"]),
        name=row["name"],
        email=row["email"],
        role=Role(row["role"]),
        version=row["version"],
        joined_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
    )
