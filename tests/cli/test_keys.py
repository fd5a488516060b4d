"""`showbill keys` on a deployment: a database, a file of keys, running services, and what may go wrong between them."""

import asyncio
import base64
import io
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from services.cli.rest import Rest
from services.common.db import Pool, open_pool
from services.common.ids import new_id
from services.common.secret import Secret
from services.integrations import keys
from services.integrations.canary import check_keyring
from services.integrations.holding import Holding
from services.integrations.keyfile import FileKeyring
from services.integrations.keyring import LocalKeyring, WrappedKey, parse_keyring, read_entries
from services.integrations.repository import SQL
from services.integrations.rewrap import alone
from services.integrations.vault import Vault
from tests.cli.up_command import running_up
from tests.conftest import Database
from tests.waiting import eventually

KEY = base64.b64encode(b"k" * 32).decode()
PLANTED = "sk_test_" + "planted0" * 4
BY_HAND = ("services.cli", "keys")
"""As an operator gives it."""


@dataclass(frozen=True)
class Deployment:
    """A migrated database and a file with the key `old`."""

    url: str
    pool: Pool
    file: Path
    environment: dict[str, str]
    command: tuple[str, ...] = ()
    """What starts it as a process; else it runs in a thread of this one, which saves most of a second each time."""

    async def start(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", *(self.command or ("services.integrations.keys",)), *arguments),
            stdout=PIPE,
            stderr=STDOUT,
            env={"PATH": os.environ["PATH"], **self.environment},
            cwd=self.file.parent,  # where no `up` keeps its state
        )

    async def keys(self, *arguments: str, fails: bool = False) -> str:
        """What the command says."""
        if self.command:
            process = await self.start(*arguments)
            said, code = (await process.communicate())[0].decode(), process.returncode
        else:
            said, code = await self._run(arguments)
        assert code == (1 if fails else 0), said
        assert "Traceback" not in said
        return said

    async def _run(self, arguments: Sequence[str]) -> tuple[str, int]:
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            for name in ("DATABASE_URL", "CREDENTIAL_KEYS", "CREDENTIAL_KEYS_FILE"):
                patch.delenv(name, raising=False)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            code = await asyncio.to_thread(keys.main, arguments)
        return said.getvalue(), code

    def ring(self) -> LocalKeyring:
        return parse_keyring(self.file.read_text())

    async def connect(self, count: int = 1) -> list[tuple[str, str]]:
        """Connections with sealed keys; answers workspace and id of each."""
        vault = Vault(self.ring())
        made = []
        for _ in range(count):
            workspace, connection = new_id(), new_id()
            sealed = await vault.seal(workspace, connection, {"secret_key": Secret(PLANTED)})
            await self.pool.execute(
                "INSERT INTO integrations (id, workspace_id, provider, status, account_id, livemode, wrapped_key,"
                " key_id, update_mode, connect_time, connected_by)"
                " VALUES ($1, $2, 'stripe', 'active', 'acct_1', false, $3, $4, 'live', now(), 'user:1')",
                *(connection, workspace, sealed.wrapped.blob, sealed.wrapped.key_id),
            )
            await self.pool.execute(SQL["put_credentials"], connection, list(sealed.fields), [*sealed.fields.values()])
            made.append((workspace, connection))
        return made

    async def ciphertexts(self) -> dict[object, bytes]:
        rows = await self.pool.fetch("SELECT integration_id, ciphertext FROM credentials")
        return {row["integration_id"]: row["ciphertext"] for row in rows}

    async def used(self) -> dict[str, int]:
        return {row["key_id"]: row["connections"] for row in await self.pool.fetch(SQL["keys_in_use"])}

    async def damage(self, connection: str) -> None:
        await self.pool.execute("UPDATE integrations SET wrapped_key = '\\x01' WHERE id = $1", connection)


