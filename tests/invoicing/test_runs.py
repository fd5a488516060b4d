"""Runs stopped and watched: what is begun finishes, counts are right, and watching costs nothing once nobody does."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from services.rpc.showbill.events.v1 import events_pb2
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import SEEDS, MakeCaller, Replica, running_replica
from tests.invoicing.events_seen import listening
from tests.invoicing.fake_provider import FakeProvider, Refused
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

VOID, ERROR, PENDING = pb.INVOICE_STATUS_VOID, pb.INVOICE_STATUS_ERROR, pb.INVOICE_STATUS_PENDING
CANCELLED = pb.GENERATION_STATE_CANCELLED


async def over(caller: Caller, generation_id: str) -> pb.Generation:
    async def found() -> pb.Generation | None:
        run = await caller.generation(generation_id)
        return run if run.HasField("finish_time") else None

    run = await eventually(found, why="the run did not end")
    assert run is not None
    return run


async def test_cancelled_run_finishes_what_was_begun_and_no_more(
    caller: Caller, provider: FakeProvider, nats: Nats
) -> None:
    show_id = await caller.small_show(40)
    provider.gate.clear()
    async with listening(nats.url, caller.who.workspace_id) as heard:
        run = await caller.start(show_id)
        await eventually(lambda: provider.entered.total() == 16)
        stopped = await caller.cancel(run.id)
        assert (stopped.state, stopped.pending_count, stopped.cancelled_count) == (CANCELLED, 16, 24)
        assert not stopped.HasField("finish_time")
        again = await caller.cancel(run.id)
        assert (again.cancelled_count, again.pending_count) == (24, 16)
        provider.gate.set()
        done = await over(caller, run.id)
        await eventually(lambda: heard.of("generation.finished"))
    assert (done.state, done.created_count, done.cancelled_count, done.pending_count) == (CANCELLED, 16, 24, 0)
    assert provider.entered.total() == 16
    (finished,) = heard.of("generation.finished")
    told = finished.generation_finished
    assert (told.cancelled, told.created_count, told.cancelled_count) == (True, 16, 24)
    progressed = heard.of("generation.progressed")
    assert any(event.generation_progressed.cancelled_count == 24 for event in progressed)
    assert not [
        event for event in heard.of("invoice.updated") if event.invoice_updated.status == events_pb2.INVOICE_STATUS_VOID
    ]
    assert (await caller.cancel(run.id)).state == CANCELLED


async def test_cancel_that_leaves_nothing_out_is_told_too(caller: Caller, provider: FakeProvider, nats: Nats) -> None:
    show_id = await caller.small_show(2)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 2)
    before = (await caller.show(show_id)).seq
    async with listening(nats.url, caller.who.workspace_id) as heard:
        assert (await caller.cancel(run.id)).cancelled_count == 0
        (told,) = await eventually(lambda: [one for one in heard.of("generation.progressed") if one.seq > before])
    assert (told.generation_progressed.generation_id, told.generation_progressed.pending_count) == (run.id, 2)
    provider.gate.set()
    assert (await over(caller, run.id)).created_count == 2


async def test_buyers_of_a_cancelled_run_are_invoiced_again_with_history(
    caller: Caller, provider: FakeProvider
) -> None:
    show_id = await caller.small_show(20)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 16)
    await caller.cancel(run.id)
    provider.gate.set()
    await over(caller, run.id)
    left = await caller.listed(show_id, VOID)
    assert len(left) == 4
    (_, change) = await caller.history(left[0])
    assert change.reason == "Its run was cancelled before it was made. The buyer can be invoiced again."
    assert change.actor == "user:test"
    assert (await caller.summary(show_id)).not_invoiced.count == 4
    again = await caller.generate(show_id)
    assert (again.total_count, again.created_count) == (4, 4)
    assert len(provider.made) == 20


async def test_cancelled_retry_leaves_failed_what_failed(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """An earlier attempt may have left something at the provider: nobody may call the invoice void."""
    show_id = await caller.small_show(20)
    provider.failures = {f"u{n}": [Refused()] for n in range(20)}
    await caller.generate(show_id)
    provider.gate.clear()
    answer = await caller.retry(show_id)
    await eventually(lambda: provider.entered.total() == 36)
    stopped = await caller.cancel(answer.generation.id)
    assert (stopped.cancelled_count, stopped.pending_count) == (4, 16)
    failed = await caller.listed(show_id, ERROR)
    assert {one.status_reason for one in failed} == {
        "Its retry was cancelled before it began. Retry it again, or void it."
    }
    provider.gate.set()
    await over(caller, answer.generation.id)
    again = await caller.retry(show_id)
    assert again.retried_count == 4
    assert (await caller.finished(again.generation.id)).created_count == 4


async def test_finished_run_is_not_cancelled(caller: Caller) -> None:
    run = await caller.generate(await caller.small_show(2))
    assert (await caller.cancel(run.id)).state == pb.GENERATION_STATE_FINISHED


async def test_cancels_at_once_count_once(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(40)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 16)
    stopped = await asyncio.gather(*(caller.cancel(run.id) for _ in range(4)))
    assert {one.cancelled_count for one in stopped} == {24}
    provider.gate.set()
    assert (await over(caller, run.id)).created_count == 16


async def test_cancel_beside_busy_workers_counts_every_invoice_once(
    caller: Caller, database_url: str, nats: Nats, provider: FakeProvider
) -> None:
    """Two replicas take from the queue while the run is stopped."""
    show_id = await caller.small_show(300)
    async with running_replica(database_url, nats.url, provider) as other:
        run = await caller.start(show_id)
        other.service.workers.wake()
        await eventually(lambda: len(provider.made) >= 20)
        await caller.cancel(run.id)
        done = await over(caller, run.id)
    assert done.created_count + done.cancelled_count == 300
    assert done.created_count == len(provider.made)
    assert len(await caller.listed(show_id, VOID)) == done.cancelled_count
    assert not await caller.listed(show_id, PENDING)


async def test_run_of_another_workspace_is_not_found(caller: Caller, make_caller: MakeCaller) -> None:
    run = await caller.generate(await caller.small_show(1))
    other = await make_caller()
    assert (await refusal(other.cancel(run.id))).reason == "GENERATION_NOT_FOUND"
    assert (await refusal(anext(other.watch(run.id)))).reason == "GENERATION_NOT_FOUND"
    assert (await refusal(anext(caller.watch(new_id())))).reason == "GENERATION_NOT_FOUND"


@pytest.fixture
async def elsewhere(database_url: str, nats: Nats, caller: Caller) -> AsyncIterator[Caller]:
    """The same workspace at a replica that makes no invoices itself."""
    async with running_replica(database_url, nats.url, FakeProvider(connected=None)) as other:
        other.service.workers._concurrency = 0
        there = Caller(other.address, SEEDS["gateway"])
        there.who = caller.who
        yield there
        await there.close()


async def test_watch_tells_at_once_then_as_it_changes_until_the_end(
    caller: Caller, elsewhere: Caller, provider: FakeProvider
) -> None:
    provider.gate.clear()
    run = await caller.start(await caller.small_show(30))
    await eventually(lambda: provider.entered.total() == 16)
    seen: list[pb.Generation] = []
    async for told in elsewhere.watch(run.id):
        seen.append(told)
        provider.gate.set()
    assert (seen[0].pending_count, seen[0].rate) == (30, 0)
    assert (seen[-1].state, seen[-1].created_count) == (pb.GENERATION_STATE_FINISHED, 30)
    assert all(one != other for one, other in pairwise(seen))
    assert len([told async for told in caller.watch(run.id)]) == 1


async def test_many_watchers_share_one_reading_and_leave_nothing(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    provider.gate.clear()
    run = await caller.start(await caller.small_show(1))
    watching = replica.service.changes.watching
    watchers = [asyncio.create_task(all_of(caller.watch(run.id))) for _ in range(20)]
    await eventually(lambda: len(watching._readings) == 1)
    for watcher in watchers[1:]:
        watcher.cancel()
    await asyncio.gather(*watchers[1:], return_exceptions=True)
    provider.gate.set()
    last = (await watchers[0])[-1]
    assert last.created_count == 1
    await eventually(lambda: not watching._readings, why="a reading goes on though nobody watches")


async def all_of(watched: AsyncIterator[pb.Generation]) -> list[pb.Generation]:
    return [told async for told in watched]


async def test_cancelled_changes_leave_the_invoices_as_they_are(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(20)
    await caller.generate(show_id)
    await caller.items(show_id, [pb.Item(item_number=str(n), title=f"Item {n}", price=2000) for n in range(20)])
    provider.gate.clear()
    run = await caller.start(show_id, apply_changes=True)
    assert run.change_count == 20
    await eventually(lambda: provider.calls["void"] == 16)
    stopped = await caller.cancel(run.id)
    assert (stopped.state, stopped.cancelled_count, stopped.pending_count) == (CANCELLED, 4, 16)
    provider.gate.set()
    done = await over(caller, run.id)
    assert (done.created_count, done.cancelled_count, done.pending_count) == (16, 4, 0)
    # What was begun was voided and is issued again; the others stand at their old total and can be changed later.
    open_ones = await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT)
    assert sorted(one.total for one in open_ones) == [1000] * 4 + [2000] * 16
    left = next(one for one in open_ones if one.total == 1000)
    assert (await caller.history(left))[-1].reason == "The run that was to change it was cancelled. It stays as it is."
    again = await caller.finished((await caller.start(show_id, apply_changes=True)).id)
    assert (again.change_count, again.created_count) == (4, 4)


async def test_successor_of_what_was_voided_is_made_though_the_run_is_cancelled(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=2000)])
    provider.gate.clear()
    run = await caller.start(show_id, apply_changes=True)
    await eventually(lambda: provider.calls["void"] == 1)
    replica.service.workers._concurrency = 0  # the successor waits in the queue
    provider.gate.set()
    assert await eventually(lambda: caller.listed(show_id, PENDING))
    stopped = await caller.cancel(run.id)
    assert (stopped.cancelled_count, stopped.pending_count) == (0, 1)
    replica.service.workers._concurrency = 16
    replica.service.workers.wake()
    assert (await over(caller, run.id)).created_count == 1
    assert [one.total for one in await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT)] == [2000]
