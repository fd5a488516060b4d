"""Links that go out on their own, once, as soon as their invoice can be paid."""

from dataclasses import replace

import pytest

from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from services.common.status import RemoteError
from services.invoicing.domain.invoice import Standing
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.events_seen import event, listening
from tests.invoicing.fake_provider import Away, FakeProvider, Refused
from tests.waiting import eventually

BASE = "https://pay.example"
CHOICES = (True, False, None)


@pytest.fixture(autouse=True)
def automatic(provider: FakeProvider) -> None:
    assert provider.connected
    provider.connected = replace(provider.connected, automatic_sending=True, message_template="Yours: {pay_link}")


async def all_sent(caller: Caller, show_id: str) -> list[pb.Invoice]:
    async def sent() -> list[pb.Invoice]:
        rows = await caller.listed(show_id)
        return rows if all(row.status == pb.INVOICE_STATUS_SENT for row in rows) else []

    return await eventually(sent, why="the links did not go out on their own")


async def test_every_buyer_with_an_address_is_mailed_once(caller: Caller, provider: FakeProvider, nats: Nats) -> None:
    show_id = await caller.small_show(3, emails=True)
    async with listening(nats.url, caller.who.workspace_id) as heard:
        await caller.start(show_id, base=BASE)
        rows = await all_sent(caller, show_id)
        await eventually(lambda: len(heard.of("checkout_link.sent")) == 3)
    assert len(provider.mailed) == 3
    (delivery,) = (await caller.deliveries(rows[0])).deliveries
    assert (delivery.automatic, delivery.actor) == (True, "worker:automatic_sending")
    assert delivery.message == f"Yours: {BASE}{rows[0].pay_path}"


async def test_who_has_no_address_is_left_to_the_operator(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2)
    await caller.ingest(show_id, [winner(0, claim_id="e", email="buyer@example.com")])
    run = await caller.start(show_id, base=BASE)
    await caller.finished(run.id)
    await eventually(lambda: provider.mailed.total() == 1)
    with_address, without = await caller.listed(show_id)
    await eventually(lambda: _status(caller, with_address, pb.INVOICE_STATUS_SENT))
    assert (await caller.invoice(without)).status == pb.INVOICE_STATUS_DRAFT
    assert not (await caller.deliveries(without)).deliveries


async def _status(caller: Caller, invoice: pb.Invoice, status: pb.InvoiceStatus.ValueType) -> bool:
    return (await caller.invoice(invoice)).status == status


async def test_setting_of_the_beginning_counts(caller: Caller, provider: FakeProvider) -> None:
    """Switched off while invoices are being made, it holds for the next generation."""
    show_id = await caller.small_show(1, emails=True)
    provider.gate.clear()
    await caller.start(show_id, base=BASE)
    provider.connected = provider.connected and replace(provider.connected, automatic_sending=False)
    provider.gate.set()
    await all_sent(caller, show_id)
    other = await caller.small_show(1, emails=True)
    await caller.finished((await caller.start(other, base=BASE)).id)
    (row,) = await caller.listed(other)
    assert not (await caller.deliveries(row)).deliveries


async def test_choice_of_whoever_starts_the_run_counts_before_the_setting(
    caller: Caller, provider: FakeProvider
) -> None:
    show_id = await caller.small_show(1, emails=True)
    provider.failures = {"u0": [Refused("No.")]}
    request_id = new_id()
    run = await caller.start(show_id, base=BASE, sends=False, request_id=request_id)
    await caller.finished(run.id)
    assert (await caller.start(show_id, base=BASE, sends=False, request_id=request_id)).id == run.id
    with pytest.raises(RemoteError, match="something else"):
        await caller.start(show_id, base=BASE, sends=True, request_id=request_id)
    retried = await caller.retry(show_id)
    await caller.finished(retried.generation.id)
    (row,) = await caller.listed(show_id)
    assert row.status == pb.INVOICE_STATUS_DRAFT
    assert not (await caller.deliveries(row)).deliveries, "nor when it is tried again"
    provider.connected = provider.connected and replace(provider.connected, automatic_sending=False)
    other = await caller.small_show(1, emails=True)
    await caller.start(other, base=BASE, sends=True)
    await all_sent(caller, other)


