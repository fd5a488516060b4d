"""Invitations: a link for one e-mail address, shown once to the owner who made it, good once and for a week."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from services.common.db import Connection, Pool, transaction
from services.common.errors import Kind, NotFound, ShowbillError, require
from services.common.ids import new_id, parse_id
from services.common.secret import Secret
from services.gateway.identity.credentials import fingerprint, new_session_token
from services.gateway.identity.emails import check_email, check_name
from services.gateway.identity.paging import Page, after, page_of
from services.gateway.identity.passwords import Passwords, faults_of_password
from services.gateway.identity.principal import Principal, Role
from services.gateway.identity.rights import hold_owners_rights
from services.gateway.identity.sessions import OpenedSession, Sessions, WrongCredentials
from services.gateway.identity.throttle import Throttle
from services.gateway.identity.visitor import Visitor
from services.gateway.queries import SQL

log = structlog.get_logger()

LIFETIME: Final = 7 * 24 * 3600
"""Seconds in which an invitation can be accepted."""


class AlreadyMember(ShowbillError):
    """This person is a member of the workspace already. Change their role instead."""

    kind = Kind.CONFLICT
    reason = "ALREADY_MEMBER"


class InvitationGone(ShowbillError):
    """This invitation was accepted, withdrawn, or has run out. Ask an owner of the workspace for a new one."""

    kind = Kind.NOT_FOUND
    reason = "INVITATION_GONE"


@dataclass(frozen=True, slots=True)
class InvitationRecord:
    """What the list shows of an invitation."""

    id: str
    email: str
    role: Role
    invited_by: str
    """An e-mail address; empty when a program invited."""
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """What the invited person is shown."""

    id: str
    workspace_id: str
    workspace_name: str
    email: str
    role: Role
    user_id: str | None
    """Of the account that the address has already."""
    password_hash: str | None


class Invitations:
    """Makes, lists, withdraws and accepts invitations."""

    def __init__(self, pool: Pool, passwords: Passwords, sessions: Sessions) -> None:
        self._pool = pool
        self._passwords = passwords
        self._sessions = sessions
        self._throttle = Throttle(pool)

    async def create(self, caller: Principal, email: str, role: Role) -> tuple[InvitationRecord, Secret]:
        """The invitation, and the only copy of what its link carries. An earlier one of the address is withdrawn.

        Raises AlreadyMember, InvalidRequest, OwnerNoMore.
        """
        require(check_email(email))
        token = new_session_token()
        async with transaction(self._pool) as connection:
            await hold_owners_rights(connection, caller)
            if await connection.fetchval(SQL["is_member"], caller.workspace_id, email):
                raise AlreadyMember
            await connection.execute(SQL["close_invitations_of"], caller.workspace_id, email)
            row = await connection.fetchrow(
                SQL["create_invitation"],
                *(new_id(), fingerprint(token.reveal()), caller.workspace_id, email, role.value),
                *(caller.answerable_id, LIFETIME),
            )
        assert row is not None
        log.info("invited", invitation=str(row["id"]), role=role.value, by=caller.identity.actor)
        return _record(row), token

    async def list(self, workspace_id: str, page_size: int = 0, page_token: str = "") -> Page[InvitationRecord]:
        return await page_of(
            page_size,
            lambda limit: self._pool.fetch(SQL["list_invitations"], workspace_id, after(page_token), limit),
            _record,
            lambda record: record.id,
        )

    async def revoke(self, workspace_id: str, invitation_id: str) -> None:
        """Raises NotFound. One that is closed stays closed."""
        found = await self._pool.fetchval(SQL["revoke_invitation"], parse_id(invitation_id, "invitation"), workspace_id)
        if found is None:
            raise NotFound(what="invitation")

    async def find(self, token: str) -> OpenInvitation:
        """Raises InvitationGone."""
        return await self.find_by_hash(fingerprint(token))

    async def find_by_hash(self, token_hash: bytes) -> OpenInvitation:
        """Raises InvitationGone."""
        row = await self._pool.fetchrow(SQL["find_invitation"], token_hash)
        if row is None:
            raise InvitationGone
        return OpenInvitation(
            id=str(row["id"]),
            workspace_id=str(row["workspace_id"]),
            workspace_name=row["workspace_name"],
            email=row["email"],
            role=Role(row["role"]),
            user_id=str(row["user_id"]) if row["user_id"] else None,
            password_hash=row["password_hash"],
        )

    async def accept(self, token: str, name: str, password: Secret, visitor: Visitor) -> OpenedSession:
        """Makes the account, or takes the one that the address has, which must then prove its password.

        Raises InvitationGone, WrongCredentials, TooManyAttempts, InvalidRequest.
        """
        invitation = await self.find(token)
        if invitation.user_id is not None:
            attempt = await self._throttle.count(invitation.email, visitor)
            if not await self._passwords.matches(password, invitation.password_hash):
                raise WrongCredentials
            await self._throttle.forgive(attempt)
            return await self.join(invitation, invitation.user_id, visitor)
        faults = faults_of_password(password)
        faults += check_name(name, "Say what you are called.")
        require(faults)
        password_hash = await self._passwords.hash(password)
        return await self.join(invitation, None, visitor, name=name.strip(), password_hash=password_hash)

    async def join(
        self,
        invitation: OpenInvitation,
        user_id: str | None,
        visitor: Visitor,
        *,
        name: str = "",
        password_hash: str | None = None,
    ) -> OpenedSession:
        """For somebody who has proved who they are: uses the invitation up, and signs them in there."""
        async with transaction(self._pool) as connection:
            taken = await connection.fetchrow(SQL["accept_invitation"], invitation.id)
            if taken is None:
                raise InvitationGone
            member = user_id or await _make_user(connection, invitation.email, name, password_hash)
            await connection.execute(SQL["join_workspace"], member, taken["workspace_id"], taken["role"])
        log.info("invitation accepted", invitation=invitation.id, user=member)
        return await self._sessions.open(member, invitation.workspace_id, visitor)


async def _make_user(connection: Connection, email: str, name: str, password_hash: str | None) -> str:
    user_id = await connection.fetchval(SQL["create_user"], new_id(), email, password_hash, name)
    if user_id is None:  # the address got an account this very moment, by another invitation
        raise WrongCredentials
    return str(user_id)


def _record(row: asyncpg.Record) -> InvitationRecord:
    return InvitationRecord(
        id=str(row["id"]),
        email=row["email"],
        role=Role(row["role"]),
        invited_by=row["invited_by"] or "",
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
