"""The desk: the queue of links that nobody has yet, with messages; and those who opened theirs and did not pay."""

import pytest

from services.common.errors import Kind
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import MakeCaller
from tests.invoicing.events_seen import paid_event
from tests.invoicing.test_shows import refusal

BASE = "https://pay.example"


async def unsent(caller: Caller, show_id: str, size: int = 0, token: str = "") -> pb.ListUnsentResponse:
    request = pb.ListUnsentRequest(show_id=show_id, page_size=size, page_token=token, pay_link_base=BASE)
    return await caller.client.call(caller.invoices.ListUnsent, request, caller.who)


async def opened(caller: Caller, show_id: str, size: int = 0, token: str = "") -> pb.ListOpenedResponse:
    request = pb.ListOpenedRequest(show_id=show_id, page_size=size, page_token=token)
    return await caller.client.call(caller.invoices.ListOpened, request, caller.who)


@pytest.fixture
async def show_id(caller: Caller) -> str:
    """Seven who can pay, and one who is held back."""
    show = await caller.create_show("Friday")
    items = [pb.Item(item_number=str(n), title=f"Item {n}", price=1000) for n in range(7)]
    await caller.items(show.id, [*items, pb.Item(item_number="7", title="No price")])
    await caller.ingest(show.id, [winner(n, display_name=f"Name {n}") for n in range(8)])
    await caller.generate(show.id)
    return show.id


async def test_queue_holds_each_payable_link_once_in_pages_of_any_size(caller: Caller, show_id: str) -> None:
    payable = [one.id for one in await caller.listed(show_id) if not one.draft_reason]
    assert len(payable) == 7
    for size in (1, 3, 7, 50):
        found, token = list[str](), ""
        while True:
            page = await unsent(caller, show_id, size, token)
            assert (page.total_size, len(page.unsent) <= size) == (7, True)
            found += [one.invoice.id for one in page.unsent]
            if not (token := page.next_page_token):
                break
        assert found == payable


async def test_message_of_the_queue_is_the_one_that_sending_writes(caller: Caller, show_id: str) -> None:
    one = (await unsent(caller, show_id, 1)).unsent[0]
    delivery = (await caller.send(one.invoice, pb.DELIVERY_CHANNEL_MANUAL)).delivery
    assert (delivery.message, delivery.link) == (one.message, one.link)
    assert one.link.startswith(f"{BASE}/p/")


async def test_queue_leaves_out_what_is_sent_paid_void_or_under_way(caller: Caller, show_id: str) -> None:
    sent, paid, void, dm = (one.invoice for one in (await unsent(caller, show_id)).unsent[:4])
    await caller.send(sent, pb.DELIVERY_CHANNEL_MANUAL)
    await caller.apply(paid_event(caller, paid))
    await caller.void(void)
    await caller.send(dm, pb.DELIVERY_CHANNEL_DM)
    page = await unsent(caller, show_id)
    left = {one.invoice.id for one in page.unsent}
    assert (page.total_size, left & {sent.id, paid.id, void.id, dm.id}) == (3, set())


async def test_opened_links_stand_until_they_are_paid(caller: Caller, show_id: str) -> None:
    first, second, third = (one.invoice for one in (await unsent(caller, show_id)).unsent[:3])
    assert not (await opened(caller, show_id)).invoices
    for one in (second, first, second, third):
        await caller.resolve(one.pay_path.rsplit("/", 1)[1], count_opening=True)
    found, token = list[pb.Invoice](), ""
    while True:
        page = await opened(caller, show_id, 1, token)
        found += page.invoices
        if not (token := page.next_page_token):
            break
    assert [(one.id, one.opened_count) for one in found] == [(second.id, 2), (first.id, 1), (third.id, 1)]
    await caller.apply(paid_event(caller, second))
    await caller.revoke(third)
    assert [one.id for one in (await opened(caller, show_id)).invoices] == [first.id]


async def test_show_of_another_workspace_has_no_desk(caller: Caller, make_caller: MakeCaller, show_id: str) -> None:
    other = await make_caller()
    for call in (unsent(other, show_id), opened(other, show_id)):
        assert (await refusal(call)).kind is Kind.NOT_FOUND


async def test_show_tells_when_claims_arrived_last(caller: Caller) -> None:
    show = await caller.create_show("Arriving")
    assert not show.HasField("claims_arrive_time")
    await caller.items(show.id, [pb.Item(item_number="1", title="Item", price=1000)])
    await caller.ingest(show.id, [winner(1)])
    first = (await caller.show(show.id)).claims_arrive_time.ToDatetime()
    await caller.ingest(show.id, [winner(1)])
    assert (await caller.show(show.id)).claims_arrive_time.ToDatetime() == first
    await caller.ingest(show.id, [winner(1, quantity=2)])
    assert (await caller.show(show.id)).claims_arrive_time.ToDatetime() > first
