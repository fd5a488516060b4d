"""A person's own account: another password, another of their workspaces."""

from dataclasses import dataclass

import structlog

from services.common.db import Pool, transaction
from services.common.errors import Fault, Forbidden, InvalidRequest, NotFound
from services.common.secret import Secret
from services.gateway.identity.passwords import Passwords, check_fit
from services.gateway.identity.places import forget_places
from services.gateway.identity.principal import Principal, Role
from services.gateway.identity.sessions import OpenedSession, Sessions
from services.gateway.identity.throttle import Throttle
from services.gateway.identity.visitor import Visitor
from services.gateway.queries import SQL

log = structlog.get_logger()


class WrongPassword(InvalidRequest):
    """The current password is not right. Type it once more."""

    reason = "WRONG_PASSWORD"


class NotYourWorkspace(NotFound):
    """You belong to no workspace with this id. Look at your workspaces, then choose one of them."""


class SignInAgain(Forbidden):
    """Your account has no password yet. Sign out and in again, then set one within 15 minutes."""

    reason = "SIGN_IN_AGAIN"


@dataclass(frozen=True, slots=True)
class OwnWorkspace:
    """A workspace that a person belongs to."""

    id: str
    name: str
    plan: str
    role: Role


class OwnAccount:
    """What people change of themselves."""

    def __init__(self, pool: Pool, passwords: Passwords, sessions: Sessions) -> None:
        self._pool = pool
        self._passwords = passwords
        self._sessions = sessions
        self._throttle = Throttle(pool)

    async def change_password(
        self, caller: Principal, current: Secret, new: Secret, visitor: Visitor
    ) -> tuple[OpenedSession, list[str]]:
        """Ends every session of the person and opens a new one; answers it, and which ended.

        Raises WrongPassword, PasswordNotFit, SignInAgain, TooManyAttempts.
        """
        check_fit(new, "newPassword")
        replaced = await self._check(caller, current)
        password_hash = await self._passwords.hash(new)
        async with transaction(self._pool) as connection:
            if not await connection.fetchval(SQL["renew_password_hash"], caller.user_id, password_hash, replaced):
                raise WrongPassword  # somebody changed it this very moment
            ended = await connection.fetch(SQL["end_sessions_of_user"], caller.user_id, None)
            await forget_places(connection, caller.user_id)
        log.info("password changed", user=caller.user_id)
        opened = await self._sessions.open(caller.user_id, caller.workspace_id, visitor, proved=password_hash)
        return opened, [str(row["id"]) for row in ended]

    async def _check(self, caller: Principal, current: Secret) -> str | None:
        """The hash that the current password fits; None for an account that has none yet."""
        attempt = await self._throttle.count_signed_in(caller.user_id)
        row = await self._pool.fetchrow(SQL["password_of"], caller.credential_id)
        password_hash: str | None = row["password_hash"] if row is not None else None
        if row is not None and password_hash is None:
            if not row["signed_in_just_now"]:
                raise SignInAgain
        elif not await self._passwords.matches(current, password_hash):
            error = WrongPassword()
            raise WrongPassword(error.message, faults=[Fault("currentPassword", error.message)])
        await self._throttle.forgive(attempt)
        return password_hash

    async def has_password(self, caller: Principal) -> bool:
        row = await self._pool.fetchrow(SQL["password_of"], caller.credential_id)
        return row is not None and row["password_hash"] is not None

    async def workspaces(self, user_id: str) -> list[OwnWorkspace]:
        rows = await self._pool.fetch(SQL["workspaces_of_user"], user_id)
        return [OwnWorkspace(str(row["id"]), row["name"], row["plan"], Role(row["role"])) for row in rows]

    async def switch(self, caller: Principal, workspace_id: str, visitor: Visitor) -> OpenedSession:
        """A new session in another of the person's workspaces instead of this one. Raises NotYourWorkspace."""
        mine = {one.id for one in await self.workspaces(caller.user_id)}
        wanted = workspace_id.strip().lower()
        if wanted not in mine:
            raise NotYourWorkspace
        return await self._sessions.open(caller.user_id, wanted, visitor)
