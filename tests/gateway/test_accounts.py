"""The first owner, from the environment and by the command."""

import asyncio
import os
import sys
from typing import Any

import pytest

from services.common.db import open_pool
from services.common.errors import InvalidRequest
from services.common.secret import Secret
from services.gateway.config import Config
from services.gateway.identity.accounts import AccountExists, BootstrapIncomplete, bootstrap, create_owner
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.tokens import ApiTokens
from services.gateway.identity.visitor import Visitor
from tests.conftest import Database

PASSWORD = Secret("a good long password")
TOKEN = Secret("showbill_" + "t" * 43)


def config(**settings: Any) -> Config:
    unused: dict[str, Any] = {
        "database_url": Secret(""),
        "nats_url": Secret(""),
        "service_signing_key": Secret(""),
        "integrations_address": "",
        "invoicing_address": "",
    }
    return Config(**unused, **settings)


async def test_replicas_that_start_together_make_one_owner(database: Database) -> None:
    pool = await open_pool(Secret(await database("gateway", migrated=True)), "tests")
    settings = config(bootstrap_email="first@example.com", bootstrap_password=PASSWORD, bootstrap_api_token=TOKEN)
    await asyncio.gather(*(bootstrap(pool, Passwords(), settings) for _ in range(4)))
    await bootstrap(pool, Passwords(), settings)

    assert await pool.fetchval("SELECT count(*) FROM users") == 1
    assert await pool.fetchval("SELECT count(*) FROM workspaces") == 1
    opened = await Sessions(pool, Passwords()).sign_in("first@example.com", PASSWORD, Visitor("127.0.0.1"))
    by_token = await ApiTokens(pool).find(TOKEN.reveal())
    assert by_token is not None
    assert by_token.workspace_id == opened.principal.workspace_id
    await pool.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "BOOTSTRAP_PASSWORD is not"),
        ({"bootstrap_password": Secret("short")}, "at least 10 characters"),
        ({"bootstrap_password": PASSWORD, "bootstrap_api_token": Secret("mine")}, "begin with showbill_"),
    ],
)
async def test_an_incomplete_bootstrap_says_what_is_missing(
    database: Database, settings: dict[str, Any], says: str
) -> None:
    pool = await open_pool(Secret(await database("gateway", migrated=True)), "tests")
    with pytest.raises(BootstrapIncomplete, match=says):
        await bootstrap(pool, Passwords(), config(bootstrap_email="first@example.com", **settings))
    assert await pool.fetchval("SELECT count(*) FROM users") == 0
    await pool.close()


async def test_owners_need_an_address_a_name_and_a_password(database: Database) -> None:
    pool = await open_pool(Secret(await database("gateway", migrated=True)), "tests")
    for email, password, workspace in (
        ("no address", PASSWORD, "Shop"),
        ("a@example.com", PASSWORD, "  "),
        ("a@example.com", Secret("short"), "Shop"),
    ):
        with pytest.raises(InvalidRequest):
            await create_owner(pool, Passwords(), email, password, workspace)
    await create_owner(pool, Passwords(), "a@example.com", PASSWORD, "Shop")
    with pytest.raises(AccountExists):
        await create_owner(pool, Passwords(), "A@example.com", PASSWORD, "Shop")
    assert await pool.fetchval("SELECT count(*) FROM workspaces") == 1
    await pool.close()


async def test_the_command_prints_a_token_that_works(database: Database) -> None:
    url = await database("gateway")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.gateway.admin", "create-owner", "--email", "a@example.com"),
        *("--workspace", "Shop"),
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(PASSWORD.reveal().encode() + b"\n")
    assert process.returncode == 0, errors
    pool = await open_pool(Secret(url), "tests")
    found = await ApiTokens(pool).find(output.decode().strip())
    assert found is not None
    assert (found.role.value, found.workspace_name) == ("owner", "Shop")
    assert PASSWORD.reveal() not in (output + errors).decode()
    await pool.close()


async def test_a_plan_is_set_by_the_command(database: Database) -> None:
    url = await database("gateway", migrated=True)
    pool = await open_pool(Secret(url), "tests")
    await create_owner(pool, Passwords(), "a@example.com", PASSWORD, "Shop")
    workspace = str(await pool.fetchval("SELECT id FROM workspaces"))

    async def command(workspace: str, plan: str) -> tuple[int | None, bytes]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.gateway.admin", "set-plan", "--workspace", workspace, "--plan", plan),
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        return process.returncode, said

    assert (await command(workspace, "pro"))[0] == 0
    assert (await command(workspace, "gold"))[0] != 0
    assert (await command("nonsense", "free"))[0] == 1
    stranger, said = await command("0198c0de-0000-7000-8000-000000000099", "free")
    assert (stranger, b"There is no workspace with this id. Its page of plans shows it." in said) == (1, True)
    assert await pool.fetchval("SELECT plan FROM workspaces") == "pro"
    await pool.close()


async def test_a_lost_password_is_replaced_by_the_command(database: Database) -> None:
    url = await database("gateway", migrated=True)
    pool = await open_pool(Secret(url), "tests")
    await create_owner(pool, Passwords(), "a@example.com", PASSWORD, "Shop")
    sessions, visitor = Sessions(pool, Passwords()), Visitor("127.0.0.1")
    before = await sessions.sign_in("a@example.com", PASSWORD, visitor)

    async def command(email: str) -> tuple[int | None, bytes]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.gateway.admin", "set-password", "--email", email),
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url, "SHOWBILL_OWNER_PASSWORD": "the new long one"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        return process.returncode, said

    stranger, said = await command("nobody@example.com")
    assert (stranger, b"There is no account with this e-mail address." in said) == (1, True)
    assert await sessions.find(before.token.reveal()) is not None
    assert (await command("A@example.com"))[0] == 0
    assert await sessions.find(before.token.reveal()) is None
    again = await sessions.sign_in("a@example.com", Secret("the new long one"), visitor)
    assert again.principal.user_id == before.principal.user_id
    await pool.close()
