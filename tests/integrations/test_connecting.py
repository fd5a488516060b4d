"""Connecting with the operator's own keys, testing, disconnecting: what is checked, what is stored, what is left."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.common.context import Identity
from services.common.db import Connection
from services.common.errors import Kind
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.stack import Stack
from tests.integrations.conftest import MakeShop
from tests.integrations.shop import Shop

NEEDED = ["rak_balance_read", "rak_customer_write", "rak_invoice_write", "rak_event_read"]


@pytest.fixture
async def rows(stack: Stack) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(stack.databases["integrations"])
    yield connection
    await connection.close()


async def count(rows: Connection, shop: Shop) -> tuple[int, int]:
    """How many connections and credentials are stored for the workspace."""
    found = await rows.fetchrow(
        "SELECT count(DISTINCT i.id), count(c.field) FROM integrations i"
        " LEFT JOIN credentials c ON c.integration_id = i.id WHERE i.workspace_id = $1",
        shop.who.workspace_id,
    )
    assert found is not None
    return found[0], found[1]


async def test_connected_account_is_described(shop: Shop, rows: Connection) -> None:
    connected = await shop.connect()
    found = connected.integration
    assert found.status == pb.INTEGRATION_STATUS_ACTIVE
    assert (found.account_id, found.livemode, found.country, found.default_currency) == (
        *(shop.account.id, False, "GB", "GBP"),
    )
    assert found.key_hint == shop.account.sk_test[-4:]
    assert (found.account_name, found.public_key_hint) == ("shop", shop.account.pk_test[-4:])
    assert found.key_kind == "sk_test"
    assert found.invoices_url.endswith(f"/{shop.account.id}/test/invoices")
    assert found.update_mode == pb.UPDATE_MODE_LIVE
    assert found.connected_by == shop.who.actor
    assert "Full-access key. It works, but a restricted key is safer." in connected.warnings
    assert all(one.granted for one in connected.permissions)
    await rows.execute(
        "UPDATE integrations SET account_name = 'of before', public_key_hint = '', key_kind = ''"
        " WHERE workspace_id = $1",
        shop.who.workspace_id,
    )
    await shop.caller.test(shop.who, passive=True)
    checked = await shop.connection()
    noted = checked.account_name, checked.public_key_hint, checked.key_kind
    assert noted == ("shop", found.public_key_hint, "sk_test"), "a check notes them"


async def test_keys_that_are_only_asked_about_are_not_kept(shop: Shop, rows: Connection) -> None:
    keys = {"secret_key": shop.account.sk_test, "publishable_key": shop.account.pk_test}
    asked = await shop.caller.connect(shop.who, keys, validate_only=True)
    assert not asked.HasField("integration")
    assert asked.permissions
    assert all(one.granted for one in asked.permissions)
    lame = {**keys, "secret_key": await shop.restricted_key(["rak_balance_read"])}
    with pytest.raises(RemoteError) as refused:
        await shop.caller.connect(shop.who, lame, validate_only=True)
    assert refused.value.reason == "PERMISSION_MISSING"
    workspace = shop.who.workspace_id
    assert await rows.fetchval("SELECT count(*) FROM integrations WHERE workspace_id = $1", workspace) == 0
    assert await rows.fetchval("SELECT count(*) FROM audit WHERE workspace_id = $1", workspace) == 0


async def test_live_keys_make_a_live_connection(shop: Shop) -> None:
    connected = await shop.connect(shop.account.sk_live, shop.account.pk_live)
    assert connected.integration.livemode


async def test_webhook_endpoint_is_pinned_and_marked(shop: Shop) -> None:
    connected = await shop.connect()
    endpoint = await shop.endpoint()
    assert endpoint["url"].endswith(f"/api/webhooks/stripe/{connected.integration.id}")
    assert endpoint["api_version"] == "2026-10-28.endive"
    assert endpoint["metadata"]["showbill_integration"] == connected.integration.id
    assert {"invoice.paid", "invoice.voided", "invoice.payment_failed"} <= set(endpoint["enabled_events"])


async def test_catalogue_lists_every_provider(shop: Shop) -> None:
    before = await shop.caller.listed(shop.who)
    assert {name: one.entry.availability for name, one in before.items()} == {
        "stripe": pb.AVAILABILITY_AVAILABLE,
        "manual": pb.AVAILABILITY_AVAILABLE,
        "shopify": pb.AVAILABILITY_COMING_SOON,
        "square": pb.AVAILABILITY_COMING_SOON,
        "medusajs": pb.AVAILABILITY_COMING_SOON,
        "paypal": pb.AVAILABILITY_COMING_SOON,
        "quickbooks": pb.AVAILABILITY_REQUIRES_PLAN,
    }
    assert not before["stripe"].connected
    assert not before["stripe"].HasField("integration")
    await shop.connect()
    assert (await shop.caller.listed(shop.who))["stripe"].connected


async def test_catalogue_says_what_connecting_asks_for_and_what_can_be_set(shop: Shop) -> None:
    listed = await shop.caller.listed(shop.who)
    stripe, manual, soon = (listed[name].entry for name in ("stripe", "manual", "paypal"))
    assert [(one.name, one.hidden) for one in stripe.connect_fields] == [
        ("secret_key", True),
        ("publishable_key", False),
    ]
    asked = (await shop.connect()).permissions
    assert [(one.name, one.required) for one in stripe.permissions] == [(one.name, one.required) for one in asked]
    assert not any(one.granted for one in stripe.permissions)
    known = set(pb.IntegrationSettings.DESCRIPTOR.fields_by_name)
    assert {"memo_template", "footer"} <= set(stripe.settings) <= known
    assert (len(manual.connect_fields), len(manual.permissions), manual.keys_url) == (0, 0, "")
    assert stripe.keys_url.endswith("/apikeys")
    assert {"payment_instructions"} <= set(manual.settings) <= known
    assert (len(soon.connect_fields), len(soon.settings)) == (0, 0)


async def test_higher_plan_unlocks_the_locked_tile(shop: Shop) -> None:
    listed = await shop.caller.listed(Identity(shop.who.workspace_id, "user:1", "pro"))
    assert listed["quickbooks"].entry.availability == pb.AVAILABILITY_COMING_SOON


async def test_limits_come_with_the_connection(connected: Shop) -> None:
    limits = (await connected.caller.get(connected.who)).limits
    assert (limits.minimum_totals["GBP"], limits.maximum_total, limits.maximum_lines) == (30, 99_999_999, 250)


async def test_never_connected_provider_is_not_found(shop: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.caller.get(shop.who)
    assert refused.value.kind is Kind.NOT_FOUND


@pytest.mark.parametrize("provider", ["paypal", "quickbooks", "nonsense"])
async def test_provider_that_is_not_available_says_so(shop: Shop, provider: str) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.caller.connect(shop.who, {}, provider)
    assert refused.value.reason == "PROVIDER_NOT_AVAILABLE"


async def test_malformed_keys_store_nothing(shop: Shop, rows: Connection) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.connect("sk_test_short", shop.account.pk_test)
    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "CREDENTIALS_MALFORMED")
    assert [fault.field for fault in refused.value.faults] == ["secret_key"]
    assert await count(rows, shop) == (0, 0)


async def test_swapped_keys_are_recognised(shop: Shop, rows: Connection) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.connect(shop.account.pk_test, shop.account.sk_test)
    assert [fault.problem for fault in refused.value.faults] == [
        "That is a publishable key. The secret key starts with rk_ or sk_.",
        "That is a secret key. Paste it in the field above.",
    ]
    assert await count(rows, shop) == (0, 0)


async def test_keys_of_mixed_modes_are_refused(shop: Shop, rows: Connection) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.connect(shop.account.sk_test, shop.account.pk_live)
    assert "This is a live key but the secret key is a test key." in refused.value.message
    assert await count(rows, shop) == (0, 0)


async def test_two_who_connect_at_once_end_with_one_connection(shop: Shop, rows: Connection) -> None:
    results = await asyncio.gather(*(shop.connect() for _ in range(4)), return_exceptions=True)
    lost = [one for one in results if isinstance(one, BaseException)]
    assert all(isinstance(one, RemoteError) and one.reason == "CONNECTED_MEANWHILE" for one in lost)
    assert await count(rows, shop) == (1, 3)
    found = (await shop.caller.get(shop.who)).integration
    assert (await shop.endpoint())["url"].endswith(found.id), "what the losers made at Stripe is gone"


async def test_wrong_key_is_refused_without_echo(shop: Shop, rows: Connection, stack: Stack) -> None:
    wrong = shop.account.sk_test[:-4] + "Zz9q"
    with pytest.raises(RemoteError) as refused:
        await shop.connect(wrong)
    assert refused.value.reason == "CREDENTIALS_REJECTED"
    assert refused.value.message.startswith("Stripe didn’t accept this key.")
    assert "Zz9q" not in refused.value.message + str(refused.value.details)
    assert "Zz9q" not in (stack.folder / "integrations.log").read_text()
    assert await count(rows, shop) == (0, 0)


async def test_revoked_key_is_refused(shop: Shop, rows: Connection) -> None:
    await shop.sandbox.revoke(shop.account.sk_test)
    with pytest.raises(RemoteError) as refused:
        await shop.connect()
    assert refused.value.reason == "CREDENTIALS_REJECTED"
    assert await count(rows, shop) == (0, 0)


async def test_stripe_out_of_reach_stores_nothing(shop: Shop, rows: Connection) -> None:
    await shop.fault("balance.retrieve", "error", status=503)
    with pytest.raises(RemoteError) as refused:
        await shop.connect()
    assert refused.value.kind is Kind.UNAVAILABLE
    assert refused.value.message.startswith("We couldn’t reach Stripe. Nothing was saved.")
    assert await count(rows, shop) == (0, 0)


@pytest.mark.parametrize(("missing", "tick"), [("rak_invoice_write", "Invoices"), ("rak_customer_write", "Customers")])
async def test_missing_permission_is_named(shop: Shop, rows: Connection, missing: str, tick: str) -> None:
    key = await shop.restricted_key([one for one in NEEDED if one != missing])
    with pytest.raises(RemoteError) as refused:
        await shop.connect(key)
    assert refused.value.reason == "PERMISSION_MISSING"
    assert f"set {tick} to Write" in refused.value.message
    assert await count(rows, shop) == (0, 0)


async def test_restricted_key_without_optional_permissions_polls(shop: Shop) -> None:
    connected = await shop.connect(await shop.restricted_key(NEEDED))
    found = connected.integration
    assert (found.status, found.account_id) == (pb.INTEGRATION_STATUS_ACTIVE, shop.account.id)
    assert found.update_mode == pb.UPDATE_MODE_POLLING
    assert "Webhook Endpoints" in found.update_mode_reason
    assert not any("Full-access" in warning for warning in connected.warnings)
    granted = {one.name: one.granted for one in connected.permissions if not one.required}
    assert granted == {"Webhook Endpoints: Write": False, "Accounts: Read": False}
    assert (await shop.create(shop.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_keys_are_nowhere_in_clear(connected: Shop, rows: Connection, stack: Stack) -> None:
    secret = await connected.webhook_secret((await connected.caller.get(connected.who)).integration.id)
    dump = await dump_of(rows)
    for key in (connected.account.sk_test, connected.account.pk_test, secret):
        assert key not in dump
        assert key.encode().hex() not in dump
        assert key not in (stack.folder / "integrations.log").read_text()


async def dump_of(rows: Connection) -> str:
    tables = await rows.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return "".join([str(await rows.fetch(f'SELECT t::text FROM "{one["tablename"]}" t')) for one in tables])


async def test_same_account_again_keeps_connection_and_endpoint(connected: Shop) -> None:
    before = (await connected.caller.get(connected.who)).integration
    endpoint = await connected.endpoint()
    key = await connected.restricted_key([*NEEDED, "rak_webhook_write", "rak_accounts_kyc_basic_read"])
    again = await connected.connect(key)
    assert again.integration.id == before.id
    assert (again.integration.key_hint, again.integration.key_kind) == (key[-4:], "rk_test")
    assert await connected.endpoint() == endpoint
    secret = await connected.webhook_secret(before.id)
    (verdict,) = await connected.caller.verify(connected.delivery(before.id, secret))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_VERIFIED


async def test_endpoint_deleted_at_stripe_is_made_again(connected: Shop) -> None:
    endpoint = await connected.endpoint()
    await connected.stripe("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    again = await connected.connect()
    made = await connected.endpoint()
    assert made["id"] != endpoint["id"]
    secret = await connected.webhook_secret(again.integration.id)
    (verdict,) = await connected.caller.verify(connected.delivery(again.integration.id, secret))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_VERIFIED


async def test_other_mode_is_a_new_connection(connected: Shop) -> None:
    before = (await connected.caller.get(connected.who)).integration
    live = await connected.connect(connected.account.sk_live, connected.account.pk_live)
    assert live.integration.id != before.id
    assert await connected.endpoints() == [], "the old endpoint was deleted with the old key"
    assert len(await connected.endpoints(livemode=True)) == 1
    (verdict,) = await connected.caller.verify(connected.delivery(before.id, "whsec_any"))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_GONE


async def test_other_account_is_a_new_connection(connected: Shop, make_shop: MakeShop, rows: Connection) -> None:
    other = await make_shop()
    again = await connected.connect(other.account.sk_test, other.account.pk_test)
    assert again.integration.account_id == other.account.id
    assert await connected.endpoints() == []
    assert await count(rows, connected) == (2, 3)
    with pytest.raises(RemoteError) as refused:
        await connected.create(connected.order())
    assert refused.value.reason == "ACCOUNT_CHANGED"


async def test_test_answers_healthy_with_latency(connected: Shop) -> None:
    health = await connected.caller.test(connected.who)
    assert health.healthy
    assert health.latency.ToNanoseconds() > 0
    assert health.reason.startswith("Stripe answered in ")
    assert (health.account_id, health.livemode) == (connected.account.id, False)
    assert health.webhook_endpoint.exists
    assert health.webhook_endpoint.enabled
    assert health.update_mode == pb.UPDATE_MODE_LIVE


async def test_test_with_revoked_key_is_an_answer(connected: Shop) -> None:
    await connected.sandbox.revoke(connected.account.sk_test)
    health = await connected.caller.test(connected.who)
    assert not health.healthy
    assert "stopped accepting this key" in health.reason
    integration = (await connected.caller.get(connected.who)).integration
    assert integration.status == pb.INTEGRATION_STATUS_NEEDS_RECONNECT


async def test_reconnecting_heals_a_broken_connection(connected: Shop) -> None:
    await connected.sandbox.revoke(connected.account.sk_test)
    await connected.caller.test(connected.who)
    key = await connected.restricted_key([*NEEDED, "rak_webhook_write"])
    again = await connected.connect(key)
    assert again.integration.status == pb.INTEGRATION_STATUS_ACTIVE
    assert (await connected.create(connected.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_disconnecting_leaves_no_key_behind(connected: Shop, rows: Connection) -> None:
    done = await connected.caller.disconnect(connected.who)
    assert done.integration.status == pb.INTEGRATION_STATUS_INACTIVE
    assert (done.orphaned_endpoint_id, done.warning) == ("", "")
    assert await count(rows, connected) == (1, 0)
    (row,) = await rows.fetch(
        "SELECT wrapped_key, key_id, key_hint, key_kind FROM integrations WHERE workspace_id = $1",
        connected.who.workspace_id,
    )
    assert tuple(row) == (None, None, "", "")
    assert await connected.endpoints() == []
    assert not (await connected.caller.listed(connected.who))["stripe"].connected


async def test_disconnecting_again_answers_the_same(connected: Shop) -> None:
    await connected.fault("webhook_endpoints.delete", "error", status=500, times=None)
    endpoint = await connected.endpoint()
    first = await connected.caller.disconnect(connected.who)
    assert first.orphaned_endpoint_id == endpoint["id"]
    assert endpoint["id"] in first.warning
    assert await connected.caller.disconnect(connected.who) == first


async def test_disconnecting_with_a_dead_key_still_disconnects(connected: Shop, rows: Connection) -> None:
    await connected.sandbox.revoke(connected.account.sk_test)
    done = await connected.caller.disconnect(connected.who)
    assert done.integration.status == pb.INTEGRATION_STATUS_INACTIVE
    assert done.orphaned_endpoint_id
    assert await count(rows, connected) == (1, 0)


async def test_endpoint_made_while_disconnecting_goes_too(connected: Shop, rows: Connection) -> None:
    """The same keys come in again after the endpoint was deleted, before the keys are destroyed."""
    hold = await connected.sandbox.hold("webhook_endpoints.delete", "after", connected.account.id)
    leaving = asyncio.create_task(connected.caller.disconnect(connected.who))
    await connected.sandbox.held(hold)
    await connected.connect()
    await connected.sandbox.release(hold)
    left = await leaving
    assert (left.integration.status, left.warning) == (pb.INTEGRATION_STATUS_INACTIVE, "")
    assert await connected.endpoints() == []
    assert await count(rows, connected) == (1, 0)


async def test_stray_endpoint_of_ours_is_removed_on_reconnect(connected: Shop) -> None:
    fault = await connected.fault("webhook_endpoints.delete", "error", status=500, times=None)
    await connected.caller.disconnect(connected.who)
    await connected.sandbox.remove_fault(fault)
    again = await connected.connect()
    assert (await connected.endpoint())["url"].endswith(again.integration.id)


async def test_two_workspaces_see_only_their_own(connected: Shop, make_shop: MakeShop) -> None:
    other = await make_shop()
    with pytest.raises(RemoteError) as refused:
        await other.caller.get(other.who)
    assert refused.value.kind is Kind.NOT_FOUND
    with pytest.raises(RemoteError) as refused:
        await other.caller.create(other.who, connected.order())
    assert refused.value.reason == "NOT_CONNECTED"
    await other.connect()
    with pytest.raises(RemoteError) as refused:
        await other.caller.create(other.who, connected.order())
    assert refused.value.reason == "ACCOUNT_CHANGED"


async def test_credentials_damaged_in_the_table_need_reconnecting(connected: Shop, rows: Connection) -> None:
    await rows.execute(
        "UPDATE credentials SET ciphertext = ciphertext || '\\x00' WHERE integration_id IN"
        " (SELECT id FROM integrations WHERE workspace_id = $1)",
        connected.who.workspace_id,
    )
    with pytest.raises(RemoteError) as refused:
        await connected.create(connected.order())
    assert refused.value.reason == "CREDENTIALS_REJECTED"
    assert "cannot be read" in refused.value.message
    integration = (await connected.caller.get(connected.who)).integration
    assert integration.status == pb.INTEGRATION_STATUS_NEEDS_RECONNECT


async def test_credentials_moved_to_another_row_do_not_open(
    connected: Shop, make_shop: MakeShop, rows: Connection
) -> None:
    """A thief with write access to the table cannot spend A's key through B's connection."""
    other = await make_shop()
    await other.connect()
    await rows.execute(
        "UPDATE integrations b SET wrapped_key = a.wrapped_key FROM integrations a"
        " WHERE a.workspace_id = $1 AND b.workspace_id = $2",
        *(connected.who.workspace_id, other.who.workspace_id),
    )
    with pytest.raises(RemoteError) as refused:
        await other.create(other.order())
    assert refused.value.reason == "CREDENTIALS_REJECTED"


async def test_stranger_services_are_turned_away(shop: Shop) -> None:
    request: Any = pb.ConnectIntegrationRequest(provider="stripe")
    with pytest.raises(RemoteError) as refused:
        await shop.caller.invoicing.call(shop.caller.integrations.ConnectIntegration, request, shop.who)
    assert refused.value.reason == "UNAUTHENTICATED" or refused.value.kind is Kind.FORBIDDEN
