"""The money of a show always balances."""

from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.events_seen import event, paid_event
from tests.invoicing.fake_provider import FakeProvider, Refused

MADE = ("pending", "draft", "held_back", "sent", "paid", "error", "payment_failed", "uncollectible")


def balance(summary: pb.GetShowSummaryResponse) -> tuple[int, int]:
    invoiced = sum(getattr(summary, part).amount for part in MADE)
    return summary.claimed.amount, invoiced + summary.not_invoiced.amount + summary.moved.amount


async def test_parts_of_a_show_balance_at_every_stage(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.import_example("retail-2010-12-05")
    before = await caller.summary(show_id)
    assert (before.claimed.amount, before.claimed.count) == (3_059_545, 76)
    assert before.not_invoiced == before.claimed
    assert (before.unpriced_lines.count, before.currency) == (1, "GBP")
    provider.gate.clear()
    run = await caller.start(show_id)
    assert balance(await caller.summary(show_id)) == (3_059_545, 3_059_545)
    provider.gate.set()
    await caller.finished(run.id)
    invoices = await caller.listed(show_id)
    payable = [invoice for invoice in invoices if not invoice.draft_reason]
    await caller.apply(paid_event(caller, payable[0]), event(caller, pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED, payable[1]))
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, payable[2]))
    await caller.send(payable[3], pb.DELIVERY_CHANNEL_MANUAL)
    after = await caller.summary(show_id)
    assert balance(after) == (3_059_545, 3_059_545)
    assert (after.paid.amount, after.payment_failed.amount) == (payable[0].total, payable[1].total)
    assert (after.void.amount, after.not_invoiced.amount) == (payable[2].total, payable[2].total)
    assert (after.sent.count, after.held_back.count, after.draft.count) == (1, 1, 76 - 5)
    assert after.seq == (await caller.show(show_id)).seq


async def test_what_moved_since_it_was_invoiced_is_a_part(caller: Caller) -> None:
    show_id = await caller.small_show(4)
    await caller.generate(show_id)
    assert (await caller.summary(show_id)).moved == pb.SummaryPart()
    invoices = await caller.listed(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Dearer", price=1500)])
    await caller.ingest(show_id, [winner(1, status=pb.CLAIM_STATUS_RELEASED, sequence=1)])
    await caller.apply(paid_event(caller, invoices[2], total=900))
    summary = await caller.summary(show_id)
    assert (summary.moved.amount, summary.moved.count) == (500 - 1000 + 100, 3)
    assert balance(summary) == (3500, 3500)


async def test_failed_invoices_are_a_part_of_their_own(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(3)
    provider.failures = {"u1": [Refused()]}
    await caller.generate(show_id)
    summary = await caller.summary(show_id)
    assert (summary.error.amount, summary.error.count, summary.draft.amount) == (1000, 1, 2000)
    assert balance(summary) == (3000, 3000)
