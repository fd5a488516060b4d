"""Generations: what is started, what is left alone, what is refused."""

import asyncio
from dataclasses import replace
from typing import Any

from services.common.errors import Kind
from services.common.ids import new_id
from services.common.status import RemoteError
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import MakeCaller, Replica
from tests.invoicing.fake_provider import FakeProvider, Refused
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

WAITING = "SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
COUNT = "SELECT count(*) FROM invoices WHERE show_id = $1"


async def test_plan_shows_what_a_run_then_does(caller: Caller, replica: Replica) -> None:
    show_id = await caller.small_show(3)
    plan = await caller.plan(show_id)
    assert [entry.action for entry in plan.entries] == [pb.PLAN_ACTION_CREATE] * 3
    assert (plan.create_total, plan.currency) == (3000, "GBP")
    assert list(plan.warnings) == [pb.PLAN_WARNING_TEST_MODE]
    assert await replica.pool.fetchval(COUNT, show_id) == 0
    run = await caller.start(show_id, plan_hash=plan.plan_hash)
    assert run.total_count == 3
    await caller.finished(run.id)
    assert {entry.action for entry in (await caller.plan(show_id)).entries} == {pb.PLAN_ACTION_UNCHANGED}


async def test_outdated_plan_is_refused(caller: Caller) -> None:
    show_id = await caller.small_show(3)
    plan = await caller.plan(show_id)
    await caller.ingest(show_id, [winner(1, claim_id="more", item_number="2")])
    error = await refusal(caller.start(show_id, plan_hash=plan.plan_hash))
    assert (error.kind, error.reason) == (Kind.OUTDATED, "PLAN_OUTDATED")
    assert await caller.listed(show_id) == []


async def test_another_sum_than_was_looked_at_is_refused(caller: Caller, replica: Replica) -> None:
    """Compared where nothing can move any more: a price that comes in the last moment counts."""
    show_id = await caller.small_show(2)
    chosen = [buyer.id for buyer in await caller.buyers(show_id)][:1]
    async with replica.pool.acquire() as database, database.transaction():
        await database.execute("SELECT FROM shows WHERE id = $1 FOR UPDATE", show_id)
        late = asyncio.create_task(caller.start(show_id, buyer_ids=chosen, expected_total=1000))
        await eventually(lambda: replica.pool.fetchval(WAITING), why="the start did not come to the lock")
        await database.execute("UPDATE show_items SET price = 1010 WHERE show_id = $1", show_id)
    error = await refusal(late)
    assert (error.kind, error.reason) == (Kind.OUTDATED, "OWES_OTHERWISE")
    assert error.message.startswith("The invoices come to £10.10 by now, and you looked at £10.00.")
    assert await caller.listed(show_id) == []
    request_id = new_id()
    made = [await caller.start(show_id, buyer_ids=chosen, expected_total=1010, request_id=request_id) for _ in "12"]
    assert made[0].id == made[1].id
    other = refusal(caller.start(show_id, buyer_ids=chosen, expected_total=1000, request_id=request_id))
    assert (await other).reason == "REQUEST_ID_TAKEN"
    await caller.finished(made[0].id)
    assert [invoice.total for invoice in await caller.listed(show_id)] == [1010]
    assert (await caller.start(show_id, buyer_ids=chosen, expected_total=1000)).total_count == 0, "nothing is made"


async def test_only_chosen_buyers_are_invoiced(caller: Caller) -> None:
    show_id = await caller.small_show(3)
    chosen = [buyer.id for buyer in await caller.buyers(show_id)][:1]
    run = await caller.finished((await caller.start(show_id, buyer_ids=chosen)).id)
    assert run.total_count == 1
    assert [invoice.buyer_id for invoice in await caller.listed(show_id)] == chosen
    assert (await refusal(caller.start(show_id, buyer_ids=[new_id()]))).reason == "BUYER_NOT_FOUND"
    assert (await caller.generate(show_id)).total_count == 2


async def test_buyers_left_out_of_a_plan_are_not_touched(caller: Caller) -> None:
    show_id = await caller.small_show(3)
    first, *others = [buyer.id for buyer in await caller.buyers(show_id)]
    plan = await caller.plan(show_id)
    run = await caller.start(show_id, plan_hash=plan.plan_hash, except_buyer_ids=[first, new_id()])
    assert (await caller.finished(run.id)).total_count == 2
    assert {invoice.buyer_id for invoice in await caller.listed(show_id)} == set(others)

    # What is left out of the changes stays as it was, and the plan is still the one that was looked at.
    await caller.ingest(show_id, [winner(n, claim_id=f"more-{n}", item_number="2") for n in range(3)])
    looked_at = (await caller.plan(show_id, apply_changes=True)).plan_hash

    async def change() -> pb.Generation:
        return await caller.start(show_id, plan_hash=looked_at, apply_changes=True, except_buyer_ids=others)

    assert (await caller.finished((await change()).id)).total_count == 1
    assert [invoice.revision for invoice in await caller.listed(show_id)] == [1, 1, 1]
    assert (await refusal(change())).reason == "PLAN_OUTDATED"


