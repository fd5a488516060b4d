"""A restart, even after kill -9, goes on with everything."""

from pathlib import Path

import aiohttp
import pytest
import stripe

from services.sandbox.demo import DEMO_ACCOUNT, DEMO_SECRET_KEY
from tests.sandbox.harness import Control, Process, Receiver, opened, sdk


async def test_a_killed_sandbox_goes_on_with_everything(
    tmp_path: Path, http: stripe.HTTPClient, receiver: Receiver
) -> None:
    receiver.status = 500
    process = Process(tmp_path / "log1", tmp_path / "data")
    try:
        async with aiohttp.ClientSession(process.url) as session:
            control = Control(session)
            await control.put("/settings", webhooks={"retry_seconds": [600]}, rate_limits={"enabled": False})
            account = await control.account()
            client = sdk(process.url, account.keys["sk_test"], http)
            endpoint = await client.v1.webhook_endpoints.create_async(
                {"url": receiver.url, "enabled_events": ["invoice.finalized"]}
            )
            customer = await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
            invoice = await opened(client, 500, customer=customer.id)
            await receiver.wait_for("invoice.finalized")
            before = await account.state()
    finally:
        process.kill()
    receiver.status = 200
    process = Process(tmp_path / "log2", tmp_path / "data")
    try:
        async with aiohttp.ClientSession(process.url) as session:
            account.control = Control(session)
            assert (await account.control.get("/settings"))["webhooks"]["retry_seconds"] == [600]
            await account.control.post("/deliveries/retry")
            assert (await account.control.get("/deliveries/idle", timeout="30"))["idle"]
            after = await account.state()
            assert {**before, "deliveries": {"delivered": 1}} == after
            client = sdk(process.url, account.keys["sk_test"], http)
            again = await client.v1.customers.create_async({"name": "Ann"}, {"idempotency_key": "k"})
            assert again.id == customer.id
            read = await client.v1.invoices.retrieve_async(invoice.id)
            assert str(read.hosted_invoice_url).startswith(process.url)
            assert (await client.v1.webhook_endpoints.retrieve_async(endpoint.id)).url == receiver.url
            body, header = receiver.bodies[-1].decode(), receiver.signatures[-1]
            assert stripe.WebhookSignature.verify_header(body, header, str(endpoint.secret), 300)
    finally:
        assert process.stop() == 0


async def test_the_demo_account_has_stable_keys(sandbox: Process, http: stripe.HTTPClient) -> None:
    client = sdk(sandbox.url, DEMO_SECRET_KEY, http)
    assert (await client.v1.accounts.retrieve_current_async()).id == DEMO_ACCOUNT


async def test_the_environment_gives_keys_and_accounts(tmp_path: Path, http: stripe.HTTPClient) -> None:
    process = Process(
        tmp_path / "log",
        SANDBOX_DEMO_KEYS="sk_test_given,pk_test_given",
        SANDBOX_ACCOUNTS='[{"name": "Second", "id": "acct_1Second", "keys": {"sk_live": "sk_live_second"}}]',
        SANDBOX_PUBLIC_URL="https://pay.example.com/",
        SANDBOX_CONTROL_TOKEN="let-me-in",
    )
    try:
        assert (await sdk(process.url, "sk_test_given", http).v1.accounts.retrieve_current_async()).id == DEMO_ACCOUNT
        invoice = await opened(sdk(process.url, "sk_live_second", http), 500)
        assert str(invoice.hosted_invoice_url).startswith("https://pay.example.com/i/acct_1Second/live_")
        async with aiohttp.ClientSession(process.url) as session:
            async with session.get("/_sandbox/state") as response:
                assert response.status == 401
            async with session.get("/_sandbox/state", headers={"Authorization": "Bearer let-me-in"}) as response:
                assert response.status == 200
    finally:
        assert process.stop() == 0


def test_a_second_sandbox_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    process = Process(tmp_path / "log1", tmp_path / "data")
    try:
        with pytest.raises(AssertionError, match="Another sandbox uses the folder data"):
            Process(tmp_path / "log2", tmp_path / "data")
    finally:
        process.stop()


@pytest.mark.parametrize(
    "environment",
    [
        {"SANDBOX_LISTEN": "nonsense"},
        {"SANDBOX_LISTEN": "0.0.0.0:0"},
        {"SANDBOX_DEMO_KEYS": "sk_live_1,pk_test_1"},
        {"SANDBOX_ACCOUNTS": "[{}]"},
    ],
)
def test_a_wrong_setting_is_named_and_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match=next(iter(environment))):
        Process(tmp_path / "log", None, **environment)
