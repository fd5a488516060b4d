"""What the service tells on NATS: every change once, in the show's order, with its whole new state."""

from services.cli.embedded.nats import Nats
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.events_seen import listening, paid_event
from tests.invoicing.fake_provider import FakeProvider, Refused
from tests.waiting import eventually


async def test_events_of_a_show_have_positions_without_gaps(caller: Caller, provider: FakeProvider, nats: Nats) -> None:
    provider.failures = {"u1": [Refused()]}
    async with listening(nats.url, caller.who.workspace_id) as heard:
        show_id = await caller.small_show(5)
        run = await caller.generate(show_id)
        for invoice in await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT):
            await caller.apply(paid_event(caller, invoice))
        last = (await caller.show(show_id)).seq
        await eventually(lambda: len(heard.events) == last, why="events are missing")
    assert sorted(event.seq for event in heard.events) == list(range(1, last + 1))
    assert len({event.id for event in heard.events}) == last
    assert {event.workspace_id for event in heard.events} == {caller.who.workspace_id}
    assert len(heard.of("invoice.updated")) == 5 + 4
    (finished,) = heard.of("generation.finished")
    told = finished.generation_finished
    assert (told.generation_id, told.total_count, told.created_count, told.failed_count) == (run.id, 5, 4, 1)


async def test_event_carries_what_the_list_shows(caller: Caller, nats: Nats) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        show_id = await caller.small_show(1)
        await caller.generate(show_id)
        (invoice,) = await caller.listed(show_id)
        await caller.apply(paid_event(caller, invoice))
        await eventually(lambda: len(heard.of("invoice.updated")) == 2)
        (invoice,) = await caller.listed(show_id)
        told = max(heard.of("invoice.updated"), key=lambda event: event.seq).invoice_updated
    for field in told.DESCRIPTOR.fields:
        name = {"invoice_id": "id"}.get(field.name, field.name)
        if name != "previous_status":
            assert getattr(told, field.name) == getattr(invoice, name), name
    assert int(told.previous_status) == int(pb.INVOICE_STATUS_DRAFT)


async def test_run_begins_with_one_event_however_many_buyers(
    caller: Caller, provider: FakeProvider, nats: Nats
) -> None:
    provider.gate.clear()
    show_id = await caller.small_show(300)
    async with listening(nats.url, caller.who.workspace_id) as heard:
        seq = (await caller.show(show_id)).seq
        run = await caller.start(show_id)
        (begun,) = await eventually(lambda: heard.of("generation.progressed"))
        assert (await caller.show(show_id)).seq == begun.seq == seq + 1
        assert [event.type for event in heard.events if event.seq > seq] == ["generation.progressed"]
    told = begun.generation_progressed
    assert (told.generation_id, told.total_count, told.pending_count) == (run.id, 300, 300)
    assert len(await caller.listed(show_id, pb.INVOICE_STATUS_PENDING)) == 300  # what a listener reads then
    provider.gate.set()


async def test_progress_is_told_a_few_times_a_second(caller: Caller, nats: Nats) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        show_id = await caller.small_show(60)
        await caller.generate(show_id)
        await eventually(lambda: heard.of("generation.finished"))
        seconds = heard.events[-1].occur_time.ToNanoseconds() - heard.events[0].occur_time.ToNanoseconds()
    progressed = heard.of("generation.progressed")
    assert 1 <= len(progressed) <= 3 + 4 * seconds / 1e9
    assert all(event.generation_progressed.total_count == 60 for event in progressed)


async def test_what_happens_to_a_show_and_its_links_is_told(caller: Caller, nats: Nats) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        show_id = await caller.small_show(2)
        await caller.client.call(caller.shows.StartShow, pb.StartShowRequest(show_id=show_id), caller.who)
        await caller.client.call(caller.shows.StartShow, pb.StartShowRequest(show_id=show_id), caller.who)
        await caller.client.call(caller.shows.EndShow, pb.EndShowRequest(show_id=show_id), caller.who)
        await caller.generate(show_id)
        invoice = (await caller.listed(show_id))[0]
        await caller.resolve(invoice.pay_path.removeprefix("/p/"), count_opening=True)
        sending = await caller.send_many(show_id, channel_without_email=pb.DELIVERY_CHANNEL_MANUAL)
        last = (await caller.show(show_id)).seq
        await eventually(lambda: heard.of("sending.started") and heard.of("pay_link.opened"))
        assert last >= len(heard.events)
    assert [event.show_updated.state for event in heard.of("show.updated")] == [2, 4]  # told once each: active, ended
    (opened,) = heard.of("pay_link.opened")
    told = opened.pay_link_opened
    assert (told.invoice_id, told.buyer_id, told.opened_count) == (invoice.id, invoice.buyer_id, 1)
    (started,) = heard.of("sending.started")
    assert (started.sending_started.sending_id, started.sending_started.total_count) == (sending.id, 2)


async def test_unchanged_claims_and_items_tell_nothing(caller: Caller) -> None:
    show_id = await caller.small_show(2)
    seq = (await caller.show(show_id)).seq
    await caller.items(show_id, [pb.Item(item_number=str(n), title=f"Item {n}", price=1000) for n in range(2)])
    assert (await caller.show(show_id)).seq == seq == 2