async def test_same_request_id_starts_one_run(caller: Caller) -> None:
    show_id = await caller.small_show(3)
    request_id = new_id()
    runs = await asyncio.gather(*(caller.start(show_id, request_id=request_id) for _ in range(4)))
    assert len({run.id for run in runs}) == 1
    assert len(await caller.listed(show_id)) == 3


async def test_request_id_with_another_wish_is_refused(caller: Caller) -> None:
    show_id = await caller.small_show(2)
    plan, (first, second) = await caller.plan(show_id), await caller.buyers(show_id)
    asked: dict[str, Any] = {"request_id": new_id(), "buyer_ids": [second.id, first.id], "plan_hash": plan.plan_hash}
    run = await caller.start(show_id, **asked)
    again = await caller.start(show_id, **(asked | {"buyer_ids": [first.id, second.id]}))
    assert again.id == run.id, "in whatever order they are told"
    others: list[dict[str, Any]] = [
        {"plan_hash": ""},
        {"buyer_ids": [first.id]},
        {"apply_changes": True},
        {"except_buyer_ids": [first.id]},
    ]
    for other in others:
        error = await refusal(caller.start(show_id, **(asked | other)))
        assert (error.kind, error.reason) == (Kind.CONFLICT, "REQUEST_ID_TAKEN"), other
    assert len(await caller.listed(show_id)) == 2


async def test_request_id_of_another_shows_run_is_refused(caller: Caller) -> None:
    first, second = await caller.small_show(1), await caller.small_show(1)
    request_id = new_id()
    await caller.start(first, request_id=request_id)
    error = await refusal(caller.start(second, request_id=request_id))
    assert (error.kind, error.reason) == (Kind.CONFLICT, "REQUEST_ID_TAKEN")
    assert await caller.listed(second) == []
    request_id = new_id()
    shows = [await caller.small_show(1) for _ in range(3)]
    runs = await asyncio.gather(*(caller.start(show, request_id=request_id) for show in shows), return_exceptions=True)
    errors = [run for run in runs if isinstance(run, RemoteError)]
    assert [error.reason for error in errors] == ["REQUEST_ID_TAKEN"] * 2


