"""The pace: close under Stripe's limits, over all replicas, without being told to slow down."""

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.common.db import Pool, open_pool
from services.common.ids import new_id
from services.common.secret import Secret
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.offers import Rates
from services.integrations.pacing import AT_ONCE, SQL, Pacer, intervals
from tests.conftest import Database, migrate_service
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.integrations.caller import Caller
from tests.integrations.shop import Shop

RATES = Rates(live=100, test=25, per_operation=25)
STRIPES = {"STRIPE_RATE_LIVE": "100", "STRIPE_RATE_TEST": "25", "STRIPE_RATE_PER_OPERATION": "25"}


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    url = await database("integrations")
    await migrate_service(url, "integrations")
    pool = await open_pool(Secret(url), "test")
    yield pool
    await pool.close()


def account(livemode: bool = False) -> Link:
    return Link(new_id(), new_id(), f"acct_{new_id()}", livemode, {})


async def duration(pacers: list[Pacer], link: Link, operations: list[str], patience: float = 30) -> float:
    """Seconds until every call had its turn, spread over replicas."""
    began = time.perf_counter()
    turns = (pacers[n % len(pacers)].wait(link, one, patience) for n, one in enumerate(operations))
    await asyncio.gather(*turns)
    return time.perf_counter() - began


async def waits(pool: Pool, link: Link, operations: list[str]) -> list[float]:
    """Seconds that each of so many calls, asked for at once, would wait for its turn."""
    asked, between = ("stripe", link.account_id, link.livemode), intervals(RATES, livemode=link.livemode)
    return [await pool.fetchval(SQL["take_slot"], *asked, one, *between, 30.0, AT_ONCE) for one in operations]


def least(count: int, rate: float) -> float:
    """Seconds below which so many calls cannot be had of an idle account."""
    return count / rate - AT_ONCE - 0.05


async def test_account_in_test_mode_gets_its_rate(pool: Pool) -> None:
    replicas = [Pacer(pool, "stripe", RATES) for _ in range(3)]
    operations = [f"operation-{n % 4}" for n in range(40)]
    assert await duration(replicas, account(), operations) > least(40, 25)
    assert max(await waits(pool, account(), operations)) < 40 / 25


async def test_one_operation_gets_its_own_rate_in_live_mode(pool: Pool) -> None:
    pacers, operations = [Pacer(pool, "stripe", RATES)], ["invoices.create"] * 30
    assert await duration(pacers, account(livemode=True), operations) > least(30, 25)
    assert max(await waits(pool, account(livemode=True), operations)) < 30 / 25


async def test_operations_run_side_by_side_in_live_mode(pool: Pool) -> None:
    pacers, operations = [Pacer(pool, "stripe", RATES)], ["a", "b", "c", "d"] * 30
    assert await duration(pacers, account(livemode=True), operations) > least(120, 100)
    assert max(await waits(pool, account(livemode=True), operations)) < 120 / 100


@pytest.mark.parametrize("idle", [0.0, 0.7])
async def test_no_turn_is_one_too_many_for_the_provider(pool: Pool, idle: float) -> None:
    """The provider's bucket holds a second's worth of calls."""
    replicas, link = [Pacer(pool, "stripe", RATES) for _ in range(2)], account()
    turns: list[float] = []

    async def turn(place: int) -> None:
        await replicas[place % 2].wait(link, "invoices.create", 30)
        turns.append(time.perf_counter())

    for _ in range(2):
        await asyncio.gather(*(turn(place) for place in range(30)))
        await asyncio.sleep(idle)
    tokens, before = 25.0, turns[0]
    for at in sorted(turns):
        tokens = min(25.0, tokens + (at - before) * 25) - 1
        before = at
        assert tokens >= 0


async def test_idle_account_starts_without_a_ramp(pool: Pool) -> None:
    asked = ("stripe", f"acct_{new_id()}", False, "invoices.create", *intervals(RATES, livemode=False), 2.0, AT_ONCE)
    waits = [await pool.fetchval(SQL["take_slot"], *asked) for _ in range(int(25 * AT_ONCE))]
    assert max(waits) <= 0


