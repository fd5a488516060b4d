"""The workers: one failure leaves the others, every crash is taken up, nothing is made twice."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import Sighting
from services.invoicing.leasing import Unreadable
from services.invoicing.pausing import backoff
from services.invoicing.ports import Order
from services.invoicing.wiring import Pace
from services.invoicing.worker import NotFinalized, Workers
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import PACE, MakeCaller, Replica, running_replica
from tests.invoicing.events_seen import paid_event
from tests.invoicing.fake_provider import Away, FakeProvider, Refused, TooFast, sighting_of
from tests.waiting import eventually

UNHURRIED = replace(PACE, lease=60.0)
"""For whom it counts how often the provider was asked: a busy machine lets no lease lapse."""


async def test_one_refused_buyer_leaves_the_others(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(10)
    provider.failures = {"u3": [Refused("The provider does not take this buyer.", request_id="req_1")]}
    run = await caller.generate(show_id)
    assert (run.created_count, run.failed_count, run.pending_count) == (9, 1, 0)
    (failed,) = await caller.listed(show_id, pb.INVOICE_STATUS_ERROR)
    assert failed.status_reason == "The provider does not take this buyer."
    assert failed.provider_request_id == "req_1"

    assert (await caller.generate(show_id)).total_count == 0
    assert provider.calls[failed.id] == 1
    answer = await caller.retry(show_id)
    assert answer.retried_count == 1
    again = await caller.finished(answer.generation.id)
    assert (again.total_count, again.created_count) == (1, 1)
    invoice = await caller.invoice(failed)
    assert (invoice.status, invoice.attempt, invoice.status_reason) == (pb.INVOICE_STATUS_DRAFT, 2, "")
    assert (invoice.provider_request_id, len(provider.made)) == ("", 10)
    assert (await caller.generation(run.id)).failed_count == 1


async def test_retry_without_failures_does_nothing(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    answer = await caller.retry(show_id)
    assert (answer.retried_count, answer.HasField("generation")) == (0, False)


async def test_passing_failures_are_tried_again_under_the_same_key(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(5)
    provider.failures = {f"u{n}": [TooFast(retry_after=0.05), Away()] for n in range(5)}
    run = await caller.generate(show_id)
    assert (run.created_count, run.failed_count) == (5, 0)
    for orders in provider.orders.values():
        told = {(order.id, order.revision, order.attempt, order.first_attempt_at, order.total) for order in orders}
        assert len(told) == 1
        assert [order.tries for order in orders] == [0, 0, 1]


async def test_buyer_is_told_alike_on_every_try(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    provider.failures = {"u0": [Away()]}
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    (making,) = await caller.listed(show_id)
    assert making.being_made
    assert (await caller.invoice(making)).being_made
    (buyer,) = await caller.buyers(show_id)
    await caller.update_buyer(pb.Buyer(id=buyer.id, email="new@example.com"), "email")
    provider.gate.set()
    await caller.finished(run.id)
    ((first, second),) = provider.orders.values()
    assert first.buyer == second.buyer
    assert first.buyer["email"] == ""
    assert not (await caller.invoice(making)).being_made


async def test_hopeless_invoice_is_left_to_the_operator(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    provider.failures = {"u0": [Away("The provider is away.")] * 3}
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    # As if it had been tried for an hour: the next failure is the last.
    provider.failures["u0"] = [Away("The provider is away.")] * 3
    await replica.pool.execute("UPDATE invoices SET tries = 20, first_attempt_at = now() - interval '1 hour'")
    provider.gate.set()
    finished = await caller.finished(run.id)
    assert finished.failed_count == 1
    (invoice,) = await caller.listed(show_id)
    assert invoice.status_reason == "The provider is away."


@pytest.mark.parametrize("broken", ["_read", "_carry_out"])
@pytest.mark.parametrize("change", [False, True])
async def test_entry_that_can_never_be_read_is_parked_with_a_sentence(
    caller: Caller, replica: Replica, monkeypatch: pytest.MonkeyPatch, broken: str, change: bool
) -> None:
    show_id = await caller.small_show(2)
    if change:
        await caller.generate(show_id)
        await caller.items(show_id, [pb.Item(item_number=str(n), title="Dearer", price=1500) for n in range(2)])

    def unreadable(_: Workers, *found: Any) -> None:
        raise ValueError("unreadable")

    with monkeypatch.context() as patch:
        patch.setattr(Workers, broken, unreadable)
        run = await caller.start(show_id, apply_changes=change)
        put_back = "SELECT count(*) = 2 FROM invoices WHERE tries > 0"
        await eventually(lambda: replica.pool.fetchval(put_back), why="they were not put back")
        old = "UPDATE invoices SET tries = 9, first_attempt_at = now() - interval '1 hour', not_before = '-infinity'"
        await replica.pool.execute(old)
        replica.service.workers.wake()
        assert (await caller.finished(run.id)).failed_count == 2
    one, _ = await caller.listed(show_id)
    assert one.status == (pb.INVOICE_STATUS_DRAFT if change else pb.INVOICE_STATUS_ERROR)
    assert one.status_reason.removeprefix("It was not changed. ") == Unreadable().message
    assert (REGISTRY.get_sample_value("showbill_parked_entries_total", {"queue": "invoices"}) or 0) >= 2
    if change:
        assert (await caller.generate(show_id, apply_changes=True)).created_count == 2
    else:
        assert (await caller.retry(show_id)).retried_count == 2


@pytest.mark.parametrize("pace", [UNHURRIED])
async def test_two_replicas_make_each_invoice_once(
    caller: Caller, provider: FakeProvider, database_url: str, nats: Nats, pace: Pace
) -> None:
    shows = [await caller.small_show(40) for _ in range(2)]
    async with running_replica(database_url, nats.url, provider, pace) as other:
        runs = await asyncio.gather(*(caller.start(show_id) for show_id in shows))
        other.service.workers.wake()
        for run in runs:
            finished = await caller.finished(run.id)
            assert finished.created_count == 40
    assert len(provider.made) == 80
    # what Postgres undid to end a deadlock is asked once more, under the same key
    assert set(provider.calls.values()) <= {1, 2}


@pytest.mark.parametrize("pace", [replace(PACE, lease=5.0)])  # renewed after a third of it; a busy machine may be late
async def test_lease_is_kept_while_a_call_is_under_way(
    caller: Caller, provider: FakeProvider, database_url: str, nats: Nats, replica: Replica, pace: Pace
) -> None:
    show_id = await caller.small_show(3)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 3)
    first = await replica.pool.fetchval("SELECT min(lease_expires_at) FROM invoices")
    async with running_replica(database_url, nats.url, provider, pace):
        renewed = "SELECT min(lease_expires_at) > $1 FROM invoices"
        await eventually(lambda: replica.pool.fetchval(renewed, first), why="the lease was not renewed")
        assert provider.entered.total() == 3
        provider.gate.set()
        await caller.finished(run.id)
    assert set(provider.calls.values()) == {1}


async def test_invoices_of_a_dead_process_are_taken_up(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(3)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 3)
    # As after kill -9: the rows are leased by somebody who no longer renews.
    replica.service.workers._under_way.clear()
    await replica.pool.execute("UPDATE invoices SET lease_owner = $1", new_id())
    await eventually(lambda: provider.entered.total() == 6, why="nobody took them up")
    provider.gate.set()
    finished = await caller.finished(run.id)
    assert finished.created_count == 3
    assert len(provider.made) == 3
    assert len(await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT)) == 3


async def test_failure_after_the_lease_was_lost_decides_nothing(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    provider.failures = {"u0": [Refused()]}
    await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    # Another replica has taken it up meanwhile: whether it failed is for that one to say.
    await replica.pool.execute(
        "UPDATE invoices SET lease_owner = $1, lease_expires_at = now() + interval '1 hour'", new_id()
    )
    provider.gate.set()
    await eventually(lambda: not replica.service.workers._under_way)
    (invoice,) = await caller.listed(show_id)
    assert invoice.status == pb.INVOICE_STATUS_PENDING


async def test_answer_of_an_account_left_behind_is_not_stored(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    # As after a lapsed lease, a failure told by another replica, and a retry for a new account.
    await replica.pool.execute(
        "UPDATE invoices SET external_account = 'acct_new', lease_owner = $1,"
        " lease_expires_at = now() + interval '1 hour'",
        new_id(),
    )
    provider.gate.set()
    await eventually(lambda: not replica.service.workers._under_way)
    (invoice,) = await caller.listed(show_id)
    assert (invoice.status, invoice.external_id) == (pb.INVOICE_STATUS_PENDING, "")


async def test_stopped_process_gives_back_what_it_began(
    caller: Caller, provider: FakeProvider, database_url: str, nats: Nats, replica: Replica
) -> None:
    show_id = await caller.small_show(3)
    provider.gate.clear()
    async with running_replica(database_url, nats.url, provider, PACE) as other:
        replica.service.workers._concurrency = 0
        other.service.workers._lease = 60.0
        await caller.start(show_id)
        other.service.workers.wake()
        await eventually(lambda: provider.entered.total() == 3)
    free = "SELECT count(*) = 3 FROM invoices WHERE lease_owner IS NULL AND status = 'pending'"
    assert await replica.pool.fetchval(free)


async def test_payment_that_overtakes_the_answer_is_kept(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    (pending,) = await caller.listed(show_id)
    assert pending.status == pb.INVOICE_STATUS_PENDING
    assert await caller.apply(paid_event(caller, pending)) == [pb.EVENT_OUTCOME_APPLIED]
    assert (await caller.finished(run.id)).created_count == 1

    provider.made[pending.id] = sighting_of(pending.id, Standing.PAYABLE, pending.total)
    provider.gate.set()

    async def the_answer_is_stored() -> pb.Invoice | None:
        invoice = await caller.invoice(pending)
        return invoice if invoice.provider_url else None

    stored = await eventually(the_answer_is_stored)
    assert stored is not None
    assert stored.status == pb.INVOICE_STATUS_PAID
    assert (await caller.generation(run.id)).created_count == 1


async def test_small_show_is_not_held_up_by_a_giant_one(
    caller: Caller, make_caller: MakeCaller, provider: FakeProvider
) -> None:
    giant = await caller.small_show(60)
    neighbour = await make_caller()
    small = await neighbour.small_show(3)
    provider.gate.clear()
    await caller.start(giant)
    await eventually(lambda: provider.entered.total() == 16)
    run = await neighbour.start(small)
    await eventually(lambda: provider.entered.total() == 19, why="the small show waits for the giant one")
    provider.gate.set()
    assert (await neighbour.finished(run.id)).created_count == 3


async def test_account_that_asks_for_patience_gets_it(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(60)
    provider.failures = {f"u{n}": [TooFast(retry_after=0.3)] for n in range(60)}
    run = await caller.finished((await caller.start(show_id)).id)
    assert run.created_count == 60
    assert provider.entered.total() == 120


async def test_draft_that_should_be_payable_is_tried_again(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    (pending,) = await caller.listed(show_id)
    provider.made[pending.id] = sighting_of(pending.id, Standing.HELD_BACK, pending.total)
    provider.gate.set()
    await eventually(lambda: provider.entered.total() == 2)
    provider.made[pending.id] = sighting_of(pending.id, Standing.PAYABLE, pending.total)
    assert (await caller.finished(run.id)).created_count == 1
    assert (await caller.invoice(pending)).external_url


async def test_answer_that_says_deleted_is_a_failure_and_not_asked_for_again(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deleted(_: object, order: Order) -> Sighting:
        return Sighting(Standing.VOID, external_id="in_gone", deleted=True)

    show_id = await caller.small_show(1)
    with monkeypatch.context() as patched:
        patched.setattr(provider, "create", deleted)
        assert (await caller.generate(show_id)).failed_count == 1
    (invoice,) = await caller.listed(show_id)
    assert invoice.status_reason.startswith("The draft was deleted at the provider before it was finished.")
    await caller.finished((await caller.retry(show_id)).generation.id)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_DRAFT


@pytest.mark.parametrize("paid", [False, True])
async def test_what_was_replaced_before_it_was_known_is_followed(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, paid: bool
) -> None:
    """Its answer was lost, somebody edited it at the provider, and a retry found the one of before."""

    async def replaced(_: object, order: Order) -> Sighting:
        standing = Standing.PAID if paid else Standing.PAYABLE
        newest = Sighting(standing, "in_newest", total=900, currency="GBP", replaces="in_newer")
        provider.made = {
            "newer": Sighting(Standing.VOID, "in_newer", replaces="in_old", replaced_by="in_newest"),
            "newest": replace(newest, external_url="https://pay.example/in_newest"),
        }
        return Sighting(Standing.VOID, "in_old", total=order.total, currency="GBP", replaced_by="in_newer")

    show_id = await caller.small_show(1)
    monkeypatch.setattr(provider, "create", replaced)
    run = await caller.generate(show_id)
    assert (run.created_count, run.failed_count) == (1, 0)
    (invoice,) = await caller.listed(show_id)
    assert invoice.status == (pb.INVOICE_STATUS_PAID if paid else pb.INVOICE_STATUS_DRAFT)
    assert (invoice.total, invoice.adjusted_at_provider, invoice.external_id) == (900, True, "in_newest")


async def test_draft_that_never_becomes_payable_is_left_to_the_operator(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    provider.stubborn = True
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    await replica.pool.execute("UPDATE invoices SET tries = 20, first_attempt_at = now() - interval '1 hour'")
    provider.gate.set()
    assert (await caller.finished(run.id)).failed_count == 1
    (invoice,) = await caller.listed(show_id)
    assert invoice.status == pb.INVOICE_STATUS_ERROR
    assert invoice.status_reason == NotFinalized().message
    assert invoice.status_reason.endswith("Look at it there, then retry it.")


def test_backoff_doubles_and_is_bounded() -> None:
    assert 0.3 < backoff(0) < 0.7
    assert 1.4 < backoff(2) < 2.6
    assert 40 < backoff(100) < 80


@pytest.mark.parametrize("giant_first", [True, False])
async def test_small_show_is_not_held_up_by_a_giant_of_its_account(
    caller: Caller, provider: FakeProvider, giant_first: bool
) -> None:
    """Whichever is older: shows are found in the order of their ids."""
    shows = [await caller.small_show(size) for size in ((150, 12) if giant_first else (12, 150))]
    giant, small = shows if giant_first else shows[::-1]
    provider.gate.clear()
    began = await caller.start(giant)
    await eventually(lambda: provider.entered.total() == PACE.concurrency)
    await caller.start(small)
    provider.gate.set()
    await caller.finished(began.id)
    mine = {one.id for one in await caller.listed(small)}
    made = [place for place, invoice_id in enumerate(provider.orders, start=1) if invoice_id in mine]
    assert made[-1] <= PACE.concurrency + 1.5 * 12 + PACE.concurrency
