"""A credential that cannot be read: a state and a sentence, for that one connection, and never a 500."""

import base64
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.common.db import Connection
from services.common.errors import Kind
from services.common.ids import new_id
from services.common.status import RemoteError
from services.integrations.keyring import LocalKeyring, WrappedKey, parse_keyring
from services.integrations.opening import KEYS_UNREADABLE
from services.integrations.vault import context
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.stack import Stack
from tests.integrations.conftest import MakeShop
from tests.integrations.shop import Shop

OF = "WHERE integration_id = (SELECT id FROM integrations WHERE workspace_id = $1)"
WAYS = {
    "tampered ciphertext": f"UPDATE credentials SET ciphertext = set_byte(ciphertext, 20, 0) {OF}",
    "cut ciphertext": f"UPDATE credentials SET ciphertext = ''::bytea {OF}",
    "missing wrapped key": "UPDATE integrations SET wrapped_key = NULL, key_id = NULL WHERE workspace_id = $1",
    "empty wrapped key": "UPDATE integrations SET wrapped_key = ''::bytea WHERE workspace_id = $1",
    "key that is not here": "UPDATE integrations SET key_id = 'elsewhere' WHERE workspace_id = $1",
    "all fields missing": f"DELETE FROM credentials {OF}",
    "one field missing": f"DELETE FROM credentials {OF} AND field = 'secret_key'",
    "fields exchanged": f"UPDATE credentials SET field = CASE field WHEN 'secret_key' THEN 'publishable_key'"
    f" WHEN 'publishable_key' THEN 'secret_key' ELSE field END {OF}",
}


@pytest.fixture
async def rows(stack: Stack) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(stack.databases["integrations"])
    yield connection
    await connection.close()


async def damage(rows: Connection, shop: Shop, way: str) -> None:
    if way == "fields exchanged":
        await rows.execute("ALTER TABLE credentials DROP CONSTRAINT credentials_pkey")
    await rows.execute(WAYS[way], shop.who.workspace_id)
    if way == "fields exchanged":
        await rows.execute("ALTER TABLE credentials ADD PRIMARY KEY (integration_id, field)")


@pytest.mark.parametrize("way", WAYS)
async def test_unreadable_credentials_need_reconnecting(
    connected: Shop, make_shop: MakeShop, rows: Connection, way: str
) -> None:
    other = await make_shop()
    await other.connect()
    await damage(rows, connected, way)
    with pytest.raises(RemoteError) as refused:
        await connected.create(connected.order())
    assert (refused.value.kind, refused.value.reason) == (Kind.FAILED_PRECONDITION, "CREDENTIALS_REJECTED")
    assert refused.value.message == KEYS_UNREADABLE
    found = (await connected.caller.get(connected.who)).integration
    assert (found.status, found.status_reason) == (pb.INTEGRATION_STATUS_NEEDS_RECONNECT, KEYS_UNREADABLE)
    assert (await connected.caller.listed(connected.who))["stripe"].integration.status == found.status
    assert (await other.create(other.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN
    assert (await other.caller.get(other.who)).integration.status == pb.INTEGRATION_STATUS_ACTIVE


@pytest.mark.parametrize("way", WAYS)
async def test_every_verb_survives_unreadable_credentials(connected: Shop, rows: Connection, way: str) -> None:
    await damage(rows, connected, way)
    health = await connected.caller.test(connected.who)
    assert (health.healthy, health.reason) == (False, KEYS_UNREADABLE)
    again = await connected.connect()
    assert again.integration.status == pb.INTEGRATION_STATUS_ACTIVE
    assert (await connected.create(connected.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN
    await damage(rows, connected, way)
    done = await connected.caller.disconnect(connected.who)
    assert done.integration.status == pb.INTEGRATION_STATUS_INACTIVE
    assert done.orphaned_endpoint_id in done.warning


@pytest.mark.parametrize("way", ["tampered ciphertext", "missing wrapped key", "key that is not here"])
async def test_webhook_of_an_unreadable_connection_is_asked_for_again(
    connected: Shop, make_shop: MakeShop, rows: Connection, way: str
) -> None:
    other = await make_shop()
    theirs = (await other.connect()).integration.id
    ours = (await connected.caller.get(connected.who)).integration.id
    secrets = await connected.webhook_secret(ours), await other.webhook_secret(theirs)
    await damage(rows, connected, way)
    verdicts = await connected.caller.verify(
        connected.delivery(ours, secrets[0]), other.delivery(theirs, secrets[1]), connected.delivery(ours, "whsec_x")
    )
    assert [one.outcome for one in verdicts] == [
        pb.WEBHOOK_OUTCOME_TRY_AGAIN,
        pb.WEBHOOK_OUTCOME_VERIFIED,
        pb.WEBHOOK_OUTCOME_TRY_AGAIN,
    ]
    assert verdicts[0].reason.endswith(".")
    found = (await connected.caller.get(connected.who)).integration
    assert (found.status, found.status_reason) == (pb.INTEGRATION_STATUS_NEEDS_RECONNECT, KEYS_UNREADABLE)


async def test_data_key_wrapped_anew_is_not_unreadable(connected: Shop, rows: Connection, stack: Stack) -> None:
    """Another key of the ring has it now: nothing is wrong with the connection."""
    ring = parse_keyring(f"test-1={stack.credential_key}")
    row = await rows.fetchrow("SELECT * FROM integrations WHERE workspace_id = $1", connected.who.workspace_id)
    assert row is not None
    bound_to = context(str(row["workspace_id"]), str(row["id"]))
    inside = await ring.unwrap(WrappedKey("test-1", row["wrapped_key"]), bound_to)
    fresh = await ring.wrap(inside, bound_to)
    assert fresh.blob != row["wrapped_key"]
    await rows.execute("UPDATE integrations SET wrapped_key = $2 WHERE id = $1", row["id"], fresh.blob)
    assert (await connected.create(connected.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_foreign_key_of_the_same_id_reads_nothing(connected: Shop, rows: Connection) -> None:
    """A data key that was wrapped under another key of the same name."""
    foreign: LocalKeyring = parse_keyring(f"test-1={base64.b64encode(b'f' * 32).decode()}")
    row = await rows.fetchrow("SELECT * FROM integrations WHERE workspace_id = $1", connected.who.workspace_id)
    assert row is not None
    wrapped = await foreign.wrap(new_id().encode()[:32], context(str(row["workspace_id"]), str(row["id"])))
    await rows.execute("UPDATE integrations SET wrapped_key = $2 WHERE id = $1", row["id"], wrapped.blob)
    health = await connected.caller.test(connected.who)
    assert health.reason == KEYS_UNREADABLE
