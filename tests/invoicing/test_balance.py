"""The money of a show balances, or it is told by how much it does not."""

import asyncio

import asyncpg
import pytest

from services.invoicing import balance
from services.invoicing.balance import Balance
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.events_seen import event, paid_event


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows are looked at when the test says so, and not beside it."""

    async def rest_for_good(_: Balance) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Balance, "run", rest_for_good)


async def invoiced(caller: Caller, buyers: int = 3) -> tuple[str, list[pb.Invoice]]:
    show_id = await caller.small_show(buyers)
    await caller.generate(show_id)
    return show_id, await caller.listed(show_id)


async def checked(replica: Replica) -> asyncpg.Record | None:
    """What the background wrote of the one show, after it looked."""
    await replica.service.balance.check_changed(rest=0)
    return await replica.pool.fetchrow(
        "SELECT off_by, off_buyers, balances.seq = shows.seq AS fresh FROM balances, shows"
    )


async def test_what_moved_for_a_reason_balances(caller: Caller) -> None:
    show_id, invoices = await invoiced(caller)
    await caller.items(show_id, [pb.Item(item_number="0", title="Dearer", price=1500)])
    await caller.ingest(show_id, [winner(1, status=pb.CLAIM_STATUS_RELEASED, sequence=1)])
    await caller.apply(paid_event(caller, invoices[2], total=900))
    summary = await caller.summary(show_id)
    assert summary.moved.count == 3
    assert (summary.balanced, summary.unexplained) == (True, pb.SummaryPart())


async def test_void_invoice_that_was_paid_beside_its_successor_does_not_balance(
    caller: Caller, replica: Replica
) -> None:
    """Money that came in is never hidden: the buyer paid the old invoice when the new one was made already."""
    show_id, (first,) = await invoiced(caller, 1)
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, first))
    await caller.generate(show_id)
    assert (await caller.summary(show_id)).balanced
    await caller.apply(paid_event(caller, first))
    summary = await caller.summary(show_id)
    assert not summary.balanced
    assert summary.unexplained == pb.SummaryPart(amount=-1000, count=1)
    row = await checked(replica)
    assert row is not None
    assert (row["off_by"], row["off_buyers"]) == (-1000, 1)
    assert await replica.service.balance.unbalanced() == 1


async def test_total_that_was_written_wrong_does_not_balance(caller: Caller, replica: Replica) -> None:
    show_id, invoices = await invoiced(caller)
    await replica.pool.execute("UPDATE invoices SET total = total - 7 WHERE id = $1", invoices[0].id)
    summary = await caller.summary(show_id)
    assert (summary.balanced, summary.unexplained.amount, summary.unexplained.count) == (False, 7, 1)


async def test_what_is_put_right_by_hand_balances_again(caller: Caller, replica: Replica) -> None:
    """Nothing tells of it: the alarm would stay until something happens in the show."""
    _, invoices = await invoiced(caller)
    await replica.pool.execute("UPDATE invoices SET total = total - 7 WHERE id = $1", invoices[0].id)
    await checked(replica)
    assert await replica.service.balance.unbalanced() == 1
    await replica.pool.execute("UPDATE invoices SET total = total + 7 WHERE id = $1", invoices[0].id)
    assert await replica.service.balance.check_changed(rest=0) == 0, "not all the time"
    assert await replica.service.balance.check_changed(rest=0, again=0) == 1
    assert await replica.service.balance.unbalanced() == 0
    assert await replica.service.balance.check_changed(rest=0, again=0) == 0, "what balances rests"


async def test_only_shows_that_changed_are_looked_at(caller: Caller, replica: Replica) -> None:
    _, invoices = await invoiced(caller)
    row = await checked(replica)
    assert row is not None
    assert (row["off_buyers"], row["fresh"]) == (0, True)
    assert await replica.service.balance.check_changed(rest=0) == 0
    await caller.apply(paid_event(caller, invoices[0]))
    assert await replica.service.balance.check_changed(rest=60) == 0, "it rests"
    assert await replica.service.balance.check_changed(rest=0) == 1
    assert await replica.service.balance.check_changed(rest=0) == 0


async def test_show_that_cannot_be_looked_at_is_in_nobodys_way(
    caller: Caller, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance, "_BATCH", 1)
    broken, _ = await invoiced(caller, 2)
    sound, _ = await invoiced(caller, 1)
    await replica.pool.execute("UPDATE invoices SET total = 9223372036854775807 WHERE show_id = $1", broken)
    for _ in range(3):
        await replica.service.balance.check_changed(rest=0)
    rows = await replica.pool.fetch(
        "SELECT show_id::text, balances.seq = shows.seq AS fresh FROM balances JOIN shows ON shows.id = show_id"
    )
    assert {row["show_id"]: row["fresh"] for row in rows} == {broken: False, sound: True}


async def test_one_replica_at_a_time_looks_at_a_show(caller: Caller, replica: Replica) -> None:
    show_id, _ = await invoiced(caller)
    async with replica.pool.acquire() as held, held.transaction():
        await held.execute("SELECT pg_advisory_xact_lock(hashtextextended('balance ' || $1::uuid, 0))", show_id)
        await Balance(replica.pool).check_changed(rest=0)
        assert await replica.pool.fetchval("SELECT count(*) FROM balances") == 0
    assert await checked(replica) is not None
