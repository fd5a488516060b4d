"""Webhooks: endpoints, signatures, retries, and the faults of delivery."""

import json
from typing import Any

import pytest
import stripe

from tests.sandbox.harness import Account, Receiver, draft, headers_of, opened


async def listen(
    client: stripe.StripeClient, receiver: Receiver, *events: Any, **params: Any
) -> stripe.WebhookEndpoint:
    wanted: Any = {"url": receiver.url, "enabled_events": list(events) or ["*"], **params}
    return await client.v1.webhook_endpoints.create_async(wanted)


async def idle(account: Account) -> None:
    assert (await account.control.get("/deliveries/idle", timeout="30", account=account.id))["idle"]


async def test_a_delivery_bears_a_signature_that_the_sdk_accepts(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    endpoint = await listen(client, receiver, "invoice.finalized")
    invoice = await opened(client, 500)
    events = await receiver.wait_for("invoice.finalized")
    assert endpoint.secret
    body, header = receiver.bodies[0].decode(), receiver.signatures[0]
    assert stripe.WebhookSignature.verify_header(body, header, endpoint.secret, 300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body, header, "whsec_other", 300)
    assert events[0]["data"]["object"]["id"] == invoice.id
    assert body == json.dumps(events[0], indent=2, ensure_ascii=False)


async def test_only_events_that_were_asked_for_come(client: stripe.StripeClient, receiver: Receiver) -> None:
    await listen(client, receiver, "invoice.paid", "invoice.voided")
    invoice = await opened(client, 500)
    await client.v1.invoices.pay_async(invoice.id, {"paid_out_of_band": True})
    await receiver.wait_for("invoice.paid")
    assert receiver.types() == ["invoice.paid"]


async def test_an_event_says_which_request_caused_it(client: stripe.StripeClient, receiver: Receiver) -> None:
    await listen(client, receiver, "customer.created", api_version="2026-09-30.endive")
    made = await client.v1.customers.create_async({}, {"idempotency_key": "step-1"})
    event = (await receiver.wait_for("customer.created"))[0]
    assert event["request"] == {"id": headers_of(made)["Request-Id"], "idempotency_key": "step-1"}
    assert (event["api_version"], event["pending_webhooks"]) == ("2026-09-30.endive", 1)


async def test_the_secret_is_shown_on_create_only(client: stripe.StripeClient, receiver: Receiver) -> None:
    endpoint = await listen(client, receiver, metadata={"owner": "us"})
    assert endpoint.secret
    assert endpoint.secret.startswith("whsec_")
    read = await client.v1.webhook_endpoints.retrieve_async(endpoint.id)
    listed = (await client.v1.webhook_endpoints.list_async()).data[0]
    for shown in (read, listed):
        assert "secret" not in shown.to_dict()
        assert shown.metadata["owner"] == "us"


async def test_an_account_has_at_most_16_endpoints(client: stripe.StripeClient, receiver: Receiver) -> None:
    for _ in range(16):
        await listen(client, receiver)
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16 test webhook endpoints"):
        await listen(client, receiver)


@pytest.mark.parametrize("url", ["http://example.com/hook", "ftp://example.com", "nonsense"])
async def test_an_endpoint_needs_https_beyond_loopback(client: stripe.StripeClient, url: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
    assert caught.value.code == "url_invalid"


async def test_an_unknown_event_name_is_refused(client: stripe.StripeClient, receiver: Receiver) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="enabled_events"):
        await listen(client, receiver, "invoice.vanished")


async def test_a_disabled_or_deleted_endpoint_gets_nothing(client: stripe.StripeClient, receiver: Receiver) -> None:
    endpoint = await listen(client, receiver, "customer.created")
    disabled = await client.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": True})
    assert disabled.status == "disabled"
    await client.v1.customers.create_async()
    await client.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": False})
    expected = await client.v1.customers.create_async()
    came = await receiver.wait_for("customer.created")
    assert [event["data"]["object"]["id"] for event in came] == [expected.id]
    await client.v1.webhook_endpoints.delete_async(endpoint.id)
    assert (await client.v1.webhook_endpoints.list_async()).data == []


async def test_a_failed_delivery_is_tried_again(
    client: stripe.StripeClient, receiver: Receiver, account: Account
) -> None:
    receiver.decide = lambda _: 200 if len(receiver.events) > 2 else 503
    await listen(client, receiver, "invoice.created")
    invoice = await draft(client)
    assert invoice.webhooks_delivered_at is None
    await idle(account)
    assert receiver.types() == ["invoice.created"] * 3
    assert len({event["id"] for event in receiver.events}) == 1
    assert [one["attempts"] for one in await account.deliveries(state="delivered")] == [3]
    assert (await client.v1.invoices.retrieve_async(invoice.id)).webhooks_delivered_at


async def test_undelivered_events_are_found_by_the_filter(
    client: stripe.StripeClient, receiver: Receiver, account: Account
) -> None:
    receiver.status = 500
    await listen(client, receiver, "invoice.paid")
    await opened(client, 0)
    await idle(account)
    assert len(receiver.events) == 4
    failed = await client.v1.events.list_async({"delivery_success": False})
    assert [(event.type, event.pending_webhooks) for event in failed.data] == [("invoice.paid", 1)]
    receiver.status = 200
    await account.control.post(f"/events/{failed.data[0].id}/resend")
    await idle(account)
    assert len(receiver.events) == 5
    assert (await client.v1.events.list_async({"delivery_success": False})).data == []


async def test_events_are_listed_by_type_and_wildcard(client: stripe.StripeClient) -> None:
    await opened(client, 0)
    both = await client.v1.events.list_async({"types": ["invoice.paid", "customer.created"]})
    assert {event.type for event in both.data} == {"invoice.paid", "customer.created"}
    invoice_events = await client.v1.events.list_async({"type": "invoice.*"})
    assert all(event.type.startswith("invoice.") for event in invoice_events.data)
    newest = both.data[0]
    assert (await client.v1.events.retrieve_async(newest.id)).type == newest.type
    after = await client.v1.events.list_async({"created": {"gt": newest.created + 10}})
    assert after.data == []


async def test_a_duplicated_webhook_comes_twice(
    client: stripe.StripeClient, receiver: Receiver, account: Account
) -> None:
    await listen(client, receiver, "invoice.paid")
    await account.control.post("/webhook_faults", effect="duplicate", event="invoice.paid", account=account.id)
    await opened(client, 0)
    events = await receiver.wait_for("invoice.paid", "invoice.paid")
    await idle(account)
    assert len(events) == 2
    assert events[0]["id"] == events[1]["id"]


async def test_a_lost_webhook_never_comes_but_is_listed(
    client: stripe.StripeClient, receiver: Receiver, account: Account
) -> None:
    await listen(client, receiver, "invoice.paid", "customer.created")
    await account.control.post("/webhook_faults", effect="drop", event="invoice.*", times=None, account=account.id)
    await opened(client, 0)
    await idle(account)
    assert receiver.types() == ["customer.created"]
    assert [one["state"] for one in await account.deliveries(type="invoice.paid")] == ["lost"]
    assert [event.type for event in (await client.v1.events.list_async({"delivery_success": False})).data] == [
        "invoice.paid"
    ]


async def test_a_reordered_webhook_is_overtaken(
    client: stripe.StripeClient, receiver: Receiver, account: Account
) -> None:
    await listen(client, receiver, "invoice.finalized", "invoice.paid")
    await account.control.post("/webhook_faults", effect="reorder", event="invoice.finalized", account=account.id)
    await opened(client, 0)
    await receiver.wait_for("invoice.paid", "invoice.finalized")
    assert receiver.types() == ["invoice.paid", "invoice.finalized"]


async def test_a_held_webhook_waits_until_it_is_released(
    client: stripe.StripeClient, receiver: Receiver, account: Account
) -> None:
    await listen(client, receiver, "invoice.finalized", "invoice.paid")
    fault = await account.control.post("/webhook_faults", effect="hold", event="invoice.finalized", account=account.id)
    await opened(client, 0)
    await receiver.wait_for("invoice.paid")
    assert [one["state"] for one in await account.deliveries(type="invoice.finalized")] == ["held"]
    await account.control.post(f"/webhook_faults/{fault['id']}/release")
    await receiver.wait_for("invoice.finalized")
    assert receiver.types() == ["invoice.paid", "invoice.finalized"]
