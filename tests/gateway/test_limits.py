"""Counted by all replicas together, told in the standard headers, and never in the way when the database is."""

import asyncio

import pytest

from services.common.db import open_pool
from services.common.secret import Secret
from services.gateway.limits import Limits, Policy, network_of
from tests.gateway.harness import Gateway

ADDRESS, ALL = Policy("address", 3, 60), Policy("all", 5, 60)


async def test_replicas_count_together(gateway: Gateway) -> None:
    one, other = Limits(gateway.pool), Limits(gateway.pool)
    taken = await asyncio.gather(*(limits.take("page", {ADDRESS: "a", ALL: ""}) for limits in (one, other, one)))
    assert sorted(each.left[ADDRESS][0] for each in taken) == [0, 1, 2]
    assert {each.wait for each in taken} == {0}
    beyond = await other.take("page", {ADDRESS: "a", ALL: ""})
    assert 0 < beyond.wait <= 60
    assert beyond.headers["Retry-After"] == str(beyond.wait)
    assert beyond.headers["RateLimit-Policy"] == '"address";q=3;w=60, "all";q=5;w=60'
    assert beyond.headers["RateLimit"] == f'"address";r=0;t={beyond.wait}, "all";r=1;t={beyond.wait}'
    assert (await one.take("page", {ADDRESS: "b", ALL: ""})).wait == 0
    assert (await one.take("page", {ADDRESS: "c", ALL: ""})).wait > 0, "the world's limit"
    assert (await one.take("another", {ADDRESS: "a"})).wait == 0


async def test_a_window_that_passed_begins_anew_and_is_forgotten(gateway: Gateway) -> None:
    limits = Limits(gateway.pool)
    for _ in range(4):
        await limits.take("page", {ADDRESS: "a"})
    await gateway.pool.execute("UPDATE request_counts SET window_ends_at = now() - interval '1 second'")
    taken = await limits.take("page", {ADDRESS: "a"})
    assert (taken.wait, taken.left[ADDRESS][0]) == (0, 2)
    await gateway.pool.execute("UPDATE request_counts SET window_ends_at = now() - interval '1 second'")
    limits._forgot_at = -1e9
    await limits.take("page", {ADDRESS: "b"})
    assert await gateway.pool.fetchval("SELECT count(*) FROM request_counts") == 1


async def test_a_database_that_is_away_limits_nobody(gateway: Gateway) -> None:
    pool = await open_pool(Secret(gateway.config.database_url.reveal()), "gone", largest=1)
    await pool.close()
    taken = await Limits(pool).take("page", {ADDRESS: "a"})
    assert (taken.wait, taken.headers) == (0, {})


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_an_address_stands_for_whom_it_was_given(address: str, network: str) -> None:
    assert network_of(address) == network