@pytest.fixture
async def deployment(database: Database, tmp_path: Path) -> AsyncIterator[Deployment]:
    url = await database("integrations", migrated=True)
    pool = await open_pool(Secret(url), "tests", largest=4)
    file = tmp_path / "credential.keys"
    file.write_text(f"old={KEY}\n")
    file.chmod(0o640)
    await check_keyring(pool, parse_keyring(file.read_text()))
    yield Deployment(url, pool, file, {"DATABASE_URL": url, "CREDENTIAL_KEYS_FILE": str(file)})
    await pool.close()


async def test_added_key_is_held_but_seals_nothing_yet(deployment: Deployment) -> None:
    await deployment.connect()
    assert "The key 'new' was added" in await deployment.keys("add", "new")
    assert list(deployment.ring()) == ["old", "new"]
    assert deployment.file.stat().st_mode & 0o777 == 0o640, "the service must still be able to read it"
    listed = await deployment.keys("list")
    assert re.search(r"^old +current +1 ", listed, re.MULTILINE)
    assert re.search(r"^new +held +0 ", listed, re.MULTILINE)


async def test_rotating_wraps_every_data_key_under_the_newest(deployment: Deployment) -> None:
    made = await deployment.connect(30)
    before = await deployment.ciphertexts()
    await deployment.keys("add", "new")
    assert "30 connections were wrapped under 'new'" in await deployment.keys("rotate")
    assert await deployment.used() == {"new": 30}
    assert list(deployment.ring()) == ["new", "old"]
    assert await deployment.ciphertexts() == before
    vault = Vault(LocalKeyring({"new": deployment.ring()["new"]}))
    for row in await deployment.pool.fetch("SELECT * FROM integrations"):
        blob = before[row["id"]]
        wrapped = WrappedKey(row["key_id"], row["wrapped_key"])
        opened = await vault.open_field(str(row["workspace_id"]), str(row["id"]), wrapped, "secret_key", blob)
        assert opened == Secret(PLANTED)
        assert row["version"] == 1, "nothing has changed for whoever works with the connection"
    assert len(made) == 30


async def test_rotating_again_changes_nothing(deployment: Deployment) -> None:
    await deployment.connect(3)
    await deployment.keys("add", "new")
    await deployment.keys("rotate")
    assert "0 connections were wrapped under 'new'" in await deployment.keys("rotate")
    assert list(deployment.ring()) == ["new", "old"]


