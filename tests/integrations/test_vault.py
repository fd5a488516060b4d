"""Envelope encryption: opens with the right key in the right place, and nowhere else."""

import base64
import os

import pytest

from services.common.secret import Secret
from services.integrations.keyring import LocalKeyring, UnreadableCredential, WrappedKey, parse_keyring
from services.integrations.vault import Sealed, Vault

WORKSPACE, INTEGRATION = "workspace-1", "integration-1"
CREDENTIALS = {"secret_key": Secret("sk_test_" + "a" * 24), "webhook_secret": Secret("whsec_" + "b" * 24)}


def keyring(*ids: str) -> LocalKeyring:
    return parse_keyring(",".join(f"{one}={base64.b64encode(os.urandom(32)).decode()}" for one in ids))


@pytest.fixture
def vault() -> Vault:
    return Vault(keyring("2026-11"))


async def test_sealed_credentials_open_again(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    assert await vault.open(WORKSPACE, INTEGRATION, sealed) == CREDENTIALS


async def test_connection_without_credentials_opens_empty(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, {})
    assert await vault.open(WORKSPACE, INTEGRATION, sealed) == {}


async def test_nothing_sealed_holds_the_clear_text(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    for blob in (*sealed.fields.values(), sealed.wrapped.blob):
        assert blob[0] == 1, "the version comes first"
        for secret in CREDENTIALS.values():
            assert secret.reveal().encode() not in blob
    assert "sk_test" not in repr(sealed)


async def test_same_credentials_are_never_sealed_the_same(vault: Vault) -> None:
    first, second = [await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS) for _ in range(2)]
    assert first.wrapped.blob != second.wrapped.blob
    nonces = {blob[1:13] for sealed in (first, second) for blob in (*sealed.fields.values(), sealed.wrapped.blob)}
    assert len(nonces) == 6


@pytest.mark.parametrize(("workspace", "integration"), [("workspace-2", INTEGRATION), (WORKSPACE, "integration-2")])
async def test_sealed_for_one_place_does_not_open_elsewhere(vault: Vault, workspace: str, integration: str) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    with pytest.raises(UnreadableCredential):
        await vault.open(workspace, integration, sealed)


async def test_ciphertext_moved_to_another_field_does_not_open(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    moved = Sealed(sealed.wrapped, {**sealed.fields, "secret_key": sealed.fields["webhook_secret"]})
    with pytest.raises(UnreadableCredential):
        await vault.open(WORKSPACE, INTEGRATION, moved)


async def test_field_of_another_connection_does_not_open(vault: Vault) -> None:
    ours = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    theirs = await vault.seal(WORKSPACE, "integration-2", CREDENTIALS)
    with pytest.raises(UnreadableCredential):
        await vault.open(WORKSPACE, INTEGRATION, Sealed(ours.wrapped, theirs.fields))


@pytest.mark.parametrize("damage", [b"", b"\x01", b"\x02" + b"x" * 40, b"\x01" + b"x" * 40])
async def test_damaged_ciphertext_is_unreadable(vault: Vault, damage: bytes) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    with pytest.raises(UnreadableCredential):
        await vault.open(WORKSPACE, INTEGRATION, Sealed(sealed.wrapped, {**sealed.fields, "secret_key": damage}))


async def test_field_taken_out_of_the_table_is_noticed(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    left = {"secret_key": sealed.fields["secret_key"]}
    with pytest.raises(UnreadableCredential, match="'webhook_secret' is missing"):
        await vault.open(WORKSPACE, INTEGRATION, Sealed(sealed.wrapped, left))


async def test_one_field_opens_without_the_others(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    blob = sealed.fields["webhook_secret"]
    opened = await vault.open_field(WORKSPACE, INTEGRATION, sealed.wrapped, "webhook_secret", blob)
    assert opened == CREDENTIALS["webhook_secret"]


async def test_missing_key_is_named(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    with pytest.raises(UnreadableCredential, match="'2026-11' is not among the keys here"):
        await Vault(keyring("2026-12")).open(WORKSPACE, INTEGRATION, sealed)


async def test_wrong_key_under_the_same_id_is_named(vault: Vault) -> None:
    sealed = await vault.seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    with pytest.raises(UnreadableCredential, match="'2026-11' here is not the one"):
        await Vault(keyring("2026-11")).open(WORKSPACE, INTEGRATION, sealed)


async def test_relabelled_key_id_does_not_open() -> None:
    keys = keyring("a", "b")
    keys["b"] = keys["a"]
    sealed = await Vault(keys).seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    with pytest.raises(UnreadableCredential):
        await Vault(keys).open(WORKSPACE, INTEGRATION, Sealed(WrappedKey("b", sealed.wrapped.blob), sealed.fields))


async def test_first_key_seals_and_older_ones_still_open() -> None:
    keys = keyring("old")
    sealed = await Vault(keys).seal(WORKSPACE, INTEGRATION, CREDENTIALS)
    both = LocalKeyring({**keyring("new"), **keys})
    assert (await Vault(both).seal(WORKSPACE, INTEGRATION, CREDENTIALS)).wrapped.key_id == "new"
    assert await Vault(both).open(WORKSPACE, INTEGRATION, sealed) == CREDENTIALS


@pytest.mark.parametrize("text", ["", "id", "id=", "id=c2hvcnQ=", "=" + "A" * 44, "id=***", "a=b,"])
def test_unusable_keyring_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(ValueError, match="is not id=base64 of 32 bytes") as refused:
        parse_keyring(text)
    assert "c2hvcnQ" not in str(refused.value)


def test_key_id_given_twice_is_refused() -> None:
    key = base64.b64encode(os.urandom(32)).decode()
    with pytest.raises(ValueError, match="'a' is there twice"):
        parse_keyring(f"a={key},a={key}")