async def test_runs_started_at_once_make_each_invoice_once(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(20)
    runs = await asyncio.gather(*(caller.start(show_id) for _ in range(5)))
    for run in runs:
        await caller.finished(run.id)
    assert len(await caller.listed(show_id)) == len(provider.made) == 20
    assert set(provider.calls.values()) == {1}


async def test_second_start_joins_the_run_under_way(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(3)
    provider.gate.clear()
    first = await caller.start(show_id)
    assert (await caller.start(show_id)).id == first.id
    await caller.items(show_id, [pb.Item(item_number="9", title="Late", price=100)])
    await caller.ingest(show_id, [winner(9)])
    more = await caller.start(show_id)
    assert (more.total_count, more.unchanged_count) == (1, 3)
    provider.gate.set()
    await caller.finished(first.id)
    await caller.finished(more.id)


async def test_show_without_winners_is_refused(caller: Caller) -> None:
    show = await caller.create_show()
    assert (await refusal(caller.start(show.id))).reason == "NO_CLAIMS"
    await caller.items(show.id, [pb.Item(item_number="1", title="A", price=100)])
    await caller.ingest(show.id, [winner(1, status=pb.CLAIM_STATUS_WAITLIST)])
    assert (await refusal(caller.start(show.id))).reason == "NO_CLAIMS"


async def test_show_of_another_workspace_is_neither_planned_nor_run(
    caller: Caller, make_caller: MakeCaller, provider: FakeProvider
) -> None:
    other, show_id = await make_caller(), await caller.small_show(1)
    assert (await refusal(other.plan(show_id))).reason == "SHOW_NOT_FOUND"
    assert (await refusal(other.start(show_id))).reason == "SHOW_NOT_FOUND"
    assert not await caller.listed(show_id)
    assert not provider.made


async def test_run_without_connection_is_refused_with_what_to_do(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    assert provider.connected is not None
    broken = replace(provider.connected, active=False, status_reason="The keys no longer work. Connect again.")
    for connection, message in ((None, "No payment provider is connected."), (broken, "The keys no longer work.")):
        provider.connected = connection
        error = await refusal(caller.start(show_id))
        assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "NOT_CONNECTED")
        assert error.message.startswith(message)
    assert await caller.listed(show_id) == []
    assert list((await caller.plan(show_id)).warnings) == [
        pb.PLAN_WARNING_CONNECTION_UNHEALTHY,
        pb.PLAN_WARNING_TEST_MODE,
    ]


async def test_free_buyer_is_skipped_and_named(caller: Caller) -> None:
    show_id = await caller.small_show(2, price=0)
    run = await caller.generate(show_id)
    assert (run.total_count, run.state) == (0, pb.GENERATION_STATE_FINISHED)
    assert [skipped.handle for skipped in run.skipped_buyers] == ["@u00000", "@u00001"]
    assert run.skipped_buyers[0].reason == "Everything is free: there is nothing to pay."


async def test_small_total_stays_a_draft_that_says_why(caller: Caller) -> None:
    show_id = await caller.small_show(1, price=29)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    assert (invoice.status, invoice.draft_reason) == (pb.INVOICE_STATUS_DRAFT, pb.DRAFT_REASON_BELOW_MINIMUM)
    assert "below" in invoice.status_reason


async def test_changed_claims_leave_the_invoice_alone(caller: Caller) -> None:
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    before = await caller.listed(show_id)
    await caller.ingest(show_id, [winner(1, claim_id="more", item_number="0")])
    plan = await caller.plan(show_id)
    changed = [entry for entry in plan.entries if entry.action == pb.PLAN_ACTION_CHANGED]
    assert [(entry.total, entry.invoiced_total) for entry in changed] == [(2000, 1000)]
    await caller.generate(show_id)
    assert await caller.listed(show_id) == before


async def test_retry_bills_claims_and_prices_of_now(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2)
    provider.failures = {"u0": [Refused()], "u1": [Refused()]}
    await caller.generate(show_id)
    await caller.items(
        show_id, [pb.Item(item_number="0", title="Item 0", price=250), pb.Item(item_number="1", title="Item 1")]
    )
    reasons = {entry.reason for entry in (await caller.plan(show_id)).entries}
    assert reasons == {"Its making failed; retry it, and it bills the claims and prices of now."}
    await caller.finished((await caller.retry(show_id)).generation.id)
    made = sorted(await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT), key=lambda one: one.platform_user_id)
    right, held = [await caller.invoice(invoice) for invoice in made]
    assert (right.status, right.total, right.lines[0].amount) == (pb.INVOICE_STATUS_DRAFT, 250, 250)
    assert not right.draft_reason
    assert (held.total, held.draft_reason, held.unpriced_count) == (0, pb.DRAFT_REASON_NEEDS_PRICE, 1)
    told = provider.orders[right.id][-1]
    assert (told.revision, told.total, told.lines[0]["amount"], told.keep_draft) == (2, 250, 250, False)
    assert provider.orders[held.id][-1].keep_draft
    assert {entry.action for entry in (await caller.plan(show_id)).entries} == {pb.PLAN_ACTION_UNCHANGED}


async def test_retry_leaves_out_who_owes_nothing_now(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2)
    provider.failures = {"u0": [Refused()], "u1": [Refused()]}
    await caller.generate(show_id)
    await caller.ingest(show_id, [winner(0, status=pb.CLAIM_STATUS_RELEASED, sequence=1)])
    await caller.items(show_id, [pb.Item(item_number="1", title="Item 1", price=0)])
    answer = await caller.retry(show_id)
    assert (answer.retried_count, answer.HasField("generation")) == (0, False)
    assert {invoice.status for invoice in await caller.listed(show_id)} == {pb.INVOICE_STATUS_ERROR}
    assert {entry.reason for entry in (await caller.plan(show_id)).entries} == {
        "Its making failed, so no invoice is there. The buyer wins nothing any more.",
        "Its making failed, so no invoice is there. Everything is free: there is nothing to pay.",
    }


async def test_invoice_keeps_its_lines_as_they_were_planned(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    await caller.ingest(show_id, [winner(0, claim_id="again", quantity=2)])
    await caller.generate(show_id)
    (listed,) = await caller.listed(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Renamed", price=5)])
    invoice = await caller.invoice(listed)
    assert not listed.lines
    line = invoice.lines[0]
    assert (line.title, line.quantity, line.unit_price, line.amount) == ("Item 0", 3, 1000, 3000)
    assert (invoice.total, invoice.line_count, invoice.pay_path[:3]) == (3000, 1, "/p/")
    assert len(invoice.pay_path) >= 3 + 22


async def test_history_tells_every_step_and_who_did_it(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    steps = [(step.from_status, step.to_status, step.actor, step.version) for step in await caller.history(invoice)]
    assert steps == [
        (pb.INVOICE_STATUS_UNSPECIFIED, pb.INVOICE_STATUS_PENDING, "user:test", 1),
        (pb.INVOICE_STATUS_PENDING, pb.INVOICE_STATUS_DRAFT, "worker:generation", 2),
    ]


async def test_invoices_are_listed_by_status_and_page(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(5)
    provider.failures = {"u2": [Refused()]}
    await caller.generate(show_id)
    failed = await caller.listed(show_id, pb.INVOICE_STATUS_ERROR)
    assert [invoice.platform_user_id for invoice in failed] == ["u2"]
    seen, token = [], ""
    while True:
        request = pb.ListInvoicesRequest(show_id=show_id, page_size=2, page_token=token)
        answer = await caller.client.call(caller.invoices.ListInvoices, request, caller.who)
        assert answer.total_size == 5
        seen += [invoice.platform_user_id for invoice in answer.invoices]
        token = answer.next_page_token
        if not token:
            break
    assert seen == ["u0", "u1", "u2", "u3", "u4"]
    assert answer.seq == (await caller.show(show_id)).seq