async def test_killed_rotation_is_resumed(deployment: Deployment) -> None:
    await deployment.connect(20)
    await deployment.keys("add", "new")
    async with deployment.pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("SELECT FROM integrations ORDER BY id DESC LIMIT 1 FOR UPDATE")
        process = await deployment.start("rotate")
        await eventually(lambda: list(deployment.ring()) == ["new", "old"])
        await eventually(
            lambda: deployment.pool.fetchval(
                "SELECT count(*) > 0 FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )
        process.kill()
        await process.wait()
        await deployment.pool.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'showbill-keys' AND datname = current_database()"
        )
    assert "20 connections were wrapped under 'new'" in await deployment.keys("rotate")
    assert await deployment.used() == {"new": 20}


async def test_retired_key_is_not_made_current_again(deployment: Deployment) -> None:
    """A file out of a backup may hold it still; with it in the first place no service would start."""
    await deployment.connect()
    await deployment.keys("add", "new")
    await deployment.keys("rotate")
    await deployment.keys("retire", "old")
    new = read_entries(deployment.file.read_text())["new"].reveal()
    deployment.file.write_text(f"new={new}\nold={KEY}\n")
    assert "The key 'old' was retired" in await deployment.keys("rotate", "old", fails=True)
    assert list(deployment.ring()) == ["new", "old"]
    await check_keyring(deployment.pool, deployment.ring())
    assert await deployment.used() == {"new": 1}


async def test_progress_is_told_batch_by_batch(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    await deployment.connect(5)
    ring = LocalKeyring({**deployment.ring(), **parse_keyring(f"new={base64.b64encode(b'n' * 32).decode()}")})
    await keys.wrap_all(deployment.pool, ring, "new", batch=2, say_every=0)
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == ["2 of 5 connections", "4 of 5 connections", "5 of 5 connections"]
    assert said[3].startswith("5 connections were wrapped under 'new' in ")


async def test_database_that_fails_meanwhile_is_said_and_rotation_goes_on(deployment: Deployment) -> None:
    await deployment.connect(3)
    await deployment.keys("add", "new")
    async with deployment.pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("SELECT FROM integrations FOR UPDATE")
        process = await deployment.start("rotate")
        await eventually(
            lambda: deployment.pool.fetchval(
                "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND application_name = 'showbill-keys' AND datname = current_database()"
            )
        )
        said = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert "The database of integrations failed meanwhile: " in said
    assert "Nothing is lost: give the command again, it goes on from there." in said
    assert "Traceback" not in said
    assert "3 connections were wrapped under 'new'" in await deployment.keys("rotate")


async def test_two_changes_at_once_are_refused(deployment: Deployment) -> None:
    async with alone(deployment.pool):
        assert "Another change of keys runs just now." in await deployment.keys("rotate", fails=True)
        assert "Another change of keys runs just now." in await deployment.keys("add", fails=True)


async def test_key_in_use_is_not_retired(deployment: Deployment) -> None:
    await deployment.connect(2)
    await deployment.keys("add", "new")
    await deployment.keys("rotate", "new")
    late = replace(deployment)
    await deployment.pool.execute(
        "UPDATE integrations SET key_id = 'old' WHERE id = (SELECT min(id::text)::uuid FROM integrations)"
    )
    refusal = await late.keys("retire", "old", fails=True)
    assert "The key 'old' still protects 1 connection, so it stays." in refusal
    assert "old" in deployment.ring()


async def test_current_key_is_not_retired(deployment: Deployment) -> None:
    assert "'old' is the current one" in await deployment.keys("retire", "old", fails=True)


async def test_unused_key_is_retired_for_good(deployment: Deployment) -> None:
    await deployment.connect(2)
    await deployment.keys("add", "new")
    await deployment.keys("rotate")
    assert "is retired and no longer in" in await deployment.keys("retire", "old")
    assert list(deployment.ring()) == ["new"]
    assert re.search(r"^old +retired +0 ", await deployment.keys("list"), re.MULTILINE)
    await check_keyring(deployment.pool, deployment.ring())
    assert "is retired" in await deployment.keys("retire", "old")
    assert "Ids are used once" in await deployment.keys("add", "old", fails=True)


async def test_rotation_waits_for_every_running_service(deployment: Deployment) -> None:
    """One that does not hold the new key would find credentials that it cannot open."""
    await deployment.connect(2)
    await deployment.keys("add", "new")
    await Holding(deployment.pool, parse_keyring(f"old={KEY}")).say()
    refusal = await replace(deployment, command=BY_HAND).keys("rotate", "--wait", "0.5", fails=True)
    assert "1 running integrations service does not hold the key 'new' yet. Nothing is lost." in refusal
    assert await deployment.used() == {"old": 2}
    assert list(deployment.ring()) == ["old", "new"]


async def test_running_service_learns_of_a_new_key_by_itself(deployment: Deployment) -> None:
    async def check(keyring: object) -> None:
        assert isinstance(keyring, LocalKeyring)
        await check_keyring(deployment.pool, keyring)

    keyring = FileKeyring(deployment.file, check)
    await keyring.load()
    holding = Holding(deployment.pool, keyring)
    await holding.say()
    running = asyncio.create_task(holding.run())
    try:
        await deployment.connect(2)
        assert "The one running integrations service holds the new key." in await deployment.keys("add", "new")
        said = await deployment.keys("rotate")
        assert "The one running integrations service seals with the key 'new'." in said
        assert list(keyring.ids) == ["new", "old"]
        await deployment.keys("retire", "old")
        await eventually(lambda: list(keyring.ids) == ["new"])
    finally:
        running.cancel()
        await holding.stop()


async def test_connection_that_does_not_open_stops_no_other(deployment: Deployment) -> None:
    (_, bad), *_ = await deployment.connect(5)
    await deployment.damage(bad)
    await deployment.keys("add", "new")
    refusal = await deployment.keys("rotate", fails=True)
    assert "4 connections were wrapped under 'new'" in refusal
    assert "1 connection does not open with the key named there" in refusal
    assert await deployment.used() == {"new": 4, "old": 1}


async def test_lost_key_gives_up_only_what_does_not_open(deployment: Deployment) -> None:
    (_, bad), *_ = await deployment.connect(3)
    await deployment.damage(bad)
    deployment.file.write_text(f"new={base64.b64encode(b'n' * 32).decode()}\nold={KEY}\n")
    assert "1 connection was given up." in await deployment.keys("retire", "old", "--lost", fails=True)
    assert await deployment.used() == {"old": 2}
    row = await deployment.pool.fetchrow("SELECT * FROM integrations WHERE id = $1", bad)
    assert row is not None
    assert (row["status"], row["wrapped_key"]) == ("needs_reconnect", None)
    assert row["status_reason"].endswith("Connect again with the keys from the provider.")
    assert await deployment.pool.fetchval("SELECT count(*) FROM credentials WHERE integration_id = $1", bad) == 0
    assert await deployment.pool.fetchval("SELECT action FROM audit WHERE integration_id = $1", bad) == "lose"
    assert await deployment.pool.fetchval("SELECT count(*) FROM outbox") == 1


@pytest.mark.parametrize("here", [f"old={base64.b64encode(b'w' * 32).decode()}\n", ""], ids=["another key", "no key"])
async def test_key_that_a_running_service_holds_is_not_lost(deployment: Deployment, here: str) -> None:
    """Whoever gives the command has a wrong, or an older, file: nothing may be destroyed for that."""
    await deployment.connect(2)
    fresh = f"fresh={base64.b64encode(b'f' * 32).decode()}\n"
    await Holding(deployment.pool, parse_keyring(f"{fresh}old={KEY}")).say()
    deployment.file.write_text(fresh + here)
    said = await deployment.keys("retire", "old", "--lost", fails=True)
    assert ("is not the one of that name" if here else "1 running integrations service holds it") in said
    assert await deployment.used() == {"old": 2}
    assert len(await deployment.ciphertexts()) == 2


async def test_wrong_key_of_the_lost_ones_name_gives_nothing_up(deployment: Deployment) -> None:
    await deployment.connect(2)
    wrong, fresh = (base64.b64encode(letter * 32).decode() for letter in (b"w", b"f"))
    deployment.file.write_text(f"fresh={fresh}\nold={wrong}\n")
    said = await deployment.keys("retire", "old", "--lost", fails=True)
    assert f"The key 'old' in {deployment.file} is not the one of that name" in said
    assert await deployment.used() == {"old": 2}


async def test_installation_with_a_lost_key_starts_again(deployment: Deployment) -> None:
    await deployment.connect(2)
    deployment.file.write_text(f"fresh={base64.b64encode(b'f' * 32).decode()}\n")
    assert "'old' is not among the keys here" in await deployment.keys("rotate", fails=True)
    assert re.search(r"^old +MISSING +2 ", await deployment.keys("list"), re.MULTILINE)
    assert "2 connections were given up." in await deployment.keys("retire", "old", "--lost")
    await check_keyring(deployment.pool, deployment.ring())


async def test_wrong_key_of_the_same_id_stops_the_command(deployment: Deployment) -> None:
    deployment.file.write_text(f"old={base64.b64encode(b'w' * 32).decode()}\n")
    assert "The key 'old' here is not the one" in await deployment.keys("rotate", fails=True)
    assert "The key 'old' here is not the one" in await deployment.keys("add", fails=True)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CREDENTIAL_KEYS_FILE": ""}, "Set one of CREDENTIAL_KEYS_FILE and CREDENTIAL_KEYS"),
        ({"CREDENTIAL_KEYS_FILE": "missing.keys"}, "cannot be read: No such file or directory."),
        ({"DATABASE_URL": "postgres://nobody:pa55word@127.0.0.1:9/x"}, "cannot be reached"),
        ({"DATABASE_URL": "postgres://u:pa55word/x@h/x"}, "DATABASE_URL is not usable: it must be postgres://user:"),
        ({"DATABASE_URL": "postgres://u:pa55word@h/x?sslmode=pa55word"}, "DATABASE_URL is not usable: its sslmode"),
        ({"DATABASE_URL": ""}, "Name the folder of a running Showbill with --state"),
    ],
)
async def test_what_is_missing_is_said(deployment: Deployment, environment: dict[str, str], words: str) -> None:
    elsewhere = replace(deployment, command=BY_HAND, environment=deployment.environment | environment)
    said = await elsewhere.keys("list", fails=True)
    assert words in said
    assert "pa55word" not in said


