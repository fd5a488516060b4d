"""Starting with a wrong or a missing key: refused, by the key's id, and never by the key."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.child import ChildFailed
from services.cli.embedded.nats import Nats
from services.common.db import Pool, open_pool
from services.common.ids import new_id
from services.common.secret import Secret
from services.integrations.canary import UnusableKeyring, check_keyring
from services.integrations.keyfile import FileKeyring, UnusableKeyFile
from services.integrations.keyring import KeyMissing, Keyring, LocalKeyring, WrappedKey, parse_keyring
from services.integrations.vault import Vault
from tests.conftest import Database
from tests.e2e.stack import Stack, running_stack


def key(letter: str) -> str:
    return base64.b64encode(letter.encode() * 32).decode()


def ring(*entries: str) -> LocalKeyring:
    """`a` is the key of that letter under that id, `a:b` the key b under the id a."""
    pairs = [(entry.split(":")[0], entry.split(":")[-1]) for entry in entries]
    return parse_keyring(",".join(f"{key_id}={key(letter)}" for key_id, letter in pairs))


@pytest.fixture
async def url(database: Database) -> str:
    return await database("integrations", migrated=True)


@pytest.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(Secret(url), "tests", largest=3)
    yield pool
    await pool.close()


async def seal_one(pool: Pool, keyring: LocalKeyring) -> None:
    """A connection from before there were canaries."""
    workspace, connection = new_id(), new_id()
    sealed = await Vault(keyring).seal(workspace, connection, {"secret_key": Secret("x")})
    await pool.execute(
        "INSERT INTO integrations (id, workspace_id, provider, status, account_id, livemode, wrapped_key, key_id,"
        " update_mode, connect_time, connected_by)"
        " VALUES ($1, $2, 'stripe', 'active', 'acct_1', false, $3, $4, 'live', now(), 'user:1')",
        *(connection, workspace, sealed.wrapped.blob, sealed.wrapped.key_id),
    )


async def test_same_keys_pass_again_and_new_ones_join(pool: Pool) -> None:
    await check_keyring(pool, ring("a"))
    await check_keyring(pool, ring("a"))
    await check_keyring(pool, ring("b", "a"))
    await check_keyring(pool, ring("a", "b"))


@pytest.mark.parametrize(
    ("keyring", "words"),
    [
        (ring("b"), "The key 'a' is not among the keys here"),
        (ring("a:x"), "The key 'a' here is not the one"),
        (ring("b", "a:x"), "The key 'a' here is not the one"),
        (LocalKeyring(), "There is no key here"),
    ],
)
async def test_wrong_and_missing_keys_are_named(pool: Pool, keyring: LocalKeyring, words: str) -> None:
    await check_keyring(pool, ring("a"))
    with pytest.raises(UnusableKeyring, match=words):
        await check_keyring(pool, keyring)


@pytest.mark.parametrize(
    ("keyring", "words"), [(ring("b"), "The key 'a' is not among the keys here"), (ring("a:x"), "'a' .* is not the")]
)
async def test_database_from_before_canaries_is_checked_by_connections(
    pool: Pool, keyring: LocalKeyring, words: str
) -> None:
    await seal_one(pool, ring("a"))
    with pytest.raises(UnusableKeyring, match=words):
        await check_keyring(pool, keyring)
    await check_keyring(pool, ring("a"))


async def test_one_damaged_connection_does_not_keep_the_service_down(pool: Pool) -> None:
    await seal_one(pool, ring("a"))
    await seal_one(pool, ring("a"))
    await pool.execute(
        "UPDATE integrations SET wrapped_key = '\\x01' WHERE id = (SELECT min(id::text)::uuid FROM integrations)"
    )
    await check_keyring(pool, ring("a"))


async def test_connection_with_an_invented_key_id_keeps_nobody_down(pool: Pool) -> None:
    await check_keyring(pool, ring("a"))
    await seal_one(pool, ring("a"))
    await pool.execute("UPDATE integrations SET key_id = 'invented'")
    await check_keyring(pool, ring("a"))


async def test_retired_key_is_not_needed_but_must_not_seal(pool: Pool) -> None:
    await check_keyring(pool, ring("b", "a"))
    await pool.execute("UPDATE credential_keys SET retire_time = now() WHERE key_id = 'a'")
    await check_keyring(pool, ring("b"))
    await check_keyring(pool, ring("b", "a"))
    with pytest.raises(UnusableKeyring, match="'a' was retired"):
        await check_keyring(pool, ring("a", "b"))


async def test_loser_of_a_race_for_an_id_finds_out(pool: Pool) -> None:
    """Two installations with different keys of one name on one database: one of them stays out."""
    await check_keyring(pool, ring("a"))
    await check_keyring(pool, ring("a", "n"))
    with pytest.raises(UnusableKeyring, match="'n'"):
        await check_keyring(pool, ring("a", "n:x"))


def put(file: Path, text: str) -> None:
    file.write_text(text)


async def check(_: Keyring) -> None:
    """Everything is fine."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "credential.keys"
    path.write_text(f"# of November\na={key('a')}\n")
    return path


