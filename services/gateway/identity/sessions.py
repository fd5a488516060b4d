"""Sessions of the dashboard: opened by e-mail and password, carried by a cookie, ended at sign-out or by time."""

from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from services.common.db import Pool
from services.common.errors import Unauthenticated
from services.common.ids import new_id
from services.common.secret import Secret
from services.gateway.identity.credentials import fingerprint, new_session_token
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.principal import Principal, Role, Way
from services.gateway.identity.throttle import Throttle
from services.gateway.queries import SQL

log = structlog.get_logger()

COOKIE: Final = "showbill_session"
LIFETIME: Final = 30 * 24 * 3600
"""Seconds after which a session ends in any case."""
IDLE: Final = 7 * 24 * 3600
"""Seconds without a request after which it ends."""


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is not right. Check both and try again."""

    reason = "WRONG_CREDENTIALS"


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the only copy of what its cookie carries."""

    principal: Principal
    token: Secret


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, pool: Pool, passwords: Passwords) -> None:
        self._pool = pool
        self._passwords = passwords
        self._throttle = Throttle(pool)

    async def sign_in(self, email: str, password: Secret, address: str) -> OpenedSession:
        """Raises WrongCredentials, the same and as late whether the account exists or not; TooManyAttempts."""
        await self._throttle.count(email, address)
        account = await self._pool.fetchrow(SQL["find_account"], email)
        if not await self._passwords.matches(password, account["password_hash"] if account else None) or not account:
            log.info("sign-in refused", address=address)
            raise WrongCredentials
        await self._throttle.forgive(email, address)
        if self._passwords.outdated(account["password_hash"]):
            fresh = await self._passwords.hash(password)
            await self._pool.execute(SQL["replace_password_hash"], account["user_id"], fresh)
        token = new_session_token()
        await self._pool.execute(
            SQL["open_session"],
            *(new_id(), fingerprint(token.reveal()), account["user_id"], account["workspace_id"], address, LIFETIME),
        )
        principal = await self.find(token.reveal())
        if principal is None:
            raise WrongCredentials  # the account was removed this very moment
        log.info("signed in", user=principal.user_id, workspace=principal.workspace_id)
        return OpenedSession(principal, token)

    async def find(self, token: str) -> Principal | None:
        """Who the cookie belongs to; None when the session ended or never was."""
        row = await self._pool.fetchrow(SQL["find_session"], fingerprint(token), IDLE)
        if row is None:
            return None
        if row["stale"]:
            await self._pool.execute(SQL["touch_session"], row["id"])
        return _principal(row)

    async def end(self, session_id: str) -> None:
        await self._pool.execute(SQL["end_session"], session_id)

    async def sweep(self) -> None:
        """Removes what ended by time."""
        await self._pool.execute(SQL["end_stale_sessions"], IDLE)
        await self._throttle.forget()


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
    )