async def test_idle_account_gives_one_turn_for_one_call(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    pacer, link, taken = Pacer(pool, "stripe", RATES), account(), 0

    async def fetchval(*asked: Any) -> Any:
        nonlocal taken
        taken += 1
        return await pool.fetchval(*asked)

    monkeypatch.setattr(pacer, "_pool", SimpleNamespace(fetchval=fetchval))
    await pacer.wait(link, "invoices.create", 2)
    assert taken == 1


async def test_accounts_do_not_slow_each_other(pool: Pool) -> None:
    for one in [account() for _ in range(5)]:
        assert max(await waits(pool, one, ["invoices.create"] * 20)) < 20 / 25


async def test_workspaces_on_one_account_share_its_bucket(pool: Pool) -> None:
    pacer, mine = Pacer(pool, "stripe", RATES), account()
    other = Link(new_id(), new_id(), mine.account_id, mine.livemode, {})
    took = await asyncio.gather(*(duration([pacer], one, ["invoices.create"] * 15) for one in (mine, other)))
    assert max(took) > least(30, 25)


async def test_call_that_yields_goes_after_those_that_wait(pool: Pool) -> None:
    async def overtaken() -> float:
        """How many of those that wait it goes before, all of whom came later."""
        pacer, link = Pacer(pool, "stripe", RATES), account()
        done: list[str] = []

        async def turn(name: str) -> None:
            await (pacer.wait_idle(link, name, 30, 30) if name == "quiet" else pacer.wait(link, name, 30))
            done.append(name)

        await pacer.wait(link, "busy", 1)
        await pacer.hold(link, None, 1)  # so that all stand in the queue before the first of them has its turn
        await asyncio.gather(turn("quiet"), *(turn("busy") for _ in range(40)))
        return 40 - done.index("quiet")

    # the last of the others may be waking up just then; and what a busy machine held up is looked at again
    seen = [await overtaken()]
    while seen[-1] >= 2 and len(seen) < 4:
        seen.append(await overtaken())
    assert seen[-1] < 2, seen


async def test_call_that_yields_is_not_put_off_for_good(pool: Pool) -> None:
    pacer, link = Pacer(pool, "stripe", RATES), account()
    done: list[str] = []

    async def busy() -> None:
        while "quiet" not in done:  # there is always somebody who waits
            await pacer.wait(link, "busy", 30)

    async def quiet() -> None:
        await pacer.wait_idle(link, "quiet", 0.3, 30)
        done.append("quiet")

    async with asyncio.timeout(20):
        await asyncio.gather(quiet(), *(busy() for _ in range(5)))


async def test_wait_beyond_patience_is_refused_and_takes_nothing(pool: Pool) -> None:
    pacer, link = Pacer(pool, "stripe", RATES), account()
    turns = (pacer.wait(link, "invoices.create", 0.5) for _ in range(60))
    refused = [one for one in await asyncio.gather(*turns, return_exceptions=True) if one is not None]
    assert 20 < len(refused) < 60
    for one in refused:
        assert isinstance(one, AdapterError)
        assert one.failure is Failure.RATE_LIMITED
        assert one.retry_after is not None
        assert 0 < one.retry_after < 2
    delay = await pool.fetchval(SQL["slot_delay"], "stripe", link.account_id, link.livemode, "invoices.create")
    assert (delay or 0) < AT_ONCE + 0.2, "those refused hold no place in the queue"


@pytest.mark.parametrize("operation", [None, "invoices.create"])
async def test_provider_that_says_too_fast_is_left_alone(pool: Pool, operation: str | None) -> None:
    pacer, link = Pacer(pool, "stripe", RATES), account()
    await pacer.wait(link, "invoices.create", 1)
    await pacer.hold(link, operation, 0.5)
    assert await duration([pacer], link, ["invoices.create"]) > 0.4


@pytest.fixture
async def limited(sandbox: Sandbox) -> AsyncIterator[None]:
    await sandbox.set_limits(True)
    yield
    await sandbox.set_limits(False)


@pytest.mark.slow
async def test_two_replicas_together_meet_no_429(shop: Shop, stack: Stack, limited: None) -> None:
    """Stripe's own limits in the sandbox, its rates here: 24 buyers of four calls at 25 calls a second."""
    replicas = ("integrations-a", "integrations-b")
    paced = Stack(stack.folder, stack.databases, stack.nats_url, {"integrations": STRIPES}, stack.ports)
    paced.seeds, paced.credential_key = stack.seeds, stack.credential_key
    async with running_stack(paced, *replicas):
        callers = [Caller(paced.address(name), stack.seeds) for name in replicas]
        await callers[0].connect(
            shop.who, {"secret_key": shop.account.sk_test, "publishable_key": shop.account.pk_test}
        )
        await asyncio.gather(*(callers[n % 2].create(shop.who, shop.order()) for n in range(24)))
        for caller in callers:
            await caller.close()
    calls = await shop.sandbox.calls(shop.account.id)
    assert sum(counts["limited"] for counts in calls.values()) == 0
    assert len(await shop.invoices()) == 24