async def test_keys_of_the_environment_are_rotated_by_their_order(deployment: Deployment) -> None:
    await deployment.connect(2)
    new = base64.b64encode(b"n" * 32).decode()
    by_hand = {"CREDENTIAL_KEYS_FILE": "", "CREDENTIAL_KEYS": f"new={new},old={KEY}"}
    elsewhere = replace(deployment, environment=deployment.environment | by_hand)
    assert "which no command can change" in await elsewhere.keys("add", fails=True)
    assert "2 connections were wrapped under 'new'" in await elsewhere.keys("rotate")
    assert "Take it out of CREDENTIAL_KEYS at the next start." in await elsewhere.keys("retire", "old")


async def test_no_command_says_a_key(deployment: Deployment) -> None:
    await deployment.connect(2)
    by_hand = replace(deployment, command=BY_HAND)
    said = "".join([await by_hand.keys(*words) for words in (["add", "n"], ["rotate"], ["list"], ["retire", "old"])])
    for secret in (*(entry.reveal() for entry in read_entries(deployment.file.read_text()).values()), KEY, PLANTED):
        assert secret not in said


async def test_keys_of_a_running_stack_are_changed(tmp_path: Path) -> None:
    """`up`, a connection, a new key, rotation, retirement: the service goes on, also after a restart."""
    state = tmp_path / "state"

    async def keys(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "services.cli", "keys", *arguments, "--state", str(state)),
            stdout=PIPE,
            stderr=STDOUT,
        )
        said = (await process.communicate())[0].decode()
        assert process.returncode == 0, said
        return said

    async with running_up(state) as up:
        values = up.demo_file()
        async with Rest(up.url("gateway"), values["SHOWBILL_API_TOKEN"]) as rest:
            pair = {"secretKey": values["STRIPE_SECRET_KEY"], "publishableKey": values["STRIPE_PUBLISHABLE_KEY"]}
            await rest.call("POST", "/api/integrations/stripe/connect", pair)
            (old,) = read_entries((state / "credential.keys").read_text())
            assert "The one running integrations service holds the new key." in await keys("add", "second")
            assert "1 connection was wrapped under 'second'" in await keys("rotate")
            await keys("retire", old)
            assert (await rest.call("GET", "/api/integrations/stripe/test"))["healthy"]
    async with running_up(state) as up, Rest(up.url("gateway"), values["SHOWBILL_API_TOKEN"]) as rest:
        assert (await rest.call("GET", "/api/integrations/stripe/test"))["healthy"]
        assert list(read_entries((state / "credential.keys").read_text())) == ["second"]
