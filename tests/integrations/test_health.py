"""The test of a connection: permissions, endpoint, and one word for how payments are heard of."""

import asyncio
from typing import Any

import pytest

from services.common.status import RemoteError
from services.integrations.adapters.stripe.probe import FULL_ACCESS
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.shop import Shop
from tests.integrations.test_connecting import NEEDED
from tests.waiting import eventually

NAMES = {
    "rak_balance_read": "Balance: Read",
    "rak_customer_write": "Customers: Write",
    "rak_invoice_write": "Invoices: Write",
    "rak_event_read": "Events: Read",
    "rak_webhook_write": "Webhook Endpoints: Write",
    "rak_accounts_kyc_basic_read": "Accounts: Read",
}
READS = {
    "rak_balance_read": "balance.retrieve",
    "rak_event_read": "events.list",
    "rak_accounts_kyc_basic_read": "accounts.retrieve",
}
"""Of these the sandbox can take the permission away while a connection stands."""


async def test_doctor_lists_every_permission_that_we_use(connected: Shop) -> None:
    before = await connected.calls()
    health = await connected.caller.test(connected.who)
    assert [one.name for one in health.permissions] == list(NAMES.values())
    assert [one.name for one in health.permissions if one.required] == [NAMES[one] for one in NEEDED]
    assert all(one.granted and one.purpose.endswith(".") for one in health.permissions)
    made = {name: count for name, count in (await connected.calls()).items() if count != before.get(name, 0)}
    assert set(made) <= {"balance.retrieve", "events.list", "accounts.retrieve"} | {"webhook_endpoints.retrieve"}, (
        "nothing was created"
    )


@pytest.mark.parametrize("lost", READS)
async def test_permission_that_was_taken_away_is_told(connected: Shop, lost: str) -> None:
    fault = await connected.fault(READS[lost], "error", status=403, times=None)
    health = await connected.caller.test(connected.who)
    assert [one.name for one in health.permissions if not one.granted] == [NAMES[lost]]
    assert health.healthy is (lost not in NEEDED)
    resource, level = NAMES[lost].split(": ")
    assert health.healthy or f"set {resource} to {level}" in health.reason
    found = await connected.connection()
    assert found.status == (pb.INTEGRATION_STATUS_ACTIVE if health.healthy else pb.INTEGRATION_STATUS_ERROR)
    await connected.sandbox.remove_fault(fault)
    await connected.caller.test(connected.who)
    assert (await connected.connection()).status == pb.INTEGRATION_STATUS_ACTIVE


async def test_permission_given_back_heals_with_the_next_invoice(connected: Shop) -> None:
    await connected.fault("invoices.create", "error", status=403)
    with pytest.raises(RemoteError, match="set Invoices to Write"):
        await connected.create(connected.order())
    found = await connected.connection()
    assert found.status == pb.INTEGRATION_STATUS_ERROR
    assert "set Invoices to Write" in found.status_reason
    assert (await connected.create(connected.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN
    assert (await connected.connection()).status == pb.INTEGRATION_STATUS_ACTIVE


async def test_what_a_permission_hinders_stays_told_while_other_calls_succeed(connected: Shop) -> None:
    made = await connected.create(connected.order())
    fault = await connected.fault("events.list", "error", status=403, times=None)
    account = connected.account.id
    with pytest.raises(RemoteError, match="set Events to Read"):
        await connected.caller.list_changed(connected.who, account)
    told = await connected.connection()
    await connected.caller.read(connected.who, account, made.external_id)
    assert await connected.connection() == told, "another permission says nothing of this one"
    assert told.status == pb.INTEGRATION_STATUS_ERROR
    await connected.sandbox.remove_fault(fault)
    await connected.caller.list_changed(connected.who, account)
    assert (await connected.connection()).status == pb.INTEGRATION_STATUS_ACTIVE


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"disabled": "true"}, "was disabled at Stripe"),
        ({"url": "https://elsewhere.example/hook"}, "delivers to another address"),
        ({"enabled_events[0]": "invoice.paid"}, "does not deliver invoice.deleted"),
    ],
)
async def test_endpoint_that_was_changed_is_broken_until_replaced(
    connected: Shop, change: dict[str, str], says: str
) -> None:
    endpoint = await connected.endpoint()
    await connected.stripe("POST", f"/v1/webhook_endpoints/{endpoint['id']}", change)
    health = await connected.caller.test(connected.who)
    assert (health.healthy, health.update_mode) == (True, pb.UPDATE_MODE_BROKEN)
    assert says in health.reason
    await connected.replace()
    assert (await connected.caller.test(connected.who)).update_mode == pb.UPDATE_MODE_LIVE


async def test_endpoint_that_is_gone_is_broken(connected: Shop) -> None:
    await connected.stripe("DELETE", f"/v1/webhook_endpoints/{(await connected.endpoint())['id']}")
    health = await connected.caller.test(connected.who)
    assert (health.webhook_endpoint.exists, health.update_mode) == (False, pb.UPDATE_MODE_BROKEN)
    assert "is gone at Stripe" in health.reason


async def test_undelivered_news_means_catching_up(connected: Shop) -> None:
    """No gateway runs here: what the sandbox delivers arrives nowhere."""
    await connected.create(connected.order())

    async def catching_up() -> bool:
        return (await connected.caller.test(connected.who)).update_mode == pb.UPDATE_MODE_CATCHING_UP

    await eventually(catching_up, timeout=20, why="the events that were not delivered were not noticed")


