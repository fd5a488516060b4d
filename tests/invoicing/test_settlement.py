"""Provider events: each once, by rank, in its own workspace, account and mode."""

import asyncio
import itertools
from dataclasses import replace

import pytest

from services.cli.embedded.nats import Nats
from services.common.db import Connection
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import MakeCaller, Replica
from tests.invoicing.events_seen import PAID_AT, event, listening, paid_event
from tests.invoicing.fake_provider import FakeProvider, Refused
from tests.waiting import eventually

APPLIED, DUPLICATE = pb.EVENT_OUTCOME_APPLIED, pb.EVENT_OUTCOME_DUPLICATE
NO_CHANGE, UNKNOWN = pb.EVENT_OUTCOME_NO_CHANGE, pb.EVENT_OUTCOME_UNKNOWN_INVOICE
INBOX = "SELECT outcome FROM provider_events ORDER BY event_id"


@pytest.fixture
async def invoice(caller: Caller) -> pb.Invoice:
    """Made and payable."""
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    return (await caller.listed(show_id))[0]


async def test_payment_is_applied_once_with_the_providers_time(
    caller: Caller, invoice: pb.Invoice, replica: Replica
) -> None:
    paid = paid_event(caller, invoice)
    assert await caller.apply(paid) == [APPLIED]
    assert await caller.apply(paid) == [DUPLICATE]
    assert await caller.apply(paid, paid) == [DUPLICATE, DUPLICATE]
    now = await caller.invoice(invoice)
    assert (now.status, now.paid_time, now.version) == (pb.INVOICE_STATUS_PAID, PAID_AT, invoice.version + 1)
    assert [row["outcome"] for row in await replica.pool.fetch(INBOX)] == ["applied"]
    last = (await caller.history(invoice))[-1]
    assert (last.reason, last.actor) == ("It was paid.", f"event:{paid.event_id}")


async def test_late_and_lower_events_change_nothing(caller: Caller, invoice: pb.Invoice) -> None:
    await caller.apply(paid_event(caller, invoice))
    paid = await caller.invoice(invoice)
    for kind in (
        pb.PROVIDER_EVENT_TYPE_FINALIZED,
        pb.PROVIDER_EVENT_TYPE_SENT,
        pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED,
        pb.PROVIDER_EVENT_TYPE_VOIDED,
        pb.PROVIDER_EVENT_TYPE_OVERDUE,
    ):
        assert await caller.apply(event(caller, kind, invoice)) == [NO_CHANGE]
    assert await caller.invoice(invoice) == paid


async def test_orders_and_groups_of_events_end_alike(caller: Caller) -> None:
    kinds = (
        pb.PROVIDER_EVENT_TYPE_FINALIZED,
        pb.PROVIDER_EVENT_TYPE_SENT,
        pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED,
        pb.PROVIDER_EVENT_TYPE_PAID,
    )
    orders = list(itertools.permutations(kinds))
    show_id = await caller.small_show(2 * len(orders))
    await caller.generate(show_id)
    invoices = await caller.listed(show_id)
    for order, (grouped, single) in zip(orders, zip(invoices[::2], invoices[1::2], strict=True), strict=True):
        await caller.apply(*(event(caller, kind, grouped) for kind in order))
        for kind in order:
            await caller.apply(event(caller, kind, single))
    ends = await caller.listed(show_id)
    assert {(one.status, one.paid_time.seconds) for one in ends} == {(pb.INVOICE_STATUS_PAID, PAID_AT.seconds)}


async def test_group_moves_one_invoice_step_by_step(caller: Caller, invoice: pb.Invoice, nats: Nats) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        failed = event(caller, pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED, invoice)
        paid = paid_event(caller, invoice)
        assert await caller.apply(failed, paid, failed) == [APPLIED, APPLIED, DUPLICATE]
        await eventually(lambda: len(heard.of("invoice.updated")) == 2)
        first, second = heard.of("invoice.updated")
    assert first.invoice_updated.version + 1 == second.invoice_updated.version == invoice.version + 2
    assert first.seq + 1 == second.seq
    steps = [(step.from_status, step.to_status) for step in await caller.history(invoice)][-2:]
    assert steps == [
        (pb.INVOICE_STATUS_DRAFT, pb.INVOICE_STATUS_PAYMENT_FAILED),
        (pb.INVOICE_STATUS_PAYMENT_FAILED, pb.INVOICE_STATUS_PAID),
    ]


async def test_events_at_once_are_each_applied_once(caller: Caller) -> None:
    show_id = await caller.small_show(20)
    await caller.generate(show_id)
    events = [paid_event(caller, invoice) for invoice in await caller.listed(show_id)]
    groups = [caller.apply(*events), caller.apply(*events[::-1]), *(caller.apply(one) for one in events)]
    outcomes = list(itertools.chain(*await asyncio.gather(*groups)))
    assert outcomes.count(APPLIED) == 20
    assert outcomes.count(DUPLICATE) == 40
    assert len(await caller.listed(show_id, pb.INVOICE_STATUS_PAID)) == 20


async def test_event_of_another_account_or_mode_moves_nothing(
    caller: Caller, make_caller: MakeCaller, invoice: pb.Invoice
) -> None:
    stranger = await make_caller()
    live, other, foreign = paid_event(caller, invoice), paid_event(caller, invoice), paid_event(stranger, invoice)
    live.livemode = True
    other.account_id = "acct_other"
    assert await caller.apply(live, other, foreign) == [UNKNOWN] * 3
    assert await caller.listed(invoice.show_id) == [invoice]


