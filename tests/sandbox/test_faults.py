"""Faults on demand: errors, cut connections, held requests, before and after the write."""

import asyncio

import aiohttp
import pytest
import stripe

from tests.sandbox.harness import Account, Process, draft, headers_of, opened, sdk

pytestmark = pytest.mark.usefixtures("control")
UNKNOWN_OUTCOME = (stripe.APIConnectionError, aiohttp.ClientError)


async def test_a_cut_after_the_write_is_replayed_by_the_key(client: stripe.StripeClient, account: Account) -> None:
    await account.control.post("/faults", operation="customers.create", effect="cut", when="after", account=account.id)
    with pytest.raises(UNKNOWN_OUTCOME):
        await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
    assert (await account.state())["customers"] == 1
    customer = await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
    assert headers_of(customer)["Idempotent-Replayed"] == "true"
    assert (await account.state())["customers"] == 1


async def test_a_cut_before_the_write_leaves_nothing(client: stripe.StripeClient, account: Account) -> None:
    await account.control.post("/faults", operation="customers.*", effect="cut", when="before", account=account.id)
    with pytest.raises(UNKNOWN_OUTCOME):
        await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
    assert (await account.state())["customers"] == 0
    await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
    assert (await account.state())["customers"] == 1


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
async def test_a_500_is_kept_under_the_key(
    client: stripe.StripeClient, account: Account, when: str, written: int
) -> None:
    await account.control.post("/faults", operation="customers.create", effect="error", when=when, account=account.id)
    replayed = []
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
        assert (caught.value.http_status, (await account.state())["customers"]) == (500, written)
        replayed.append((caught.value.headers or {}).get("Idempotent-Replayed"))
    assert replayed == [None, "true"]
    await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k2"})
    assert (await account.state())["customers"] == written + 1


async def test_a_429_is_not_kept(client: stripe.StripeClient, account: Account) -> None:
    await account.control.post(
        "/faults", operation="invoices.create", effect="error", status=429, times=2, account=account.id
    )
    customer = await client.v1.customers.create_async()
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as caught:
            await client.v1.invoices.create_async({"customer": customer.id}, {"idempotency_key": "k"})
        assert caught.value.headers is not None
        assert caught.value.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    made = await client.v1.invoices.create_async({"customer": customer.id}, {"idempotency_key": "k"})
    assert "Idempotent-Replayed" not in headers_of(made)


async def test_a_chosen_buyer_is_refused_and_others_pass(client: stripe.StripeClient, account: Account) -> None:
    await account.control.post(
        "/faults",
        operation="customers.create",
        effect="error",
        status=400,
        times=None,
        account=account.id,
        customer={"metadata": {"buyer": "u-7"}},
        error={"code": "email_invalid", "message": "Invalid email address: x", "param": "email"},
    )
    await client.v1.customers.create_async({"metadata": {"buyer": "u-6"}})
    with pytest.raises(stripe.InvalidRequestError, match="Invalid email address") as caught:
        await client.v1.customers.create_async({"metadata": {"buyer": "u-7"}})
    assert (caught.value.code, caught.value.param) == ("email_invalid", "email")


async def test_a_step_of_a_chosen_buyer_is_matched_by_its_customer(
    client: stripe.StripeClient, account: Account
) -> None:
    await account.control.post(
        "/faults",
        operation="invoices.finalize",
        effect="error",
        status=400,
        times=None,
        account=account.id,
        customer={"email": "refused@*"},
    )
    refused = await client.v1.customers.create_async({"email": "refused@example.com"})
    assert (await opened(client, 500)).status == "open"
    with pytest.raises(stripe.InvalidRequestError, match="refused by a rule"):
        await opened(client, 500, customer=refused.id)


async def test_a_held_step_waits_until_it_is_released(client: stripe.StripeClient, account: Account) -> None:
    invoice = await draft(client, 500)
    fault = await account.control.post(
        "/faults", operation="invoices.finalize", effect="hold", when="after", account=account.id
    )
    finalizing = asyncio.create_task(client.v1.invoices.finalize_invoice_async(invoice.id))
    reached = await account.control.get(f"/faults/{fault['id']}", wait_hits="1")
    assert (reached["hits"], reached["waiting"]) == (1, 1)
    assert (await account.state())["invoices"] == {"open": 1}
    assert not finalizing.done()
    await account.control.post(f"/faults/{fault['id']}/release")
    assert (await finalizing).status == "open"


async def test_a_held_step_ends_when_its_client_is_gone(
    session: aiohttp.ClientSession, client: stripe.StripeClient, account: Account
) -> None:
    fault = await account.control.post(
        "/faults", operation="customers.create", effect="hold", when="after", account=account.id
    )
    headers = {"Authorization": f"Bearer {account.keys['sk_test']}", "Idempotency-Key": "k"}
    dying = asyncio.create_task(session.post("/v1/customers", data={"name": "Ann"}, headers=headers))
    await account.control.get(f"/faults/{fault['id']}", wait_hits="1")
    dying.cancel()
    async with asyncio.timeout(30):
        while (await account.control.get(f"/faults/{fault['id']}"))["waiting"]:
            continue
    again = await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
    assert headers_of(again)["Idempotent-Replayed"] == "true"
    assert (await account.state())["customers"] == 1


async def test_a_rule_can_let_the_first_requests_pass(client: stripe.StripeClient, account: Account) -> None:
    rule = await account.control.post(
        "/faults", operation="customers.create", effect="error", skip=2, account=account.id
    )
    for _ in range(2):
        await client.v1.customers.create_async()
    with pytest.raises(stripe.APIError):
        await client.v1.customers.create_async()
    await client.v1.customers.create_async()
    assert (await account.control.get(f"/faults/{rule['id']}"))["hits"] == 1


async def test_latency_holds_every_call_up(client: stripe.StripeClient, account: Account) -> None:
    await account.control.put("/settings", latency_ms=60)
    started = asyncio.get_running_loop().time()
    await client.v1.balance.retrieve_async()
    assert asyncio.get_running_loop().time() - started >= 0.06


async def test_calls_are_counted_by_how_they_ended(
    client: stripe.StripeClient, account: Account, sandbox: Process, http: stripe.HTTPClient
) -> None:
    await account.control.post("/faults", operation="customers.create", effect="cut", when="after", account=account.id)
    with pytest.raises(UNKNOWN_OUTCOME):
        await client.v1.customers.create_async({}, {"idempotency_key": "k"})
    await client.v1.customers.create_async({}, {"idempotency_key": "k"})
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.invoices.create_async({"customer": "cus_nope"})
    other = await account.control.account()
    await sdk(sandbox.url, other.keys["sk_test"], http).v1.customers.create_async()
    counted = (await account.control.get("/calls", account=account.id))["operations"]
    assert counted["customers.create"] == {
        "calls": 2,
        "succeeded": 1,
        "refused": 0,
        "limited": 0,
        "failed": 0,
        "replayed": 1,
        "cut": 1,
    }
    assert counted["invoices.create"]["refused"] == 1
