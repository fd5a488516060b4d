"""Idempotency keys: replay, mismatch, concurrency, and what is kept."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.sandbox.harness import Account


class Poster:
    def __init__(self, session: aiohttp.ClientSession, account: Account) -> None:
        self._session = session
        self._account = account

    async def __call__(
        self, path: str, key: str | None, mode: str = "sk_test", **form: str
    ) -> tuple[int, dict[str, Any], Any]:
        headers = {"Authorization": f"Bearer {self._account.keys[mode]}"}
        if key:
            headers["Idempotency-Key"] = key
        async with self._session.post(path, data=form, headers=headers) as response:
            return response.status, await response.json(), response.headers


@pytest.fixture
def post(session: aiohttp.ClientSession, account: Account) -> Poster:
    return Poster(session, account)


async def test_the_same_key_replays_the_first_answer(post: Poster, account: Account) -> None:
    status, first, headers = await post("/v1/customers", "k", email="b@example.com")
    again = await post("/v1/customers", "k", email="b@example.com")
    assert (again[0], again[1]) == (status, first)
    assert "Idempotent-Replayed" not in headers
    assert again[2]["Idempotent-Replayed"] == "true"
    assert again[2]["Original-Request"] == headers["Request-Id"] == headers["Original-Request"]
    assert again[2]["Request-Id"] != headers["Request-Id"]
    assert (await account.state())["customers"] == 1


async def test_other_parameters_under_the_key_are_refused(post: Poster) -> None:
    await post("/v1/customers", "k", email="b@example.com")
    status, body, headers = await post("/v1/customers", "k", email="c@example.com")
    assert (status, body["error"]["type"]) == (400, "idempotency_error")
    assert body["error"]["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
        " Try using a key other than 'k' if you meant to execute a different request."
    )
    assert "Idempotent-Replayed" not in headers


async def test_another_endpoint_under_the_key_is_refused(post: Poster) -> None:
    _, customer, _ = await post("/v1/customers", "k")
    status, body, _ = await post("/v1/invoices", "k", customer=customer["id"])
    assert (status, body["error"]["type"]) == (400, "idempotency_error")
    assert "('/v1/invoices' vs. '/v1/customers')" in body["error"]["message"]


async def test_a_refusal_in_execution_is_kept(post: Poster) -> None:
    first = await post("/v1/invoices", "k", customer="cus_nope")
    again = await post("/v1/invoices", "k", customer="cus_nope")
    assert (first[0], again[0]) == (400, 400)
    assert again[2]["Idempotent-Replayed"] == "true"


async def test_a_refusal_of_parameters_is_not_kept(post: Poster) -> None:
    assert (await post("/v1/customers", "k", nope="1"))[0] == 400
    status, _, headers = await post("/v1/customers", "k", email="b@example.com")
    assert status == 200
    assert "Idempotent-Replayed" not in headers


async def test_keys_of_test_and_live_mode_are_apart(post: Poster) -> None:
    _, test, _ = await post("/v1/customers", "k")
    _, live, _ = await post("/v1/customers", "k", mode="sk_live")
    assert test["id"] != live["id"]
    assert (test["livemode"], live["livemode"]) == (False, True)


async def test_a_second_request_at_once_gets_409(post: Poster, account: Account) -> None:
    fault = await account.control.post("/faults", operation="customers.create", effect="hold", account=account.id)
    first = asyncio.create_task(post("/v1/customers", "k"))
    await account.control.get(f"/faults/{fault['id']}", wait_hits="1")
    status, body, _ = await post("/v1/customers", "k")
    assert (status, body["error"]["code"]) == (409, "idempotency_key_in_use")
    await account.control.post(f"/faults/{fault['id']}/release")
    assert (await first)[0] == 200
    assert (await post("/v1/customers", "k"))[2]["Idempotent-Replayed"] == "true"


async def test_a_key_protects_for_a_day(post: Poster, account: Account) -> None:
    await post("/v1/customers", "k")
    await account.control.post("/clock", advance_seconds=86_402)
    assert "Idempotent-Replayed" not in (await post("/v1/customers", "k"))[2]
    assert (await account.state())["customers"] == 2


async def test_a_key_of_more_than_255_characters_is_refused(post: Poster) -> None:
    assert (await post("/v1/customers", "k" * 255))[0] == 200
    assert (await post("/v1/customers", "k" * 256))[0] == 400
