"""New keys in place: the same account and mode, nothing disturbed, no news lost or told twice."""

import asyncio
import time

import asyncpg
import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.integrations.connection_values import EARLIER_WEBHOOK_SECRETS
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.stack import Stack
from tests.integrations.conftest import MakeShop
from tests.integrations.shop import Shop
from tests.integrations.test_connecting import NEEDED

ALL = [*NEEDED, "rak_webhook_write", "rak_accounts_kyc_basic_read"]


async def test_new_keys_keep_connection_invoices_and_endpoint(connected: Shop) -> None:
    before, endpoint = await connected.connection(), await connected.endpoint()
    made = await connected.create(connected.order())
    key = await connected.restricted_key(ALL)
    done = await connected.replace(key)
    assert (done.integration.id, done.integration.key_hint) == (before.id, key[-4:])
    assert (done.integration.connect_time, done.integration.connected_by) == (before.connect_time, before.connected_by)
    assert done.warnings == []
    assert {one.name: one.granted for one in done.permissions} == dict.fromkeys(
        [
            "Balance: Read",
            "Customers: Write",
            "Invoices: Write",
            "Events: Read",
            "Webhook Endpoints: Write",
            "Accounts: Read",
        ],
        True,
    )
    assert await connected.endpoint() == endpoint
    read = await connected.caller.read(connected.who, connected.account.id, made.external_id)
    assert read.status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_keys_of_another_account_are_refused(connected: Shop, make_shop: MakeShop) -> None:
    before, endpoint, other = await connected.connection(), await connected.endpoint(), await make_shop()
    with pytest.raises(RemoteError) as refused:
        await connected.replace(other.account.sk_test, other.account.pk_test)
    assert (refused.value.kind, refused.value.reason) == (Kind.FAILED_PRECONDITION, "ACCOUNT_CHANGED")
    assert "Connect them as a new connection instead" in refused.value.message
    assert (await connected.connection(), await connected.endpoint()) == (before, endpoint)
    assert await other.endpoints() == []


async def test_keys_of_the_other_mode_are_refused(connected: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await connected.replace(connected.account.sk_live, connected.account.pk_live)
    assert refused.value.reason == "ACCOUNT_CHANGED"
    assert await connected.endpoints(livemode=True) == []


@pytest.mark.parametrize("key", ["sk_test_" + "x" * 30, "sk_test_short"])
async def test_keys_that_do_not_pass_leave_the_old_ones(connected: Shop, key: str) -> None:
    before = await connected.connection()
    with pytest.raises(RemoteError):
        await connected.replace(key)
    assert await connected.connection() == before
    assert (await connected.create(connected.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_nothing_connected_has_no_keys_to_replace(shop: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.replace()
    assert refused.value.reason == "NOT_CONNECTED"


async def test_new_keys_heal_a_revoked_one(connected: Shop) -> None:
    key = await connected.restricted_key(ALL)
    await connected.sandbox.revoke(connected.account.sk_test)
    await connected.caller.test(connected.who)
    done = await connected.replace(key)
    assert (done.integration.status, done.integration.status_reason) == (pb.INTEGRATION_STATUS_ACTIVE, "")


async def test_keys_are_replaced_though_the_old_ones_are_rejected_at_the_same_moment(connected: Shop) -> None:
    key = await connected.restricted_key(ALL)
    held = await connected.fault("balance.retrieve", "hold")
    replacing = asyncio.create_task(connected.replace(key))
    await connected.sandbox.held(held)
    await connected.sandbox.revoke(connected.account.sk_test)
    with pytest.raises(RemoteError):
        await connected.create(connected.order())
    assert (await connected.connection()).status == pb.INTEGRATION_STATUS_NEEDS_RECONNECT
    await connected.sandbox.release(held)
    assert (await replacing).integration.status == pb.INTEGRATION_STATUS_ACTIVE
    assert (await connected.create(connected.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_endpoint_at_an_earlier_address_is_not_forgotten(connected: Shop, stack: Stack) -> None:
    """The installation moved, and the new keys may not make an endpoint there."""
    endpoint, integration_id = await connected.endpoint(), (await connected.connection()).id
    secret = await connected.webhook_secret(integration_id)
    rows = await asyncpg.connect(stack.databases["integrations"])
    moved = "UPDATE integrations SET webhook_url = 'https://earlier.example' || id WHERE id = $1"
    assert await rows.execute(moved, integration_id) == "UPDATE 1"
    await rows.close()
    await connected.stripe("POST", f"/v1/webhook_endpoints/{endpoint['id']}", {"url": "https://earlier.example/hook"})
    await connected.fault("webhook_endpoints.create", "error", status=403)
    done = await connected.replace()
    assert done.integration.update_mode == pb.UPDATE_MODE_POLLING
    assert await outcomes(connected, secret) == [pb.WEBHOOK_OUTCOME_VERIFIED]
    await connected.caller.disconnect(connected.who)
    assert await connected.endpoints() == []


async def replace_endpoint(shop: Shop) -> tuple[str, str]:
    """Makes the endpoint unfit and has it replaced; answers its secret and that of the new one."""
    integration_id = (await shop.connection()).id
    old, endpoint = await shop.webhook_secret(integration_id), await shop.endpoint()
    await shop.stripe("POST", f"/v1/webhook_endpoints/{endpoint['id']}", {"disabled": "true"})
    await shop.replace()
    new = await shop.webhook_secret(integration_id)
    assert new != old
    assert (await shop.endpoint())["id"] != endpoint["id"], "the old one is deleted, only the new one stands"
    return old, new


async def outcomes(shop: Shop, *secrets: str) -> list[pb.WebhookOutcome.ValueType]:
    integration_id = (await shop.connection()).id
    return [one.outcome for one in await shop.caller.verify(*(shop.delivery(integration_id, one) for one in secrets))]


async def test_both_secrets_hold_while_an_endpoint_is_replaced(connected: Shop) -> None:
    found = await connected.connection()
    old, new = await replace_endpoint(connected)
    verdicts = await connected.caller.verify(*(connected.delivery(found.id, secret) for secret in (old, new)))
    assert [one.outcome for one in verdicts] == [pb.WEBHOOK_OUTCOME_VERIFIED] * 2
    assert len({one.event.event_id for one in verdicts}) == 1, "by its id the second is known as the same event"

    await connected.replace()
    assert await outcomes(connected, old, new) == [pb.WEBHOOK_OUTCOME_VERIFIED] * 2, "new keys cut nothing short"


async def test_endpoint_replaced_within_the_overlap_cuts_nothing_short(connected: Shop) -> None:
    first, second = await replace_endpoint(connected)
    _, third = await replace_endpoint(connected)
    assert await outcomes(connected, first, second, third) == [pb.WEBHOOK_OUTCOME_VERIFIED] * 3


async def test_secret_of_a_replaced_endpoint_ends_with_its_overlap(connected: Shop, stack: Stack) -> None:
    old, new = await replace_endpoint(connected)
    integration_id = (await connected.connection()).id
    await connected.put_field(integration_id, EARLIER_WEBHOOK_SECRETS, f"{time.time() - 1:.0f} {old}")
    assert await outcomes(connected, old, new) == [pb.WEBHOOK_OUTCOME_BAD_SIGNATURE, pb.WEBHOOK_OUTCOME_VERIFIED]

    await connected.replace()
    rows = await asyncpg.connect(stack.databases["integrations"])
    fields = await rows.fetch("SELECT field FROM credentials WHERE integration_id = $1", integration_id)
    assert {row["field"] for row in fields} == {"secret_key", "publishable_key", "webhook_secret"}
    await rows.close()
