"""Makes owners: at the first start from the environment, later by a command."""

import structlog

from services.common.db import Connection, Pool, transaction
from services.common.errors import CannotStart, Fault, InvalidRequest, Kind, ShowbillError
from services.common.ids import new_id
from services.common.secret import Secret
from services.gateway.config import Config
from services.gateway.identity.credentials import TOKEN_PREFIX, new_api_token
from services.gateway.identity.emails import check_email
from services.gateway.identity.passwords import Passwords, check_fit
from services.gateway.identity.places import forget_places
from services.gateway.identity.principal import Role
from services.gateway.identity.tokens import NewTokenTerms, store_token
from services.gateway.queries import SQL

log = structlog.get_logger()

SHORTEST_TOKEN = 32


class AccountExists(ShowbillError):
    """There is already an account with this e-mail address. Choose another address."""

    kind = Kind.CONFLICT
    reason = "ACCOUNT_EXISTS"


class NoSuchAccount(ShowbillError):
    """There is no account with this e-mail address. Correct it, or make an owner with create-owner."""

    kind = Kind.NOT_FOUND
    reason = "NO_SUCH_ACCOUNT"


class NoSuchWorkspace(ShowbillError):
    """There is no workspace with this id. Its page of plans shows it."""

    kind = Kind.NOT_FOUND
    reason = "NO_SUCH_WORKSPACE"


class BootstrapIncomplete(CannotStart):
    """The first owner cannot be made."""


async def create_owner(pool: Pool, passwords: Passwords, email: str, password: Secret, workspace: str) -> Secret:
    """A new workspace with its owner; answers an API token with the owner's rights. Raises AccountExists."""
    check_fit(password)
    faults = check_email(email)
    if not workspace.strip():
        faults.append(Fault("workspace", "The workspace needs a name."))
    if faults:
        raise InvalidRequest(faults[0].problem, faults=faults)
    password_hash = await passwords.hash(password)
    token = new_api_token()
    async with transaction(pool) as connection:
        await _insert_owner(connection, email, password_hash, workspace.strip(), token)
    return token


async def _insert_owner(
    connection: Connection, email: str, password_hash: str, workspace: str, token: Secret | None
) -> None:
    workspace_id = new_id()
    user_id = await connection.fetchval(SQL["create_user"], new_id(), email, password_hash, "")
    if user_id is None:
        raise AccountExists
    await connection.execute(SQL["create_workspace"], workspace_id, workspace)
    await connection.execute(SQL["create_membership"], user_id, workspace_id, Role.OWNER.value)
    if token is not None:
        await store_token(connection, workspace_id, NewTokenTerms("First token", Role.OWNER), str(user_id), token)


async def set_password(pool: Pool, passwords: Passwords, email: str, password: Secret) -> None:
    """Another password for somebody who lost theirs; ends their sessions. Raises NoSuchAccount, PasswordNotFit."""
    check_fit(password)
    user = await pool.fetchrow(SQL["find_user"], email)
    if user is None:
        raise NoSuchAccount
    password_hash = await passwords.hash(password)
    async with transaction(pool) as connection:
        await connection.execute(SQL["replace_password_hash"], user["user_id"], password_hash)
        await connection.execute(SQL["end_sessions_of_user"], user["user_id"], None)
        await forget_places(connection, user["user_id"])


async def set_plan(pool: Pool, workspace_id: str, plan: str) -> None:
    """What of the integrations a workspace may use. Raises NoSuchWorkspace."""
    if await pool.fetchval(SQL["set_plan"], workspace_id, plan) is None:
        raise NoSuchWorkspace


async def bootstrap(pool: Pool, passwords: Passwords, config: Config) -> None:
    """Makes the first owner when there are no users yet; of several replicas that start at once, one does it.

    Raises BootstrapIncomplete when the environment names an e-mail address without a fit password or token.
    """
    if await pool.fetchval(SQL["has_users"]):
        return
    if not config.bootstrap_email:
        log.warning("nobody can sign in yet", todo="set BOOTSTRAP_EMAIL, or run services.gateway.admin create-owner")
        return
    _check_bootstrap(config)
    assert config.bootstrap_password is not None
    password_hash = await passwords.hash(config.bootstrap_password)
    async with transaction(pool) as connection:
        await connection.execute(SQL["lock_bootstrap"])
        if await connection.fetchval(SQL["has_users"]):
            return
        token, workspace = config.bootstrap_api_token, config.bootstrap_workspace
        await _insert_owner(connection, config.bootstrap_email, password_hash, workspace, token)
    log.info("first owner made", workspace=config.bootstrap_workspace)


def _check_bootstrap(config: Config) -> None:
    if config.bootstrap_password is None:
        raise BootstrapIncomplete("BOOTSTRAP_EMAIL is set, but BOOTSTRAP_PASSWORD is not. Set both or neither.")
    try:
        check_fit(config.bootstrap_password)
    except InvalidRequest as error:
        raise BootstrapIncomplete(f"BOOTSTRAP_PASSWORD is not fit: {error.message}") from error
    token = config.bootstrap_api_token
    if token is not None and not (token.reveal().startswith(TOKEN_PREFIX) and len(token.reveal()) >= SHORTEST_TOKEN):
        raise BootstrapIncomplete(
            f"BOOTSTRAP_API_TOKEN is not fit: it must begin with {TOKEN_PREFIX} and have at least "
            f"{SHORTEST_TOKEN} characters."
        )