@pytest.mark.parametrize("repriced", [False, True])
async def test_each_goes_by_what_was_chosen_for_it_when_all_are_tried_again(
    caller: Caller, provider: FakeProvider, *, repriced: bool
) -> None:
    """Though one run tries them all, twice, and whether it makes them as they were or anew."""
    show_id = await caller.small_show(3, emails=True)
    provider.failures = {f"u{n}": [Refused("No.")] * 2 for n in range(3)}
    choices = {
        buyer.platform_user_id: sends for buyer, sends in zip(await caller.buyers(show_id), CHOICES, strict=True)
    }
    for buyer in await caller.buyers(show_id):
        sends = choices[buyer.platform_user_id]
        run = await caller.start(show_id, buyer_ids=[buyer.id], base=BASE, sends=sends)
        await caller.finished(run.id)
    assert provider.connected
    provider.connected = replace(provider.connected, automatic_sending=False)
    for again in range(2):
        if repriced and again:
            await caller.items(show_id, [pb.Item(item_number=str(n), title=f"Item {n}", price=1100) for n in range(3)])
        await caller.finished((await caller.retry(show_id)).generation.id)
    rows = [row for row in await caller.listed(show_id) if row.status != pb.INVOICE_STATUS_VOID]
    assert [row.revision for row in rows] == [2 if repriced else 1] * 3
    sent = {row.platform_user_id: bool((await caller.deliveries(row)).deliveries) for row in rows}
    assert sent == {user: bool(sends) for user, sends in choices.items()}, "None is the setting of now"


@pytest.mark.parametrize("sends", [False, True])
async def test_choice_of_the_run_that_edits_a_draft_counts_before_that_of_the_first(
    caller: Caller, provider: FakeProvider, *, sends: bool
) -> None:
    """Whether the worker tells that it can be paid, or an event that is quicker."""
    for quicker in (False, True):
        show_id = await caller.small_show(1, price=None, emails=True)
        await caller.finished((await caller.start(show_id, base=BASE, sends=not sends)).id)
        (row,) = await caller.listed(show_id)
        await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=700)])
        if quicker:
            provider.gate.clear()
        run = await caller.start(show_id, base=BASE, sends=sends, apply_changes=True)
        if quicker:
            await eventually(lambda: provider.calls["update_draft"] == 2, why="the worker does not edit it")
            provider.now(row.id, standing=Standing.PAYABLE, total=700)
            await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, row, total=700))
            provider.gate.set()
        await caller.finished(run.id)
        assert (await caller.invoice(row)).draft_reason == pb.DRAFT_REASON_UNSPECIFIED, "it can be paid"
        assert bool((await caller.deliveries(row)).deliveries) is sends


async def test_nothing_goes_out_without_an_address_for_links(caller: Caller, replica: Replica) -> None:
    show_id = await caller.small_show(1, emails=True)
    await caller.generate(show_id)
    assert await replica.pool.fetchval("SELECT count(*) FROM deliveries") == 0


async def test_retried_invoice_is_sent_when_it_stands(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, emails=True)
    provider.failures = {"u0": [Refused("No.")]}
    await caller.finished((await caller.start(show_id, base=BASE)).id)
    assert not provider.mail_entered
    await caller.retry(show_id)
    (row,) = await all_sent(caller, show_id)
    assert row.send_count == 1


async def test_event_that_is_quicker_than_the_worker_sends_once(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, emails=True)
    provider.gate.clear()
    run = await caller.start(show_id, base=BASE)
    await eventually(lambda: provider.entered.total() == 1, why="the worker does not make it")
    (row,) = await caller.listed(show_id)
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, row))
    provider.gate.set()
    await caller.finished(run.id)
    (row,) = await all_sent(caller, show_id)
    assert row.send_count == 1
    assert len((await caller.deliveries(row)).deliveries) == 1


async def test_what_was_held_back_goes_out_once_it_can_be_paid(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, price=None, emails=True)
    await caller.finished((await caller.start(show_id, base=BASE)).id)
    (row,) = await caller.listed(show_id)
    assert not (await caller.deliveries(row)).deliveries
    provider.now(row.id, standing=Standing.PAYABLE, total=700)
    for _ in range(2):
        await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, row, total=700))
    (sent,) = await all_sent(caller, show_id)
    assert (sent.send_count, len(provider.mailed)) == (1, 1)


async def test_failures_are_kept_and_passing_ones_tried_again(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2, emails=True)
    provider.mail_gate.clear()
    await caller.finished((await caller.start(show_id, base=BASE)).id)
    first, second = await caller.listed(show_id)
    provider.failures = {first.external_id: [Away(), Away()], second.external_id: [Refused("No mail for this one.")]}
    provider.mail_gate.set()
    await eventually(lambda: _status(caller, first, pb.INVOICE_STATUS_SENT))
    (delivery,) = (await caller.deliveries(second)).deliveries
    assert (delivery.state, delivery.reason) == (pb.DELIVERY_STATE_FAILED, "No mail for this one.")
    assert (await caller.invoice(second)).status == pb.INVOICE_STATUS_DRAFT
