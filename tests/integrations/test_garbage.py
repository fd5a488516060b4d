"""Whatever answers in Stripe's place, the operator gets a sentence and the outcome counts as unknown."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from services.common.secret import Secret
from services.integrations.adapters.stripe.adapter import StripeAdapter
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.operations import CREATE_INVOICE
from services.integrations.connection_values import EndpointWish, Link
from services.integrations.failures import AdapterError, Failure
from tests.fakes.book import MemoryBook
from tests.fakes.pace import NoPace
from tests.waiting import free_port

LINK = Link("w", "i", "acct_1", False, {"secret_key": Secret("sk_test_51abcdefghij")})
ANSWERS = [
    (200, "application/json", b"<html>Welcome to the hotel</html>"),
    (200, "text/html", b"<html>Sign in to the network</html>"),
    (200, "application/json", b""),
    (200, "application/json", b"[]"),
    (200, "application/json", b"null"),
    (200, "application/json", b"{}"),
    (200, "application/json", b'{"object": "invoice", "id": "in_1"}'),
    (200, "application/json", b'{"object": "list", "data": []}'),
    (200, "application/json", b'{"object": "list", "data": null, "has_more": false}'),
    (200, "application/json", b'{"object": "list", "data": [7], "has_more": false}'),
    (200, "application/json", b'{"object": "list", "data": [{"object": "invoice", "id": "in_1"}], "has_more": false}'),
    (200, "application/json", b'{"object": "surprise"}'),
    (200, "application/json", b"\xff\xfe\x00"),
    (302, "text/html", b"moved"),
    (401, "text/html", b"<html>Sign in to the proxy</html>"),
    (401, "application/json", b"{}"),
    (403, "text/html", b"<html>Blocked</html>"),
    (404, "text/html", b"<html>Not here</html>"),
    (200, "application/json", b'{"object": "balance", "livemode": true}'),
    (429, "text/html", b"<html>Slow down</html>"),
    (500, "application/json", b'{"error": "upstream is away"}'),
    (502, "application/json", b'{"error": null}'),
    (503, "application/json", b'{"error": []}'),
    (500, "application/json", b'{"error": {"message": 7, "code": [], "param": {}}}'),
    (500, "application/json", b"{}"),
    (502, "text/html", b"<html>Bad gateway</html>"),
    (503, "text/plain", b""),
]


@pytest.fixture
async def answers() -> AsyncIterator[tuple[str, list[Any]]]:
    """An address, and a list whose last entry is what it answers."""
    scripted: list[Any] = []

    async def answer(_request: web.Request) -> web.Response:
        status, content_type, body = scripted[-1]
        return web.Response(status=status, body=body, content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}", scripted
    await runner.cleanup()


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda one: f"{one[0]} {one[2][:12]!r}")
async def test_garbage_is_an_unknown_outcome_with_a_sentence(
    answers: tuple[str, list[Any]], answer: tuple[int, str, bytes]
) -> None:
    url, scripted = answers
    scripted.append(answer)
    api = StripeApi(url, NoPace())
    with pytest.raises(AdapterError) as failed:
        await api.call(LINK, CREATE_INVOICE, {"customer": "cus_1"}, key="k")
    assert failed.value.failure is Failure.PROVIDER_UNAVAILABLE
    assert failed.value.message.endswith("It is safe to try again: what was begun is found, nothing is made twice.")
    await api.close()


@pytest.mark.parametrize("message", [b"7", b"[]", b'"Not today"', b"null"])
async def test_refusal_of_any_shape_is_a_finished_sentence(answers: tuple[str, list[Any]], message: bytes) -> None:
    url, scripted = answers
    scripted.append((402, "application/json", b'{"error": {"type": "card_error", "message": %s}}' % message))
    api = StripeApi(url, NoPace())
    with pytest.raises(AdapterError, match=r"^Stripe refused: .+[.]$") as failed:
        await api.call(LINK, CREATE_INVOICE, {"customer": "cus_1"}, key="k")
    assert failed.value.failure is Failure.PROVIDER_REFUSED
    assert failed.value.message.count("Stripe") == 1
    await api.close()


async def test_nobody_there_is_told_as_no_answer() -> None:
    api = StripeApi(f"http://127.0.0.1:{free_port()}", NoPace())
    with pytest.raises(AdapterError, match=r"^Stripe did not answer\.") as failed:
        await api.call(LINK, CREATE_INVOICE)
    assert failed.value.failure is Failure.PROVIDER_UNAVAILABLE
    await api.close()


async def test_silence_is_told_as_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.integrations.adapters.stripe.api.TIMEOUT", 0.2)
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", port := free_port())
    api = StripeApi(f"http://127.0.0.1:{port}", NoPace())
    with pytest.raises(AdapterError, match=r"^Stripe did not answer\."):
        await api.call(LINK, CREATE_INVOICE)
    await api.close()
    server.close()


async def test_incomplete_keys_are_no_keys() -> None:
    api = StripeApi("http://127.0.0.1:1", NoPace())
    with pytest.raises(AdapterError) as failed:
        await api.call(Link("w", "i", "acct_1", False, {}), CREATE_INVOICE)
    assert failed.value.failure is Failure.CREDENTIALS_REJECTED
    await api.close()


@pytest.mark.parametrize(
    "odd", [{"status": "haunted"}, {"currency": None}, {"total": "many"}, {"lines": {"data": [7]}}]
)
async def test_invoice_that_cannot_be_read_is_an_unknown_outcome(
    answers: tuple[str, list[Any]], odd: dict[str, Any]
) -> None:
    url, scripted = answers
    invoice = {
        "object": "invoice",
        "id": "in_1",
        "status": "open",
        "total": 1,
        "currency": "gbp",
        "lines": {"data": []},
    }
    scripted.append((200, "application/json", json.dumps({**invoice, **odd}).encode()))
    adapter = StripeAdapter(url, url, NoPace(), MemoryBook())
    with pytest.raises(AdapterError) as failed:
        await adapter.get_invoice(LINK, "in_1")
    assert failed.value.failure is Failure.PROVIDER_UNAVAILABLE
    await adapter.close()


async def test_endpoint_without_its_secret_is_not_understood(answers: tuple[str, list[Any]]) -> None:
    url, scripted = answers
    made = {"object": "webhook_endpoint", "id": "we_1", "url": url, "status": "enabled", "enabled_events": ["*"]}
    scripted.append((200, "application/json", json.dumps(made).encode()))
    adapter = StripeAdapter(url, url, NoPace(), MemoryBook())
    with pytest.raises(AdapterError) as failed:
        await adapter.ensure_endpoint(LINK, EndpointWish("i", "w", url, url))
    assert failed.value.failure is Failure.PROVIDER_UNAVAILABLE
    await adapter.close()
