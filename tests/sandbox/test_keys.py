"""Keys: accounts and modes apart, restricted keys, wrong keys; and no key in any log line."""

import aiohttp
import pytest
import stripe

from tests.sandbox.harness import Account, Control, Process, sdk


async def ask(session: aiohttp.ClientSession, authorization: str | None) -> tuple[int, dict[str, str]]:
    headers = {"Authorization": authorization} if authorization else {}
    async with session.get("/v1/balance", headers=headers) as response:
        return response.status, (await response.json()).get("error", {})


async def test_a_wrong_key_is_quoted_by_its_tail(session: aiohttp.ClientSession, account: Account) -> None:
    wrong = account.keys["sk_test"][:-4] + "zzzz"
    status, error = await ask(session, f"Bearer {wrong}")
    assert status == 401
    assert error["message"].startswith("Invalid API Key provided: sk_test_*****")
    assert error["message"].endswith("zzzz")
    assert wrong not in error["message"]


async def test_no_key_and_basic_auth_are_understood(session: aiohttp.ClientSession, account: Account) -> None:
    status, error = await ask(session, None)
    assert status == 401
    assert error["message"].startswith("You did not provide an API key.")
    assert (await ask(session, aiohttp.encode_basic_auth(account.keys["sk_test"], "")))[0] == 200


async def test_a_revoked_key_is_refused(control: Control, session: aiohttp.ClientSession) -> None:
    account = await control.account()
    await control.post("/keys/revoke", key=account.keys["sk_test"])
    status, error = await ask(session, f"Bearer {account.keys['sk_test']}")
    assert (status, error["code"]) == (401, "api_key_expired")


async def test_a_publishable_key_opens_nothing(session: aiohttp.ClientSession, account: Account) -> None:
    status, error = await ask(session, f"Bearer {account.keys['pk_test']}")
    assert (status, error["code"]) == (403, "secret_key_required")


async def test_accounts_and_modes_do_not_see_each_other(
    sandbox: Process, control: Control, http: stripe.HTTPClient
) -> None:
    one, other = await control.account(name="One"), await control.account(name="Other", country="GB")
    customer = await sdk(sandbox.url, one.keys["sk_test"], http).v1.customers.create_async()
    for key in (one.keys["sk_live"], other.keys["sk_test"]):
        with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
            await sdk(sandbox.url, key, http).v1.customers.retrieve_async(customer.id)
    shown = await sdk(sandbox.url, other.keys["sk_live"], http).v1.accounts.retrieve_current_async()
    assert (shown.id, shown.country, shown.default_currency, shown.charges_enabled) == (other.id, "GB", "usd", True)
    assert (await sdk(sandbox.url, other.keys["sk_live"], http).v1.balance.retrieve_async()).livemode is True


async def test_a_restricted_key_may_do_what_it_is_granted(
    sandbox: Process, account: Account, http: stripe.HTTPClient
) -> None:
    granted = ["rak_customer_write", "rak_balance_read"]
    made = await account.control.post(f"/accounts/{account.id}/restricted_keys", permissions=granted)
    client = sdk(sandbox.url, made["key"], http)
    customer = await client.v1.customers.create_async()
    assert (await client.v1.customers.retrieve_async(customer.id)).id == customer.id
    assert (await client.v1.balance.retrieve_async()).livemode is False
    with pytest.raises(stripe.PermissionError) as caught:
        await client.v1.accounts.retrieve_current_async()
    message = str(caught.value.user_message)
    assert f"on account '{account.id}'" in message
    assert message.endswith("Having the 'rak_accounts_kyc_basic_read' permission would allow this request to continue.")
    assert made["key"] not in message


async def test_permission_is_checked_before_parameters(
    sandbox: Process, account: Account, session: aiohttp.ClientSession
) -> None:
    granted = {"permissions": ["rak_customer_write", "rak_invoice_read"]}
    made = await account.control.post(f"/accounts/{account.id}/restricted_keys", **granted)
    headers = {"Authorization": f"Bearer {made['key']}"}
    for path, status in (("/v1/customers", 400), ("/v1/invoices", 403), ("/v1/webhook_endpoints", 403)):
        async with session.post(path, data={"deliberately_invalid": "1"}, headers=headers) as response:
            assert response.status == status
    async with session.get("/v1/invoices", headers=headers) as response:
        assert response.status == 200
    assert (await account.state())["customers"] == 0


async def test_no_key_secret_or_email_is_in_the_log(
    sandbox: Process, account: Account, client: stripe.StripeClient, session: aiohttp.ClientSession
) -> None:
    await client.v1.customers.create_async({"email": "canary@example.com"})
    endpoint = await client.v1.webhook_endpoints.create_async(
        {"url": "https://example.com/hook", "enabled_events": ["invoice.paid"]}
    )
    await ask(session, "Bearer sk_test_canary_that_is_wrong")
    log = sandbox.log.read_text()
    assert account.keys["sk_test"][-4:] in log
    for planted in (*account.keys.values(), str(endpoint.secret), "canary@example.com", "canary_that_is_wrong"):
        assert planted not in log
