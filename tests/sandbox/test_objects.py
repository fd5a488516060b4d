"""Every object the sandbox makes, field by field, against what was recorded from Stripe."""

from typing import Any

import aiohttp
import pytest
import stripe

from services.sandbox.unconfirmed import UNCONFIRMED
from tests.sandbox import recorded
from tests.sandbox.harness import Account, draft, opened

INVOICE = recorded.load("invoice.json")


async def read(session: aiohttp.ClientSession, account: Account, path: str) -> Any:
    headers = {"Authorization": f"Bearer {account.keys['sk_test']}"}
    async with session.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        return await response.json()


def invoice_table(status: str) -> recorded.Table:
    return {**INVOICE["fields"], **INVOICE["by_status"][status]}


async def in_status(client: stripe.StripeClient, account: Account, status: str) -> str:
    invoice = await (draft if status == "draft" else opened)(client, 1200, 300)
    if status in ("paid", "void", "uncollectible"):
        deed = {"paid": "pay", "void": "void", "uncollectible": "mark_uncollectible"}[status]
        await account.control.post(f"/invoices/{invoice.id}/{deed}")
    return invoice.id


async def test_a_customer_has_exactly_the_recorded_fields(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    table = recorded.load("customer.json")["fields"]
    bare = await client.v1.customers.create_async({"description": "scenario"})
    full = await client.v1.customers.create_async(
        {
            "email": "b@example.com",
            "name": "Ann",
            "phone": "+1555",
            "metadata": {"k": "v"},
            "address": {"line1": "1 Street", "country": "GB"},
            "shipping": {"name": "Ann", "address": {"line1": "1 Street"}},
        }
    )
    for customer in (bare, full):
        assert recorded.differences(await read(session, account, f"/v1/customers/{customer.id}"), table) == []


@pytest.mark.parametrize("status", ["draft", "open", "paid", "void", "uncollectible"])
async def test_an_invoice_has_exactly_the_recorded_fields(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account, status: str
) -> None:
    invoice_id = await in_status(client, account, status)
    shown = await read(session, account, f"/v1/invoices/{invoice_id}")
    assert recorded.differences(shown, invoice_table(status)) == []


async def test_a_send_invoice_has_exactly_the_recorded_fields(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    invoice = await draft(client, 4400, collection_method="send_invoice", days_until_due=7, auto_advance=True)
    shown = await read(session, account, f"/v1/invoices/{invoice.id}")
    assert recorded.differences(shown, invoice_table("draft")) == []
    assert shown["due_date"] == shown["created"] + 7 * 86_400
    sent = await client.v1.invoices.send_invoice_async(invoice.id)
    assert recorded.differences(await read(session, account, f"/v1/invoices/{sent.id}"), invoice_table("open")) == []


async def test_a_line_has_exactly_the_recorded_fields(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    table = recorded.load("line_item.json")["fields"]
    invoice = await draft(client, 999, -100)
    lines = (await read(session, account, f"/v1/invoices/{invoice.id}/lines"))["data"]
    assert len(lines) == 2
    for line in lines:
        assert recorded.differences(line, table) == []


async def test_events_have_exactly_the_recorded_fields(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    table = recorded.load("event.json")
    invoice = await opened(client, 1200)
    await client.v1.customers.update_async(str(invoice.customer), {"name": "After"})
    await account.control.post(f"/invoices/{invoice.id}/pay")
    events = (await read(session, account, "/v1/events?limit=100"))["data"]
    assert len(events) >= 6
    for event in events:
        fields = table["fields"] | (table["only_on_updates"] if event["type"].endswith(".updated") else {})
        assert recorded.differences(event, fields) == []


async def test_the_snapshot_in_an_event_is_a_whole_object(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    invoice = await opened(client, 1200)
    events = (await read(session, account, "/v1/events?type=invoice.finalized"))["data"]
    assert events[0]["data"]["object"] == await read(session, account, f"/v1/invoices/{invoice.id}")
    assert recorded.differences(events[0]["data"]["object"], invoice_table("open")) == []


async def test_the_balance_has_exactly_the_recorded_fields(session: aiohttp.ClientSession, account: Account) -> None:
    table = recorded.load("balance.json")
    balance = await read(session, account, "/v1/balance")
    assert recorded.differences(balance, table["fields"]) == []
    for part in (*balance["available"], *balance["pending"]):
        assert recorded.differences(part, table["of_available"]) == []
    for part in balance["refund_and_dispute_prefunding"]["pending"]:
        assert recorded.differences(part, table["of_prefunding"]) == []


@pytest.mark.parametrize(
    ("path", "kind"), [("/v1/account", stripe.Account), ("/v1/webhook_endpoints", stripe.WebhookEndpoint)]
)
async def test_objects_without_a_recording_fit_the_sdk(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account, path: str, kind: type
) -> None:
    if kind is stripe.WebhookEndpoint:
        await client.v1.webhook_endpoints.create_async({"url": "https://example.com/h", "enabled_events": ["*"]})
    shown = await read(session, account, path)
    fields = set(shown["data"][0]) if shown["object"] == "list" else set(shown)
    known = {name for name in kind.__annotations__ if not name.startswith("_")} - {"OBJECT_NAME"}
    assert fields <= known, "a field that the SDK does not know"
    assert fields <= set(UNCONFIRMED[kind.__name__]), "a field that is not listed as unconfirmed"
