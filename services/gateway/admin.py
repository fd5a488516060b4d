"""Commands for whoever runs the gateway: `python -m services.gateway.admin create-owner`."""

import asyncio
import getpass
import os
import sys
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from services.common import addresses
from services.common.config import ConfigError, load
from services.common.database_url import DatabaseUrl
from services.common.db import open_pool
from services.common.errors import CannotStart, ShowbillError
from services.common.migrate import migrate
from services.common.secret import Secret
from services.gateway.identity.accounts import create_owner, set_password, set_plan
from services.gateway.identity.passwords import Passwords
from services.gateway.queries import MIGRATIONS

app = App(name="services.gateway.admin", help="Commands for whoever runs the gateway. DATABASE_URL names its database.")


class AdminConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What these commands need of the gateway's environment."""

    database_url: DatabaseUrl


@app.command(name="create-owner")
def create_owner_command(
    *, email: Annotated[str, Parameter(negative="")], workspace: Annotated[str, Parameter(negative="")]
) -> int:
    """Make a workspace and its owner, and print an API token with the owner's rights, once.

    The password is read from SHOWBILL_OWNER_PASSWORD, else from the terminal or standard input.

    Parameters
    ----------
    email
        What the owner signs in with.
    workspace
        The workspace's name.
    """
    try:
        config = load(AdminConfig, os.environ, addresses.PARSERS)
        token = asyncio.run(_create(config, email, _read_password(), workspace))
    except (ConfigError, CannotStart, ShowbillError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{email} can sign in. This API token is shown only now:", file=sys.stderr)
    print(token.reveal())
    return 0


@app.command(name="set-password")
def set_password_command(*, email: Annotated[str, Parameter(negative="")]) -> int:
    """Give an account another password, for somebody who lost theirs. All their sessions end.

    The password is read from SHOWBILL_OWNER_PASSWORD, else from the terminal or standard input.

    Parameters
    ----------
    email
        What the person signs in with.
    """
    try:
        config = load(AdminConfig, os.environ, addresses.PARSERS)
        asyncio.run(_set_password(config, email, _read_password()))
    except (ConfigError, CannotStart, ShowbillError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{email} signs in with the new password from now on.", file=sys.stderr)
    return 0


@app.command(name="set-plan")
def set_plan_command(*, workspace: Annotated[str, Parameter(negative="")], plan: Literal["free", "pro"]) -> int:
    """Set the plan of a workspace: what of the integrations it may use.

    Parameters
    ----------
    workspace
        Its id, as the page of plans shows it.
    plan
        What it has from now on.
    """
    try:
        config = load(AdminConfig, os.environ, addresses.PARSERS)
        asyncio.run(_set_plan(config, workspace, plan))
    except (ConfigError, CannotStart, ShowbillError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The workspace has the plan {plan} from now on.", file=sys.stderr)
    return 0


def _read_password() -> Secret:
    given = os.environ.get("SHOWBILL_OWNER_PASSWORD")
    if given:
        return Secret(given)
    if sys.stdin.isatty():
        return Secret(getpass.getpass("Password: "))
    return Secret(sys.stdin.readline().rstrip("\n"))


async def _create(config: AdminConfig, email: str, password: Secret, workspace: str) -> Secret:
    await migrate(config.database_url, MIGRATIONS)
    pool = await open_pool(config.database_url, "gateway-admin", largest=2)
    try:
        return await create_owner(pool, Passwords(), email, password, workspace)
    finally:
        await pool.close()


async def _set_password(config: AdminConfig, email: str, password: Secret) -> None:
    await migrate(config.database_url, MIGRATIONS)
    pool = await open_pool(config.database_url, "gateway-admin", largest=2)
    try:
        await set_password(pool, Passwords(), email, password)
    finally:
        await pool.close()


async def _set_plan(config: AdminConfig, workspace: str, plan: str) -> None:
    pool = await open_pool(config.database_url, "gateway-admin", largest=2)
    try:
        await set_plan(pool, workspace, plan)
    finally:
        await pool.close()


if __name__ == "__main__":
    sys.exit(app())
