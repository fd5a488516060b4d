"""Requests are counted, over all replicas, and the answer tells where one stands."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.common.addresses import BaseUrl
from services.common.db import Pool, open_pool
from services.common.errors import Unavailable
from services.common.secret import Secret
from services.gateway import edge, limits
from services.gateway.limits import Limits, TooManyRequests
from tests.conftest import Database, DatabaseMaker
from tests.gateway.harness import PASSWORD, Gateway, Owner, running_gateway
from tests.gateway.test_paylink import payable
from tests.waiting import eventually


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    one = await open_pool(Secret(await database("gateway", migrated=True)), "tests", largest=4)
    yield one
    await one.close()


async def passed(replica: Limits, tries: int, caller: str = "x") -> int:
    count = 0
    for _ in range(tries):
        try:
            await replica.take("known", caller)
        except TooManyRequests:
            continue
        count += 1
    return count


async def minute_ahead(pool: Pool) -> None:
    """Waits for the next window where this one is nearly over, for whoever counts up to a quota."""
    plenty = "SELECT extract(second FROM now()) < 55"
    await eventually(lambda: pool.fetchval(plenty), interval=0.2, why="the minute did not end")


async def close_window(pool: Pool, replica: Limits) -> None:
    await pool.execute("UPDATE request_counts SET window_began_at = window_began_at - interval '1 minute'")
    for standing in replica._standings.values():
        standing.ends = 0


@pytest.mark.parametrize("quota", [7, 500])
async def test_replicas_together_let_through_no_more_than_the_quota(pool: Pool, quota: int) -> None:
    replicas = [Limits(pool, known=quota, anonymous=1) for _ in range(3)]
    minute = "SELECT date_bin('1 minute', now(), timestamptz 'epoch')"
    began = await pool.fetchval(minute)
    counts = await asyncio.gather(*(passed(replica, quota) for replica in replicas))
    over = await pool.fetchval(minute) != began  # then a second window was open
    assert quota <= sum(counts) <= (2 * quota if over else quota)


async def test_a_window_that_is_over_counts_no_more(pool: Pool) -> None:
    replica = Limits(pool, known=5, anonymous=1)
    assert await passed(replica, 5) == 5
    await close_window(pool, replica)
    assert await passed(replica, 5) == 5


async def test_callers_are_counted_apart(pool: Pool) -> None:
    replica = Limits(pool, known=5, anonymous=1)
    assert await passed(replica, 5, "a") == 5
    assert await passed(replica, 5, "b") == 5
    assert await Limits(pool, known=0, anonymous=0).take("known", "a") is None


async def test_a_replica_counts_alone_while_the_database_is_away(
    pool: Pool, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await minute_ahead(pool)
    replica, ask, asked = Limits(pool, known=5, anonymous=1), Limits._ask, []

    async def away(self: Limits, *arguments: Any) -> Any:
        asked.append(arguments)
        raise ConnectionRefusedError

    monkeypatch.setattr(Limits, "_ask", away)
    with capture_logs() as said:
        assert await passed(replica, 7, "a") == 5
        assert await passed(replica, 7, "b") == 5
        monkeypatch.setattr(replica, "_alone_until", 1e-9)  # the moment has come to ask again
        assert await passed(replica, 7, "c") == 5
    assert len(asked) == 2
    assert [one["event"] for one in said] == ["requests are counted by this replica alone"]
    monkeypatch.setattr(Limits, "_ask", ask)
    monkeypatch.setattr(replica, "_alone_until", 1e-9)
    assert await passed(replica, 7, "d") == 5
    assert replica._alone_until == 0


async def test_buyers_can_pay_while_our_own_database_is_away(database_maker: DatabaseMaker, nats: Any) -> None:
    database = await database_maker.make("gateway", migrated=True)
    async with running_gateway(database, nats.url, wants_events=False) as gateway:
        gateway.invoicing.script("ResolvePayLink", payable())
        await database_maker.drop(database)
        client = gateway.client()
        for path in ("/p/token-1", "/p/token-2", "/sign-in"):
            assert (await client("GET", path)).status == 200
        assert (await client("GET", "/p/token-1/pay")).status == 303


async def test_a_database_is_asked_seldom(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    replica, asked = Limits(pool, known=5000, anonymous=1), []
    ask = replica._ask

    async def counted(*arguments: Any) -> Any:
        asked.append(arguments)
        return await ask(*arguments)

    monkeypatch.setattr(replica, "_ask", counted)
    assert await passed(replica, 400) == 400
    assert len(asked) <= 5


@pytest.fixture(scope="module")
async def strict(database_maker: DatabaseMaker, nats: Any) -> AsyncIterator[Gateway]:
    database = await database_maker.make("gateway", migrated=True)
    settings = {"rate_limit": 4, "rate_limit_anonymous": 6, "public_url": BaseUrl("http://showbill.internal")}
    async with running_gateway(database, nats.url, wants_events=False, **settings) as gateway:
        yield gateway


async def test_a_crowd_of_callers_is_not_looked_through_for_each_newcomer(pool: Pool) -> None:
    crowd, looks = Limits(pool, known=100, anonymous=100), 0
    crowd._alone_until = math.inf
    crowd._swept_beyond = 10
    look = crowd._forget_those_over

    def counted() -> None:
        nonlocal looks
        looks += 1
        look()

    crowd._forget_those_over = counted  # type: ignore[method-assign]
    for number in range(limits._MOST_KEPT + 5000):
        await crowd.take("known", str(number))
    assert looks == 2
    assert len(crowd._standings) == limits._MOST_KEPT + 5000
    for standing in crowd._standings.values():
        standing.ends = 0
    for number in range(10_000):
        await crowd.take("known", f"newcomer {number}")
    assert len(crowd._standings) == 10_000, "who is over is forgotten in the end"


async def test_who_sends_too_much_is_told_when_to_go_on(strict: Gateway) -> None:
    await minute_ahead(strict.pool)
    owner = await strict.make_owner()
    answers = [await owner.client("GET", "/api/session") for _ in range(6)]
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=4;w=60'
    left = [int(re.findall(r"r=(\d+)", answer.headers["RateLimit"])[0]) for answer in answers if answer.status == 200]
    assert left == sorted(left, reverse=True)
    refused = next(answer for answer in answers if answer.status != 200)
    assert (refused.status, refused.json["type"]) == (429, "urn:showbill:problem:too-many-requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == '"requests";q=4;w=60'
    assert re.fullmatch(r'"requests";r=0;t=\d+', refused.headers["RateLimit"])
    other = await strict.make_owner()
    assert (await other.client("GET", "/api/session")).status == 200


async def test_strangers_are_counted_by_address(strict: Gateway) -> None:
    await minute_ahead(strict.pool)
    client = strict.client(Authorization="Bearer showbill_" + "x" * 40)
    statuses = [(await client("GET", "/api/shows")).status for _ in range(14)]
    assert statuses.count(429) > 0
    assert set(statuses) == {401, 429}
    assert (await client("GET", "/api/shows")).headers["RateLimit"].startswith('"requests";r=0;')
    page = await strict.client()("GET", "/sign-in")
    assert (page.status, "too many requests" in page.text) == (429, True)
    # What must always answer: whether we live, files of pages, and the provider.
    assert (await strict.client()("GET", "/api/health")).status == 200
    assert (await strict.client()("GET", "/static/app.css")).status == 200
    strict.integrations.script("VerifyWebhooks", Unavailable())
    hook = await strict.client()("POST", "/api/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": "x"})
    assert hook.status == 503
    assert "RateLimit" not in hook.headers


async def test_the_shared_gateway_is_generous(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("GET", "/api/session")
    assert answer.headers["RateLimit-Policy"] == '"requests";q=1000000;w=60'
    sign_in = await gateway.sign_in(owner.email, PASSWORD)
    assert sign_in.headers["RateLimit-Policy"] == '"requests";q=1000000;w=60'


async def test_a_body_that_trickles_is_given_up(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "_BODY_PATIENCE", 0.2)
    host, port = gateway.config.http_listen.host, gateway.config.http_listen.port
    reader, writer = await asyncio.open_connection(host, port)
    head = f"POST /api/shows HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {owner.token}\r\nContent-Length: 50\r\n"
    writer.write(head.encode() + b'Content-Type: application/json\r\n\r\n{"name":')
    answer = await asyncio.wait_for(reader.read(), 30)  # to its end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"urn:showbill:problem:too-slow" in answer
    writer.close()
