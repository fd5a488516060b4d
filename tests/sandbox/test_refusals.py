"""Stripe's refusals, word for word as recorded."""

from typing import Any

import aiohttp
import pytest
import stripe

from tests.sandbox import recorded
from tests.sandbox.harness import Account, draft, opened

REFUSALS = recorded.load("refusals.json")


def flat(params: dict[str, Any]) -> dict[str, str]:
    form: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, dict):
            form.update({f"{name}[{key}]": str(inner) for key, inner in value.items()})
        elif isinstance(value, list):
            form.update({f"{name}[0][{key}]": str(inner) for key, inner in value[0].items()})
        else:
            form[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return form


class Api:
    def __init__(self, session: aiohttp.ClientSession, account: Account) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {account.keys['sk_test']}"}

    async def refused(
        self, method: str, path: str, params: dict[str, Any] | None = None, *, status: int = 400
    ) -> dict[str, Any]:
        form = flat(params or {})
        sent: dict[str, Any] = {"params": form} if method == "GET" else {"data": form}
        async with self._session.request(method, path, headers=self._headers, **sent) as response:
            body = await response.json()
            assert response.status == status, body
            error: dict[str, Any] = body["error"]
            return error

    async def invoice(self, invoice_id: str, operation: str, params: dict[str, Any], *, status: int) -> dict[str, Any]:
        verb = {"retrieve": "GET", "delete": "DELETE"}.get(operation, "POST")
        tail = "" if operation in ("retrieve", "update", "delete") else f"/{operation}"
        return await self.refused(verb, f"/v1/invoices/{invoice_id}{tail}", params, status=status)


@pytest.fixture
def api(session: aiohttp.ClientSession, account: Account) -> Api:
    return Api(session, account)


def assert_as_recorded(error: dict[str, Any], case: dict[str, Any]) -> None:
    wanted = {name: case[name] for name in ("message", "param", "code") if name in case}
    assert {name: error[name] for name in error if name in ("message", "param", "code")} == wanted
    fields = set(REFUSALS["fields_of_every_refusal"]) | ({"param"} if "param" in case else set())
    assert set(error) == fields | (set(REFUSALS["fields_with_a_code"]) if "code" in case else set())
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "case", REFUSALS["by_invoice_status"], ids=lambda case: f"{case['operation']}-{case['status']}"
)
async def test_a_move_that_the_status_forbids_is_refused(
    api: Api, client: stripe.StripeClient, account: Account, case: dict[str, Any]
) -> None:
    invoice = await (draft if case["status"] == "draft" else opened)(client, 3500)
    deed = {"paid": "pay", "void": "void", "uncollectible": "mark_uncollectible"}.get(case["status"])
    if deed:
        await account.control.post(f"/invoices/{invoice.id}/{deed}")
    error = await api.invoice(invoice.id, case["operation"], case.get("params", {}), status=400)
    assert_as_recorded(error, case)


@pytest.mark.parametrize("case", REFUSALS["missing_invoice"], ids=lambda case: str(case["operation"]))
async def test_a_missing_invoice_names_the_recorded_parameter(api: Api, case: dict[str, Any]) -> None:
    error = await api.invoice("in_nope", case["operation"], case.get("params", {}), status=404)
    assert_as_recorded(error, {**case, "code": "resource_missing", "message": "No such invoice: 'in_nope'"})


@pytest.mark.parametrize("case", REFUSALS["of_create"], ids=lambda case: str(case["step"]))
async def test_an_invoice_that_cannot_be_made_is_refused(
    api: Api, client: stripe.StripeClient, case: dict[str, Any]
) -> None:
    customer = await client.v1.customers.create_async({"email": "b@example.com"})
    error = await api.refused("POST", "/v1/invoices", {"customer": customer.id, **case["params"]})
    assert_as_recorded(error, case)


@pytest.mark.parametrize("case", REFUSALS["of_customers"], ids=lambda case: str(case["step"]))
async def test_a_wrong_customer_request_is_refused(api: Api, case: dict[str, Any]) -> None:
    error = await api.refused(case["method"].upper(), "/v1/customers", case["params"])
    assert_as_recorded(error, case)


async def test_lists_refuse_unknown_status_and_two_cursors(api: Api, client: stripe.StripeClient) -> None:
    assert_as_recorded(await api.refused("GET", "/v1/invoices", {"status": "bogus"}), REFUSALS["list_status"])
    one = await client.v1.customers.create_async()
    cursors = {"starting_after": one.id, "ending_before": one.id}
    assert_as_recorded(await api.refused("GET", "/v1/customers", cursors), REFUSALS["both_cursors"])


async def test_a_malformed_api_version_is_refused(session: aiohttp.ClientSession, account: Account) -> None:
    headers = {"Authorization": f"Bearer {account.keys['sk_test']}", "Stripe-Version": "not-a-real-version"}
    async with session.get("/v1/customers", headers=headers) as response:
        assert response.status == 400
        assert await response.json() == {
            "error": {"message": REFUSALS["version"]["message"], "type": "invalid_request_error"}
        }


async def test_an_unknown_address_says_how_to_ask(api: Api) -> None:
    error = await api.refused("GET", "/v1/nonsense", status=404)
    assert error["message"].startswith("Unrecognized request URL (GET: /v1/nonsense).")


async def test_a_bad_email_is_refused(api: Api) -> None:
    error = await api.refused("POST", "/v1/customers", {"email": "not-an-address"})
    assert (error["code"], error["param"]) == ("email_invalid", "email")


async def test_send_invoice_needs_a_customer_with_email(api: Api, client: stripe.StripeClient) -> None:
    nameless = await client.v1.customers.create_async({"name": "Only a handle"})
    params = {"customer": nameless.id, "collection_method": "send_invoice", "days_until_due": 7}
    error = await api.refused("POST", "/v1/invoices", params)
    assert error["message"] == (
        "Missing email. In order to create invoices that are sent to the customer, the customer must have a valid"
        " email."
    )


async def test_an_object_of_the_other_mode_is_told_apart(
    session: aiohttp.ClientSession, client: stripe.StripeClient, account: Account
) -> None:
    customer = await client.v1.customers.create_async()
    headers = {"Authorization": f"Bearer {account.keys['sk_live']}"}
    async with session.get(f"/v1/customers/{customer.id}", headers=headers) as response:
        assert response.status == 404
        message = (await response.json())["error"]["message"]
    assert message.endswith("a similar object exists in test mode, but a live mode key was used to make this request.")
