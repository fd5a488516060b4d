"""Rows are locked in the same order by everybody, so that no two wait for each other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import Replica
from tests.invoicing.events_seen import paid_now
from tests.invoicing.fake_provider import FakeProvider
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

Call = Callable[[Caller, pb.Invoice], Awaitable[object]]


async def change_the_buyer(caller: Caller, invoice: pb.Invoice) -> None:
    buyer = pb.Buyer(id=invoice.buyer_id, email="new@example.com")
    request = pb.UpdateBuyerRequest(buyer=buyer, update_mask=FieldMask(paths=["email"]), show_id=invoice.show_id)
    await caller.client.call(caller.shows.UpdateBuyer, request, caller.who)


async def open_the_link(caller: Caller, invoice: pb.Invoice) -> None:
    await caller.resolve(invoice.pay_path.rsplit("/", 1)[1], count_opening=True)


async def revoke_the_link(caller: Caller, invoice: pb.Invoice) -> None:
    await caller.revoke(invoice)


async def somebody_waits(replica: Replica) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(await replica.pool.fetchval(waiting))


@pytest.mark.parametrize("call", [change_the_buyer, open_the_link, revoke_the_link])
async def test_who_waits_for_a_show_holds_neither_buyer_nor_link(caller: Caller, replica: Replica, call: Call) -> None:
    """Claims and generations lock the show first, then its buyers and links."""
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)

    async with replica.pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM shows WHERE id = $1 FOR NO KEY UPDATE", show_id)
        called = asyncio.ensure_future(call(caller, invoice))
        await eventually(lambda: somebody_waits(replica), why="nobody waits for the show")
        await held.execute("SELECT FROM buyers WHERE id = $1 FOR NO KEY UPDATE NOWAIT", invoice.buyer_id)
        await held.execute("SELECT FROM pay_links WHERE show_id = $1 FOR NO KEY UPDATE NOWAIT", show_id)
    await called


async def test_who_marks_waits_for_invoices_before_the_show(caller: Caller, replica: Replica) -> None:
    """Whoever changes invoices locks them first, and the show behind them. What moved meanwhile is not marked."""
    show_id = await caller.small_show(3)
    await caller.generate(show_id)
    idle = "SELECT count(*) = 0 FROM planned_changes"
    for place, invoice in enumerate(await caller.listed(show_id)):
        mark = pb.PaidMark(invoice_id=invoice.id, paid=True, amount=invoice.total)
        await eventually(lambda: replica.pool.fetchval(idle), why="the mark before it is still carried out")
        async with replica.pool.acquire() as held, held.transaction():
            await held.execute("SELECT FROM invoices WHERE id = $1 FOR NO KEY UPDATE", invoice.id)
            called = asyncio.ensure_future(caller.mark_many(show_id, [mark], all_or_none=place == 1))
            await eventually(lambda: somebody_waits(replica), why="nobody waits for the invoice")
            await held.execute("SELECT FROM shows WHERE id = $1 FOR NO KEY UPDATE NOWAIT", show_id)
            if place == 2:
                await held.execute("UPDATE invoices SET total = total + 1 WHERE id = $1", invoice.id)
        if place == 2:
            assert (await refusal(called)).reason == "INVOICES_MOVED"
        else:
            assert (await called).updated_count == 1


async def test_who_counts_a_mark_that_an_event_told_of_waits_for_the_show_before_the_run(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """There is nothing to tell of the invoice then, and only the run's progress goes to the show."""
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    provider.gate.clear()
    (run_id,) = (await caller.mark_many(show_id, [pb.PaidMark(invoice_id=invoice.id, paid=True)])).generation_ids
    await eventually(lambda: provider.calls["mark_paid"] == 1)
    await caller.apply(paid_now(caller, invoice))
    async with replica.pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM shows WHERE id = $1 FOR NO KEY UPDATE", show_id)
        provider.gate.set()
        await eventually(lambda: somebody_waits(replica), why="nobody waits for the show")
        await held.execute("SELECT FROM generations WHERE id = $1 FOR NO KEY UPDATE NOWAIT", run_id)
    assert (await caller.finished(run_id)).created_count == 1
