"""Shows and items over gRPC."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from services.common.errors import Kind
from services.common.ids import new_id
from services.common.status import RemoteError
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import MakeCaller


async def refusal(call: object) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await call  # type: ignore[misc]  # any awaitable
    return caught.value


async def test_same_request_id_answers_the_same_show(caller: Caller) -> None:
    request_id = new_id()
    first = await caller.create_show("One", request_id=request_id)
    second = await caller.create_show("Two", request_id=request_id)
    assert second == first
    assert first.state == pb.SHOW_STATE_DRAFT


async def test_faults_of_a_request_are_told_at_once(caller: Caller) -> None:
    error = await refusal(caller.create_show("  ", "pounds"))
    assert (error.kind, error.reason) == (Kind.INVALID, "INVALID_REQUEST")
    assert [fault.field for fault in error.faults] == ["name", "currency"]


async def test_show_of_another_workspace_is_not_found(caller: Caller, make_caller: MakeCaller) -> None:
    show = await caller.create_show()
    stranger = await make_caller()
    calls = (
        stranger.show(show.id),
        stranger.items(show.id, [pb.Item(item_number="1", title="A")]),
        stranger.ingest(show.id, [winner(1)]),
        stranger.buyers(show.id),
        stranger.plan(show.id),
        stranger.start(show.id),
        stranger.listed(show.id),
        stranger.summary(show.id),
        stranger.retry(show.id),
    )
    for call in calls:
        error = await refusal(call)
        assert (error.kind, error.reason) == (Kind.NOT_FOUND, "SHOW_NOT_FOUND")
    assert (await caller.show(show.id)).item_count == 0


async def test_shows_are_listed_by_name_and_state(caller: Caller) -> None:
    first, second, third = [(await caller.create_show(name)).id for name in ("Friday live", "Sunday", "FRIDAY over")]
    await caller.client.call(caller.shows.EndShow, pb.EndShowRequest(show_id=third), caller.who)

    async def listed(**fields: Any) -> list[str]:
        answer = await caller.client.call(caller.shows.ListShows, pb.ListShowsRequest(**fields), caller.who)
        return [show.id for show in answer.shows]

    assert await listed(query="friday ") == [third, first]
    assert await listed(states=[pb.SHOW_STATE_DRAFT, pb.SHOW_STATE_ACTIVE]) == [second, first]
    assert await listed(query="FRI", states=[pb.SHOW_STATE_ENDED]) == [third]
    assert await listed(query="%") == []
    assert (await refusal(listed(states=[pb.SHOW_STATE_UNSPECIFIED]))).reason == "INVALID_REQUEST"


async def test_text_that_is_no_id_is_not_found(caller: Caller) -> None:
    assert (await refusal(caller.show("nonsense"))).kind is Kind.NOT_FOUND


async def test_only_its_callers_may_call(make_caller: MakeCaller) -> None:
    engine = await make_caller("claims")
    show = await engine.create_show()
    assert (await refusal(engine.start(show.id))).kind is Kind.FORBIDDEN
    assert (await refusal(engine.apply())).kind is Kind.FORBIDDEN
    assert (await refusal((await make_caller("integrations")).create_show())).kind is Kind.FORBIDDEN


async def test_lifecycle_goes_its_ways_only(caller: Caller) -> None:
    show = await caller.create_show()
    start, pause, end = pb.StartShowRequest, pb.PauseShowRequest, pb.EndShowRequest
    call, stub, who = caller.client.call, caller.shows, caller.who
    planned = pb.Show(id=show.id)
    planned.start_time.GetCurrentTime()
    begun, none = (
        pb.UpdateShowRequest(show=told, update_mask=FieldMask(paths=["start_time"]))
        for told in (planned, pb.Show(id=show.id))
    )
    assert (await call(stub.UpdateShow, begun, who)).show.HasField("start_time")
    assert not (await call(stub.UpdateShow, none, who)).show.HasField("start_time")

    assert (await refusal(call(stub.PauseShow, pause(show_id=show.id), who))).reason == "SHOW_STATE"
    started = (await call(stub.StartShow, start(show_id=show.id), who)).show
    assert started.state == pb.SHOW_STATE_ACTIVE
    assert started.HasField("start_time")
    assert (await call(stub.StartShow, start(show_id=show.id), who)).show == started
    error = await refusal(call(stub.UpdateShow, none, who))
    assert error.message == "The show is active, so it cannot be left without a start."
    assert (await call(stub.PauseShow, pause(show_id=show.id), who)).show.state == pb.SHOW_STATE_PAUSED
    assert (await call(stub.EndShow, end(show_id=show.id), who)).show.HasField("end_time")
    error = await refusal(call(stub.StartShow, start(show_id=show.id), who))
    assert error.message == "The show is ended, so it cannot be started."


async def test_shows_are_listed_newest_first_page_by_page(caller: Caller) -> None:
    made = [(await caller.create_show(f"Show {number}")).id for number in range(5)]
    seen, token = [], ""
    while True:
        request = pb.ListShowsRequest(page_size=2, page_token=token)
        answer = await caller.client.call(caller.shows.ListShows, request, caller.who)
        seen += [show.id for show in answer.shows]
        token = answer.next_page_token
        if not token:
            break
    assert seen == made[::-1]
    foreign = await refusal(caller.client.call(caller.shows.ListShows, pb.ListShowsRequest(page_token="x"), caller.who))
    assert foreign.kind is Kind.INVALID


async def test_currency_is_fixed_by_the_first_invoice(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    dollars = pb.UpdateShowRequest(
        show=pb.Show(id=show_id, name="New name", currency="USD"), update_mask=FieldMask(paths=["name", "currency"])
    )
    pounds = pb.UpdateShowRequest(show=pb.Show(id=show_id, currency="GBP"), update_mask=FieldMask(paths=["currency"]))
    changed = (await caller.client.call(caller.shows.UpdateShow, dollars, caller.who)).show
    assert (changed.name, changed.currency) == ("New name", "USD")
    await caller.client.call(caller.shows.UpdateShow, pounds, caller.who)
    await caller.generate(show_id)
    error = await refusal(caller.client.call(caller.shows.UpdateShow, dollars, caller.who))
    assert error.reason == "CURRENCY_FIXED"
    assert (await caller.show(show_id)).name == "New name"


async def test_prices_are_never_read_in_other_minor_units(caller: Caller) -> None:
    show = await caller.create_show(currency="USD")

    async def move_to(currency: str) -> str:
        request = pb.UpdateShowRequest(
            show=pb.Show(id=show.id, currency=currency), update_mask=FieldMask(paths=["currency"])
        )
        return (await caller.client.call(caller.shows.UpdateShow, request, caller.who)).show.currency

    await caller.items(show.id, [pb.Item(item_number="1", title="Unpriced"), pb.Item(item_number="2", price=0)])
    assert [await move_to("JPY"), await move_to("USD")] == ["JPY", "USD"], "nothing is of another amount"
    await caller.items(show.id, [pb.Item(item_number="1", title="Lamp", price=1500)])
    assert [await move_to("EUR"), await move_to("USD")] == ["EUR", "USD"], "cents are cents"
    error = await refusal(move_to("JPY"))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "CURRENCY_FIXED")
    assert "have prices in USD" in error.message
    assert (await caller.show(show.id)).currency == "USD"


async def test_items_are_created_updated_or_unchanged(caller: Caller) -> None:
    show = await caller.create_show()
    two = [pb.Item(item_number="1", title="A", price=100), pb.Item(item_number="2", title="B")]
    first = await caller.items(show.id, two)
    two[1].price = 0
    second = await caller.items(show.id, two)
    assert (first.created_count, first.updated_count, first.unchanged_count) == (2, 0, 0)
    assert (second.created_count, second.updated_count, second.unchanged_count) == (0, 1, 1)
    assert (await caller.show(show.id)).item_count == 2


async def test_bad_item_keeps_all_items_out(caller: Caller) -> None:
    show = await caller.create_show()
    items = [
        pb.Item(item_number="1", title="A", price=-1),
        pb.Item(title="B"),
        pb.Item(item_number="3", title="C"),
        pb.Item(item_number="3", title="\0"),
    ]
    error = await refusal(caller.items(show.id, items))
    assert [fault.field for fault in error.faults] == [
        "items[0].price",
        "items[1].item_number",
        "items[3].title",
        "items[3].item_number",
    ]
    assert (await caller.show(show.id)).item_count == 0


async def test_items_are_listed_in_the_order_of_their_numbers(caller: Caller) -> None:
    show = await caller.create_show()
    await caller.items(show.id, [pb.Item(item_number=number, title="T") for number in ("10", "2", "2b", "X", "1")])
    seen, token = [], ""
    for _ in range(3):
        request = pb.ListItemsRequest(show_id=show.id, page_size=2, page_token=token)
        answer = await caller.client.call(caller.shows.ListItems, request, caller.who)
        seen += [(item.item_number, item.HasField("price")) for item in answer.items]
        token = answer.next_page_token
    assert seen == [("1", False), ("2", False), ("2b", False), ("10", False), ("X", False)]
    assert token == ""


async def test_of_two_who_edit_a_show_the_second_is_told(caller: Caller) -> None:
    read = await caller.create_show()

    def renamed(name: str, etag: str) -> Any:
        show = pb.Show(id=read.id, name=name, etag=etag)
        request = pb.UpdateShowRequest(show=show, update_mask=FieldMask(paths=["name"]))
        return caller.client.call(caller.shows.UpdateShow, request, caller.who)

    first = (await renamed("First", read.etag)).show
    assert first.etag not in ("", read.etag)
    error = await refusal(renamed("Second", read.etag))
    assert (error.kind, error.reason) == (Kind.OUTDATED, "SHOW_CHANGED")
    assert (await renamed("First", read.etag)).show.name == "First"  # sent again
    assert (await renamed("Second", first.etag)).show.name == "Second"
    assert (await renamed("Third", "")).show.name == "Third"
