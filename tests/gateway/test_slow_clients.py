"""Clients that are slow, odd or greedy tie up nothing; and a delivery counts however its bytes come."""

import asyncio
import gzip
import re
from contextlib import suppress

import pytest
from prometheus_client import REGISTRY

from services.gateway import edge, impatience
from services.gateway.backends.webhooks import WebhookBackend
from services.gateway.webhooks import stripe
from services.rpc.showbill.integrations.v1 import integrations_pb2 as integrations
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as invoicing
from tests.gateway.harness import Gateway
from tests.gateway.test_webhooks import BODY, VERIFIED, outcomes, verdicts

HOOK = "/api/webhooks/stripe/c"
HEAD = f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nStripe-Signature: t=1,v1=ab\r\n".encode()


async def raw(gateway: Gateway, *pieces: bytes, pause: float = 0) -> bytes:
    """What comes back until the other side closes."""
    listen = gateway.config.http_listen
    reader, writer = await asyncio.open_connection(listen.host, listen.port)
    reading = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        for piece in pieces:
            if reading.done():
                break
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(reading, 30)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /api/sh", b"GET /api/shows HTTP/1.1\r\nHost: x\r\nX-Slow"])
async def test_a_head_that_never_ends_is_given_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(impatience, "_HEAD_PATIENCE", 0.2)
    assert (await raw(gateway, sent)).startswith(b"HTTP/1.1 408")


async def test_a_second_request_on_a_connection_is_waited_for_no_longer(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impatience, "_HEAD_PATIENCE", 0.5)
    answers = await raw(gateway, b"GET /api/health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /api/sh")
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"408"]


async def test_a_head_that_is_too_large_is_not_kept(gateway: Gateway) -> None:
    lines = [b"GET /api/shows HTTP/1.1\r\nHost: x\r\n", b"X-Large: ", *[b"x" * 32_768] * 8]
    answer = await raw(gateway, *lines)
    assert answer.startswith(b"HTTP/1.1 431") or answer == b""  # a reset may overtake the words


async def test_a_body_has_an_end_even_where_it_keeps_coming(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "_BODY_DEADLINE", 0.3)
    pieces = [HEAD + b"Content-Length: 500\r\n\r\n", *[b"x"] * 20]
    assert b" 408 " in await raw(gateway, *pieces, pause=0.03)
    assert not gateway.integrations.calls


@pytest.fixture
async def genuine(gateway: Gateway) -> Gateway:
    """Every delivery is genuine, and is applied."""
    gateway.integrations.script("VerifyWebhooks", verdicts(VERIFIED))
    gateway.invoicing.script("ApplyProviderEvents", outcomes(invoicing.EVENT_OUTCOME_APPLIED))
    return gateway


async def test_a_delivery_in_pieces_without_a_length_is_whole(genuine: Gateway) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:5], BODY[5:])) + b"0\r\n\r\n"
    answer = await raw(genuine, HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", chunks)
    assert answer.startswith(b"HTTP/1.1 200")
    assert genuine.integrations.last("VerifyWebhooks").deliveries[0].body == BODY


async def test_a_delivery_without_length_and_pieces_is_empty(gateway: Gateway) -> None:
    gateway.integrations.script("VerifyWebhooks", verdicts(integrations.WEBHOOK_OUTCOME_BAD_SIGNATURE))
    assert (await raw(gateway, HEAD + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 400")
    assert gateway.integrations.last("VerifyWebhooks").deliveries[0].body == b""


async def test_pieces_without_end_are_cut_at_the_limit(genuine: Gateway) -> None:
    piece = b"%x\r\n%s\r\n" % (65_536, b"x" * 65_536)
    answer = await raw(genuine, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[piece] * 20)
    assert b" 413 " in answer or answer == b""  # as above
    assert not genuine.integrations.calls


async def test_a_compressed_delivery_is_handed_on_as_it_came(genuine: Gateway) -> None:
    packed = gzip.compress(BODY)
    headers = {"Content-Encoding": "gzip", "Stripe-Signature": "t=1,v1=ab"}
    assert (await genuine.client()("POST", HOOK, data=packed, headers=headers)).status == 200
    assert genuine.integrations.last("VerifyWebhooks").deliveries[0].body == packed  # signed is what travels


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [
        (VERIFIED, "done"),
        (integrations.WEBHOOK_OUTCOME_BAD_SIGNATURE, "refused"),
        (integrations.WEBHOOK_OUTCOME_UNKNOWN_CONNECTION, "unknown"),
        (integrations.WEBHOOK_OUTCOME_GONE, "gone"),
        (integrations.WEBHOOK_OUTCOME_TRY_AGAIN, "again"),
    ],
)
async def test_deliveries_are_counted_by_outcome(genuine: Gateway, outcome: int, counted: str) -> None:
    genuine.integrations.script("VerifyWebhooks", verdicts(outcome))
    before = count_of(counted)
    await genuine.client()("POST", HOOK, data=BODY)
    assert count_of(counted) == before + 1


def count_of(outcome: str) -> float:
    labels = {"provider": "stripe", "outcome": outcome}
    return REGISTRY.get_sample_value("showbill_webhooks_total", labels) or 0


async def test_what_never_gets_to_a_verdict_is_counted_too(genuine: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {outcome: count_of(outcome) for outcome in ("refused", "again")}
    assert (await genuine.client()("POST", HOOK, data=b"x" * (stripe.LARGEST + 1))).status == 413
    assert count_of("refused") == before["refused"] + 1

    async def broken(*_: object) -> None:
        raise RuntimeError("nobody foresaw it")

    monkeypatch.setattr(WebhookBackend, "_judge", broken)
    assert (await genuine.client()("POST", HOOK, data=BODY)).status == 500
    assert count_of("again") == before["again"] + 1