async def test_event_ids_of_one_workspace_do_not_block_another(
    caller: Caller, make_caller: MakeCaller, invoice: pb.Invoice
) -> None:
    mine, foreign = paid_event(caller, invoice), paid_event(await make_caller(), invoice)
    foreign.event_id = mine.event_id
    assert await caller.apply(foreign) == [UNKNOWN]
    assert await caller.apply(mine) == [APPLIED]


async def test_copy_of_our_invoice_at_the_provider_moves_nothing(caller: Caller, invoice: pb.Invoice) -> None:
    copy = paid_event(caller, invoice, external_id="in_copied_in_the_dashboard")
    assert await caller.apply(copy) == [UNKNOWN]


async def test_event_without_our_metadata_is_known_by_its_id(caller: Caller, invoice: pb.Invoice) -> None:
    paid = paid_event(caller, invoice)
    paid.invoice.invoice_id = "not one of ours"
    assert await caller.apply(paid) == [APPLIED]


async def test_unknown_events_are_recorded(caller: Caller, replica: Replica) -> None:
    other = pb.ProviderEvent(
        event_id="evt_1",
        provider="stripe",
        workspace_id=caller.who.workspace_id,
        account_id="acct_test",
        type=pb.PROVIDER_EVENT_TYPE_OTHER,
        provider_type="customer.created",
    )
    assert await caller.apply(other) == [NO_CHANGE]
    assert await caller.apply(other) == [DUPLICATE]
    assert [row["outcome"] for row in await replica.pool.fetch(INBOX)] == ["no_change"]


async def test_poisonous_event_spoils_only_itself(caller: Caller) -> None:
    show_id = await caller.small_show(3)
    await caller.generate(show_id)
    events = [paid_event(caller, invoice) for invoice in await caller.listed(show_id)]
    events[1].provider_type = "a zero \0 character"
    assert await caller.apply(*events) == [APPLIED, pb.EVENT_OUTCOME_TRY_AGAIN, APPLIED]
    assert len(await caller.listed(show_id, pb.INVOICE_STATUS_PAID)) == 2


async def test_draft_that_was_priced_at_the_provider_becomes_payable(caller: Caller) -> None:
    show_id = await caller.small_show(1, price=None)
    await caller.generate(show_id)
    (held,) = await caller.listed(show_id)
    assert held.draft_reason == pb.DRAFT_REASON_NEEDS_PRICE
    finalized = event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, held, total=2500)
    finalized.invoice.lines.add(description="Item 0", amount=2500)
    assert await caller.apply(finalized) == [APPLIED]
    now = await caller.invoice(held)
    assert (now.status, now.draft_reason, now.total) == (pb.INVOICE_STATUS_DRAFT, pb.DRAFT_REASON_UNSPECIFIED, 2500)
    assert now.adjusted_at_provider
    assert [(line.title, line.amount) for line in now.lines] == [("Item 0", 2500)]
    assert {entry.action for entry in (await caller.plan(show_id)).entries} == {pb.PLAN_ACTION_UNCHANGED}


async def test_buyer_of_a_deleted_draft_can_be_invoiced_again(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, price=10)
    await caller.generate(show_id)
    (held,) = await caller.listed(show_id)
    assert await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_DELETED, held)) == [APPLIED]
    assert (await caller.invoice(held)).status == pb.INVOICE_STATUS_VOID
    await caller.generate(show_id)
    first, second = await caller.listed(show_id)
    assert (first.revision, second.revision) == (1, 2)
    assert first.pay_path == second.pay_path
    assert len(provider.made) == 2


async def test_late_deletion_of_an_earlier_draft_leaves_the_next_try(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (failed,) = await caller.listed(show_id)
    provider.gate.clear()
    retried = (await caller.retry(show_id)).generation
    # The operator deleted what the first try left; the news of it comes while the next try is under way.
    deleted = event(caller, pb.PROVIDER_EVENT_TYPE_DELETED, failed, external_id="in_of_the_first_try")
    assert await caller.apply(deleted) == [NO_CHANGE]
    provider.gate.set()
    await caller.finished(retried.id)
    invoice = await caller.invoice(failed)
    assert (invoice.status, invoice.external_id) == (pb.INVOICE_STATUS_DRAFT, provider.made[failed.id].external_id)
    assert await caller.apply(paid_event(caller, invoice)) == [APPLIED]


async def test_finalized_event_that_overtakes_the_answer_counts_once(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    (pending,) = await caller.listed(show_id)
    assert await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, pending)) == [APPLIED]
    provider.gate.set()
    finished = await caller.finished(run.id)
    assert (finished.created_count, finished.failed_count) == (1, 0)
    assert (await caller.invoice(pending)).status == pb.INVOICE_STATUS_DRAFT


async def test_retry_after_a_change_of_account_uses_the_new_one(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    assert provider.connected is not None
    provider.connected = replace(provider.connected, account_id="acct_new")
    answer = await caller.retry(show_id)
    await caller.finished(answer.generation.id)
    (invoice,) = await caller.listed(show_id)
    assert (invoice.status, invoice.external_account) == (pb.INVOICE_STATUS_DRAFT, "acct_new")


async def test_event_of_an_account_that_the_invoice_just_left_moves_nothing(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """A retry takes a failed invoice to the account that is connected now, while the old one's event is applied."""
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (failed,) = await caller.listed(show_id)
    async with replica.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE invoices SET external_account = 'acct_now' WHERE id = $1", failed.id)
        told = asyncio.create_task(caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, failed)))
        await eventually(lambda: _waits_for_a_lock(connection))
    assert await told == [UNKNOWN]
    now = await caller.invoice(failed)
    assert (now.status, now.external_id) == (pb.INVOICE_STATUS_ERROR, "")


async def _waits_for_a_lock(connection: Connection) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
