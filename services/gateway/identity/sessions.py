"""Sessions of people: opened at sign-in, carried by a cookie, ended by their owner, by a new sign-in or by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from services.common.db import Pool
from services.common.errors import NotFound, Unauthenticated
from services.common.ids import new_id, parse_id
from services.common.secret import Secret
from services.gateway.identity.cookies import LIFETIME
from services.gateway.identity.credentials import fingerprint, new_session_token
from services.gateway.identity.devices import device_of
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.places import Places
from services.gateway.identity.principal import Principal, Role, Way
from services.gateway.identity.throttle import Throttle
from services.gateway.identity.visitor import Visitor
from services.gateway.queries import SQL

log = structlog.get_logger()

IDLE: Final = 7 * 24 * 3600
"""Seconds without a request after which a session ends."""


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is not right. Check both and try again."""

    reason = "WRONG_CREDENTIALS"


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the only copy of what its cookie carries."""

    principal: Principal
    token: Secret
    device: Secret
    """By which the browser is known again at the next sign-in."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What the list shows of a session."""

    id: str
    device: str
    address: str
    workspace_name: str
    created_at: datetime
    last_seen_at: datetime


class Sessions:
    """Opens, finds, lists and ends sessions."""

    def __init__(self, pool: Pool, passwords: Passwords) -> None:
        self._pool = pool
        self._passwords = passwords
        self._throttle = Throttle(pool)
        self._places = Places(pool)

    async def sign_in(self, email: str, password: Secret, visitor: Visitor) -> OpenedSession:
        """Raises WrongCredentials, the same and as late whether the account exists or not; TooManyAttempts."""
        attempt = await self._throttle.count(email, visitor)
        account = await self._pool.fetchrow(SQL["find_account"], email)
        if not await self._passwords.matches(password, account["password_hash"] if account else None) or not account:
            log.info("sign-in refused", address=visitor.address)
            raise WrongCredentials
        await self._throttle.forgive(attempt)
        user_id, password_hash = str(account["user_id"]), account["password_hash"]
        if self._passwords.outdated(password_hash):
            password_hash = await self._renewed(user_id, password, password_hash)
        return await self.open(user_id, str(account["workspace_id"]), visitor, proved=password_hash)

    async def _renewed(self, user_id: str, password: Secret, outdated: str) -> str:
        fresh = await self._passwords.hash(password)
        await self._pool.execute(SQL["renew_password_hash"], user_id, fresh, outdated)
        return fresh

    async def open(
        self, user_id: str, workspace_id: str, visitor: Visitor, *, proved: str | None = None
    ) -> OpenedSession:
        """A session under a token that nobody had before; the one that the browser brought along ends.

        Raises WrongCredentials when the person does not belong to the workspace any more, or has another password
        than `proved`, the hash that theirs was checked against.
        """
        token = new_session_token()
        await self._pool.execute(
            SQL["open_session"],
            *(new_id(), fingerprint(token.reveal()), user_id, workspace_id),
            *(visitor.address, visitor.user_agent, LIFETIME, proved),
        )
        principal = await self.find(token.reveal())
        if principal is None:
            raise WrongCredentials
        if visitor.token:
            await self._pool.execute(SQL["end_replaced_session"], fingerprint(visitor.token))
        log.info("signed in", user=principal.user_id, workspace=principal.workspace_id)
        device = await self._places.remember(user_id, principal.credential_id, visitor)
        return OpenedSession(principal, token, device)

    async def find(self, token: str) -> Principal | None:
        """Who the cookie belongs to; None when the session ended or never was."""
        row = await self._pool.fetchrow(SQL["find_session"], fingerprint(token), IDLE)
        if row is None:
            return None
        if row["stale"]:
            await self._pool.execute(SQL["touch_session"], row["id"])
        return _principal(row)

    async def list(self, user_id: str) -> list[SessionRecord]:
        """The person's open sessions, of all their workspaces, the last used first."""
        return [_record(row) for row in await self._pool.fetch(SQL["list_sessions"], user_id, IDLE)]

    async def end(self, user_id: str, session_id: str) -> str:
        """Ends one of the person's own; answers its id in canonical form. Raises NotFound."""
        ended = await self._pool.fetchval(SQL["end_session"], parse_id(session_id, "session"), user_id)
        if ended is None:
            raise NotFound(what="session")
        return str(ended)

    async def end_others(self, user_id: str, but: str | None) -> Sequence[str]:
        """Ends all sessions of a person but the one named; answers which."""
        rows = await self._pool.fetch(SQL["end_sessions_of_user"], user_id, but)
        return [str(row["id"]) for row in rows]

    async def sweep(self) -> None:
        """Removes what ended by time."""
        await self._pool.execute(SQL["end_stale_sessions"], IDLE)
        await self._pool.execute(SQL["forget_invitations"])
        await self._throttle.forget()
        await self._places.sweep()


def _principal(row: asyncpg.Record) -> Principal:
    return Principal(
        way=Way.SESSION,
        credential_id=str(row["id"]),
        role=Role(row["role"]),
        workspace_id=str(row["workspace_id"]),
        workspace_name=row["workspace_name"],
        plan=row["plan"],
        user_id=str(row["user_id"]),
        email=row["email"],
        name=row["name"],
        answerable_id=str(row["user_id"]),
    )


def _record(row: asyncpg.Record) -> SessionRecord:
    return SessionRecord(
        id=str(row["id"]),
        device=device_of(row["user_agent"]),
        address=row["address"],
        workspace_name=row["workspace_name"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
    )
