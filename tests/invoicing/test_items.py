"""Items: corrected one by one without losing what another person did, and what a new price means for invoices."""

import asyncio

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.test_shows import refusal


@pytest.fixture
async def show_id(caller: Caller) -> str:
    show = await caller.create_show()
    await caller.items(show.id, [pb.Item(item_number="12/3", title="Lamp", price=100, quantity=2)])
    return show.id


async def test_only_what_is_named_changes(caller: Caller, show_id: str) -> None:
    (before,) = await caller.listed_items(show_id)
    after = await caller.update_item(show_id, pb.Item(item_number="12/3", price=250), "price")
    assert (after.id, after.title, after.price, after.quantity) == (before.id, "Lamp", 250, 2)
    after = await caller.update_item(show_id, pb.Item(item_number="12/3", title="Lamp, blue"), "title", "price")
    assert (after.title, after.HasField("price"), after.quantity) == ("Lamp, blue", False, 2)
    assert await caller.listed_items(show_id) == [after]


async def test_two_people_do_not_undo_each_other(caller: Caller, show_id: str) -> None:
    (read,) = await caller.listed_items(show_id)
    first = pb.Item(item_number="12/3", price=200, etag=read.etag)
    second = pb.Item(item_number="12/3", price=300, etag=read.etag)
    done = await asyncio.gather(
        *(caller.update_item(show_id, item, "price") for item in (first, second)), return_exceptions=True
    )
    (won,) = [one for one in done if isinstance(one, pb.Item)]
    (lost,) = [one for one in done if isinstance(one, RemoteError)]
    assert (lost.kind, lost.reason) == (Kind.OUTDATED, "ITEM_CHANGED")
    assert await caller.listed_items(show_id) == [won]
    again = first if won.price == first.price else second
    assert await caller.update_item(show_id, again, "price") == won, "sent again, for the answer was lost"


async def test_adding_an_item_never_changes_one_that_is_there(caller: Caller, show_id: str) -> None:
    async def add(item: pb.Item) -> pb.Item:
        request = pb.CreateItemRequest(show_id=show_id, item=item)
        return (await caller.client.call(caller.shows.CreateItem, request, caller.who)).item

    added = await add(pb.Item(item_number="7", title="Vase", price=0))
    assert (added.item_number, added.price, added.HasField("price"), added.HasField("quantity")) == (
        "7",
        0,
        True,
        False,
    )
    before = await caller.listed_items(show_id)
    error = await refusal(add(pb.Item(item_number="7", title="Other", price=1)))
    assert (error.kind, error.reason) == (Kind.CONFLICT, "ITEM_EXISTS")
    wrong = await refusal(add(pb.Item(item_number="", price=-1)))
    assert [fault.field for fault in wrong.faults] == ["item.item_number", "item.price"]
    assert await caller.listed_items(show_id) == before
    assert (await caller.show(show_id)).item_count == 2


async def test_what_cannot_be_changed_is_told(caller: Caller, show_id: str) -> None:
    assert (await refusal(caller.update_item(show_id, pb.Item(item_number="9", price=1), "price"))).reason == (
        "ITEM_NOT_FOUND"
    )
    wrong = await refusal(caller.update_item(show_id, pb.Item(item_number="12/3", price=-1), "price"))
    assert [fault.field for fault in wrong.faults] == ["item.price"]
    for paths in ((), ("item_number",)):
        error = await refusal(caller.update_item(show_id, pb.Item(item_number="12/3"), *paths))
        assert [fault.field for fault in error.faults] == ["update_mask"]
    other = (await caller.create_show()).id
    assert (await refusal(caller.update_item(other, pb.Item(item_number="12/3", price=1), "price"))).kind is (
        Kind.NOT_FOUND
    )


async def test_a_change_is_news_of_the_show_and_no_change_is_none(caller: Caller, show_id: str) -> None:
    before = (await caller.show(show_id)).seq
    await caller.update_item(show_id, pb.Item(item_number="12/3", price=250), "price")
    await caller.update_item(show_id, pb.Item(item_number="12/3", price=250), "price")
    assert (await caller.show(show_id)).seq == before + 1


async def test_the_plan_sees_a_price_that_changed_after_invoicing(caller: Caller) -> None:
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    assert {entry.action for entry in (await caller.plan(show_id)).entries} == {pb.PLAN_ACTION_UNCHANGED}
    await caller.update_item(show_id, pb.Item(item_number="1", price=1_500), "price")
    same, changed = sorted((await caller.plan(show_id)).entries, key=lambda entry: entry.total)
    assert (same.action, same.total) == (pb.PLAN_ACTION_UNCHANGED, 1_000)
    assert (changed.action, changed.total, changed.invoiced_total) == (pb.PLAN_ACTION_CHANGED, 1_500, 1_000)
    assert changed.reason.endswith(".")
    await caller.items(show_id, [pb.Item(item_number="1", title="Item 1", price=1_000)])
    assert {entry.action for entry in (await caller.plan(show_id)).entries} == {pb.PLAN_ACTION_UNCHANGED}


async def test_a_whole_call_of_bad_items_is_still_answered(caller: Caller, show_id: str) -> None:
    """What an answer says of faults travels in headers, which have room for a few kilobytes."""
    error = await refusal(caller.items(show_id, [pb.Item(item_number=str(n), price=-1) for n in range(5_000)]))
    assert error.kind is Kind.INVALID
    assert error.faults[0].field == "items[0].price"
    assert 20 <= len(error.faults) < 5_000


@pytest.mark.parametrize(("currency", "most"), [("USD", 99_999_999), ("IDR", 999_999_999_999)])
async def test_price_goes_as_far_as_its_currency_does(caller: Caller, currency: str, most: int) -> None:
    """However it comes in: Rp 15,000,000 is no dear lamp."""
    show_id = (await caller.create_show(currency=currency)).id
    dearest, dearer = pb.Item(item_number="1", price=most), pb.Item(item_number="2", price=most + 1)
    sentence = f"The price is not between 0 and {most:,} minor units."
    assert (await caller.items(show_id, [dearest])).created_count == 1
    error = await refusal(caller.items(show_id, [dearest, dearer]))
    assert [(fault.field, fault.problem) for fault in error.faults] == [("items[1].price", sentence)]
    streamed = await caller.stream_items(show_id, [dearest], [dearer, pb.Item(item_number="3", price=most)])
    assert [(one.index, one.item_number, one.reason) for one in streamed.rejected_items] == [(1, "2", sentence)]
    assert (streamed.created_count, streamed.unchanged_count) == (1, 1)
    added = pb.CreateItemRequest(show_id=show_id, item=dearer)
    error = await refusal(caller.client.call(caller.shows.CreateItem, added, caller.who))
    assert [(fault.field, fault.problem) for fault in error.faults] == [("item.price", sentence)]
    error = await refusal(caller.update_item(show_id, pb.Item(item_number="1", price=most + 1), "price"))
    assert [(fault.field, fault.problem) for fault in error.faults] == [("item.price", sentence)]
    assert [one.price for one in await caller.listed_items(show_id)] == [most, most]