async def test_changed_file_is_read_when_a_key_is_asked_for(file: Path) -> None:
    keyring = FileKeyring(file, check)
    await keyring.load()
    wrapped = await ring("b").wrap(b"data", b"here")
    with pytest.raises(KeyMissing):
        await keyring.unwrap(wrapped, b"here")
    put(file, f"a={key('a')}\nb={key('b')}\n")
    assert await keyring.unwrap(wrapped, b"here") == b"data"
    assert keyring.ids == ("a", "b")


@pytest.mark.parametrize("content", ["", "a=short\n", "\x00", "a"])
async def test_damaged_file_leaves_the_last_keys_in_force(file: Path, content: str) -> None:
    keyring = FileKeyring(file, check)
    await keyring.load()
    put(file, content)
    assert not await keyring.refresh()
    assert (await keyring.wrap(b"data", b"here")).key_id == "a"


async def test_file_with_a_wrong_key_is_not_taken(file: Path, pool: Pool) -> None:
    async def against_the_canaries(keyring: Keyring) -> None:
        await check_keyring(pool, keyring)

    keyring = FileKeyring(file, against_the_canaries)
    await keyring.load()
    put(file, f"a={key('x')}\n")
    assert not await keyring.refresh()
    wrapped = await keyring.wrap(b"data", b"here")
    assert await ring("a").unwrap(WrappedKey("a", wrapped.blob), b"here") == b"data"


async def test_unusable_file_is_named_without_its_content(file: Path) -> None:
    await asyncio.to_thread(file.write_bytes, b"\xff\xfe" + key("a").encode())
    with pytest.raises(UnusableKeyFile) as refused:
        await FileKeyring(file, check).load()
    assert str(file) in str(refused.value)
    assert key("a") not in str(refused.value)
    with pytest.raises(UnusableKeyFile, match="No such file"):
        await FileKeyring(file.with_name("none"), check).load()


async def test_service_refuses_to_start_and_names_the_id(url: str, nats: Nats, tmp_path: Path) -> None:
    stack = Stack(tmp_path, {"integrations": url}, nats.url)
    async with running_stack(stack, "integrations"):
        pass
    right, stack.credential_key = stack.credential_key, key("w")
    with pytest.raises(ChildFailed, match="The key 'test-1' here is not the one"):
        await stack.start("integrations")
    stack.settings = {"integrations": {"CREDENTIAL_KEYS": f"other={key('o')}"}}
    with pytest.raises(ChildFailed, match="'test-1' is not among the keys here"):
        await stack.start("integrations")
    file = tmp_path / "credential.keys"
    put(file, f"test-1={right}\n")
    stack.settings = {"integrations": {"CREDENTIAL_KEYS_FILE": str(file)}}
    with pytest.raises(ChildFailed, match="Set one of CREDENTIAL_KEYS and CREDENTIAL_KEYS_FILE"):
        await stack.start("integrations")
    stack.settings = {"integrations": {"CREDENTIAL_KEYS_FILE": str(file), "CREDENTIAL_KEYS": ""}}
    async with running_stack(stack, "integrations"):
        pass
    said = stack.logs()
    assert "Traceback" not in said
    for secret in (right, key("w"), key("o")):
        assert secret not in said