async def test_news_that_wait_for_somebody_elses_endpoint_are_not_ours(connected: Shop) -> None:
    await connected.create(connected.order())

    async def waits() -> bool:
        return (await connected.caller.test(connected.who)).update_mode == pb.UPDATE_MODE_CATCHING_UP

    await eventually(waits, timeout=20, why="the events that were not delivered were not noticed")
    found = await connected.connection()
    secret = await connected.webhook_secret(found.id)
    (verdict,) = await connected.caller.verify(connected.delivery(found.id, secret))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_VERIFIED
    assert not await waits(), "we heard later news; the older ones wait for an endpoint of somebody else"


async def test_without_an_endpoint_it_is_polling(shop: Shop) -> None:
    await shop.connect(await shop.restricted_key(NEEDED))
    health = await shop.caller.test(shop.who)
    missing = [one.name for one in health.permissions if not one.granted]
    assert missing == ["Webhook Endpoints: Write", "Accounts: Read"]
    assert (health.healthy, health.update_mode) == (True, pb.UPDATE_MODE_POLLING)
    assert not health.HasField("webhook_endpoint")


async def test_full_account_of_endpoints_is_explained(shop: Shop) -> None:
    body = {"url": "https://elsewhere.example/hook", "enabled_events[0]": "*"}
    for _ in range(16):
        await shop.stripe("POST", "/v1/webhook_endpoints", body)
    connected = await shop.connect()
    assert connected.integration.update_mode == pb.UPDATE_MODE_POLLING
    assert "allows 16 webhook endpoints" in connected.integration.update_mode_reason
    assert connected.integration.update_mode_reason in connected.warnings
    listed = await shop.stripe("GET", "/v1/webhook_endpoints?limit=100")
    assert len(listed["data"]) == 16


async def test_full_account_makes_room_with_our_own_stray(connected: Shop) -> None:
    ours, body = await connected.endpoint(), {"url": "https://elsewhere.example/hook", "enabled_events[0]": "*"}
    for _ in range(15):
        await connected.stripe("POST", "/v1/webhook_endpoints", body)
    await connected.stripe("POST", f"/v1/webhook_endpoints/{ours['id']}", {"disabled": "true"})
    done = await connected.replace()
    assert (done.integration.update_mode, list(done.warnings)) == (pb.UPDATE_MODE_LIVE, [FULL_ACCESS])
    assert (await connected.caller.test(connected.who)).update_mode == pb.UPDATE_MODE_LIVE
    left = (await connected.stripe("GET", "/v1/webhook_endpoints?limit=100"))["data"]
    assert len(left) == 16
    assert ours["id"] not in {one["id"] for one in left}


async def test_account_that_cannot_take_payments_yet_is_told(shop: Shop) -> None:
    shop.account = await shop.sandbox.make_account("new", charges_enabled=False)
    connected = await shop.connect()
    assert connected.integration.status == pb.INTEGRATION_STATUS_ACTIVE
    assert any(warning.startswith("This Stripe account cannot take payments yet.") for warning in connected.warnings)
    health = await shop.caller.test(shop.who)
    assert health.healthy
    assert "cannot take payments yet" in health.reason


FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"effect": "cut"}, "Stripe did not answer."),
    ({"effect": "error", "status": 429}, "Stripe was too busy to answer (429)."),
    ({"effect": "error", "status": 500}, "Stripe had a fault of its own."),
    ({"effect": "error", "status": 503}, "Stripe had a fault of its own."),
]


@pytest.mark.parametrize(("fault", "says"), FAILURES)
async def test_passing_trouble_is_told_and_changes_no_state(connected: Shop, fault: dict[str, Any], says: str) -> None:
    rule = await connected.fault("balance.retrieve", times=None, **fault)
    health = await connected.caller.test(connected.who)
    assert (health.healthy, health.update_mode) == (False, pb.UPDATE_MODE_BROKEN)
    assert health.reason.startswith(says)
    assert (await connected.connection()).status == pb.INTEGRATION_STATUS_ACTIVE
    await connected.sandbox.remove_fault(rule)
    assert (await connected.caller.test(connected.who)).healthy


async def test_key_revoked_in_a_run_turns_the_connection_once(connected: Shop) -> None:
    await connected.sandbox.revoke(connected.account.sk_test)
    orders = [connected.order() for _ in range(8)]
    tries = await asyncio.gather(*(connected.create(order) for order in orders), return_exceptions=True)
    assert {one.reason for one in tries if isinstance(one, RemoteError)} == {"CREDENTIALS_REJECTED"}
    sentences = {str(one) for one in tries}
    assert all("key" in sentence and sentence.endswith(".") for sentence in sentences)
    found = await connected.connection()
    assert found.status == pb.INTEGRATION_STATUS_NEEDS_RECONNECT
    assert "stopped accepting this key" in found.status_reason
    assert await connected.version() == 2, "of eight who found out at once, one wrote it down"
    before = (await connected.sandbox.calls(connected.account.id)).get("customers.create")
    with pytest.raises(RemoteError, match="stopped accepting this key"):
        await connected.create(connected.order())
    assert (await connected.sandbox.calls(connected.account.id)).get("customers.create") == before, "not asked again"
