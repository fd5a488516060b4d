"""Items, claims and buyers looked through: filtered, searched, counted, paged; the money of shows in few figures."""

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.common.errors import Kind
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.events_seen import paid_event
from tests.invoicing.test_shows import refusal


def claim(claim_id: str, person: str, item: str, status: pb.ClaimStatus.ValueType = pb.CLAIM_STATUS_WINNER) -> pb.Claim:
    told = pb.Claim(claim_id=claim_id, platform="facebook", platform_user_id=person, item_number=item, status=status)
    told.user_handle = f"@{person}"
    told.claim_time.seconds = 1_700_000_000 + len(claim_id)
    return told


@pytest.fixture
async def show_id(caller: Caller) -> str:
    """Items 1 to 12, those of 3 and 11 without a price; anna won 1 and 2, bob 2, carl waits for 11."""
    show = await caller.create_show()
    items = [
        pb.Item(item_number=str(n), title=f"Thing {n}", price=None if n in (3, 11) else 100 * n) for n in range(1, 13)
    ]
    await caller.items(show.id, items)
    waiting = claim("dddd", "carl", "11", pb.CLAIM_STATUS_WAITLIST)
    done = await caller.ingest(
        show.id, [claim("a", "anna", "1"), claim("bb", "anna", "2"), claim("ccc", "bob", "2"), waiting]
    )
    assert done.created_count == 4
    return show.id


async def items(caller: Caller, show_id: str, **wish: Any) -> list[pb.ListItemsResponse]:
    """All pages."""
    pages = [await caller.client.call(caller.shows.ListItems, pb.ListItemsRequest(show_id=show_id, **wish), caller.who)]
    while token := pages[-1].next_page_token:
        request = pb.ListItemsRequest(show_id=show_id, page_token=token, **wish)
        pages.append(await caller.client.call(caller.shows.ListItems, request, caller.who))
    return pages


def numbers(pages: Sequence[pb.ListItemsResponse]) -> list[str]:
    return [item.item_number for page in pages for item in page.items]


async def test_unpriced_items_come_first_when_asked_whatever_the_page(caller: Caller, show_id: str) -> None:
    expected = ["3", "11", "1", "2", "4", "5", "6", "7", "8", "9", "10", "12"]
    for size in (1, 2, 3, 50):
        assert numbers(await items(caller, show_id, unpriced_first=True, page_size=size)) == expected
    assert numbers(await items(caller, show_id, page_size=5)) == [str(n) for n in range(1, 13)]


async def test_items_are_filtered_searched_and_counted(caller: Caller, show_id: str) -> None:
    (page,) = await items(caller, show_id, with_counts=True)
    assert (page.counts.all, page.counts.unpriced, page.counts.claimed) == (12, 2, 2)
    assert [(one.winner_count, one.winner) for one in page.items[:3]] == [(1, "@anna"), (2, ""), (0, "")]
    assert numbers(await items(caller, show_id, filter=pb.ITEM_FILTER_UNPRICED, page_size=1)) == ["3", "11"]
    assert numbers(await items(caller, show_id, filter=pb.ITEM_FILTER_CLAIMED)) == ["1", "2"]
    assert len(numbers(await items(caller, show_id, filter=pb.ITEM_FILTER_UNCLAIMED))) == 10
    (found,) = await items(caller, show_id, query=" tHING 1", with_counts=True)
    assert numbers([found]) == ["1", "10", "11", "12"]
    assert (found.counts.all, found.counts.unpriced, found.counts.claimed) == (4, 1, 1)


async def test_one_is_found_by_its_name(caller: Caller, show_id: str) -> None:
    assert numbers(await items(caller, show_id, item_number="1", with_counts=True)) == ["1"]
    assert numbers(await items(caller, show_id, item_number="none")) == []
    (anna, bob) = (await buyers(caller, show_id)).buyers
    request = pb.ListBuyersRequest(show_id=show_id, buyer_id=bob.id)
    answer = await caller.client.call(caller.shows.ListBuyers, request, caller.who)
    assert list(answer.buyers) == [bob] != [anna]


async def test_a_page_of_items_is_of_one_order(caller: Caller, show_id: str) -> None:
    (first, *_) = await items(caller, show_id, unpriced_first=True, page_size=2)
    request = pb.ListItemsRequest(show_id=show_id, page_token=first.next_page_token)
    assert (await refusal(caller.client.call(caller.shows.ListItems, request, caller.who))).kind is Kind.INVALID


async def test_claims_are_searched_counted_and_turned_round(caller: Caller, show_id: str) -> None:
    async def found(**wish: Any) -> tuple[list[str], dict[int, int]]:
        ids, token, counts = list[str](), "", dict[int, int]()
        while True:
            request = pb.ListClaimsRequest(show_id=show_id, page_size=1, page_token=token, **wish)
            answer = await caller.client.call(caller.shows.ListClaims, request, caller.who)
            ids += [one.claim_id for one in answer.claims]
            counts, token = {one.status: one.count for one in answer.counts}, answer.next_page_token
            if not token:
                return ids, counts

    assert await found() == (["a", "bb", "ccc", "dddd"], {})
    every = {pb.CLAIM_STATUS_WINNER: 3, pb.CLAIM_STATUS_WAITLIST: 1}
    assert await found(newest_first=True, with_counts=True) == (["dddd", "ccc", "bb", "a"], every)
    winners = await found(status=pb.CLAIM_STATUS_WINNER, newest_first=True, query="THING 2", with_counts=True)
    assert winners == (["ccc", "bb"], {pb.CLAIM_STATUS_WINNER: 2})
    assert await found(query="@CARL") == (["dddd"], {})
    (first, *_) = await caller.claims(show_id)
    assert (first.item_title, first.item_price) == ("Thing 1", 100)


async def buyers(caller: Caller, show_id: str, query: str = "") -> pb.ListBuyersResponse:
    request = pb.ListBuyersRequest(show_id=show_id, query=query)
    return await caller.client.call(caller.shows.ListBuyers, request, caller.who)


async def test_buyers_are_searched_with_what_they_paid_and_opened(caller: Caller, show_id: str) -> None:
    before = await buyers(caller, show_id)
    assert [(one.handle, one.total, one.paid_total, one.opened_count) for one in before.buyers] == [
        ("@anna", 300, 0, 0),
        ("@bob", 200, 0, 0),
    ]
    assert before.total_size == 2
    await caller.generate(show_id)
    (invoice, *_) = [one for one in await caller.listed(show_id) if one.handle == "@anna"]
    await caller.apply(paid_event(caller, invoice))
    await caller.resolve(invoice.pay_path.removeprefix("/p/"), count_opening=True)
    after = await buyers(caller, show_id, "ANN")
    assert after.total_size == 1
    assert [(one.handle, one.paid_total, one.opened_count) for one in after.buyers] == [("@anna", 300, 1)]
    assert after.buyers[0].first_opened_time.seconds > 0


async def test_two_people_do_not_undo_each_others_buyer(caller: Caller, show_id: str) -> None:
    read = (await buyers(caller, show_id)).buyers[0]
    seq = (await caller.show(show_id)).seq
    first = pb.Buyer(id=read.id, email="anna@example.com", etag=read.etag)
    changed = await caller.update_buyer(first, "email")
    second = pb.Buyer(id=read.id, email="other@example.com", etag=read.etag)
    lost = await refusal(caller.update_buyer(second, "email"))
    assert (lost.kind, lost.reason) == (Kind.OUTDATED, "BUYER_CHANGED")
    assert await caller.update_buyer(first, "email") == changed, "sent again, for the answer was lost"
    named = await caller.update_buyer(pb.Buyer(id=read.id, display_name="Anna", etag=read.etag), "display_name")
    assert (named.email, named.display_name) == ("anna@example.com", "Anna"), "the other field was not touched"
    changed = named
    odd = await refusal(caller.update_buyer(pb.Buyer(id=read.id, email="x@example.com", etag="?"), "email"))
    assert odd.reason == "BUYER_CHANGED"
    assert (await buyers(caller, show_id)).buyers[0].etag == changed.etag != read.etag
    assert (await caller.show(show_id)).seq == seq, "no show was named"


async def test_those_who_listen_to_the_show_hear_of_a_buyer(caller: Caller, show_id: str) -> None:
    read, seq = (await buyers(caller, show_id)).buyers[0], (await caller.show(show_id)).seq
    request = pb.UpdateBuyerRequest(buyer=pb.Buyer(id=read.id, display_name="Anna"), show_id=show_id)
    request.update_mask.paths.append("display_name")
    for _ in range(2):
        await caller.client.call(caller.shows.UpdateBuyer, request, caller.who)
    assert (await caller.show(show_id)).seq == seq + 1, "the second time nothing changed"


async def sums(caller: Caller) -> dict[str, pb.ShowSums]:
    answer = await caller.client.call(caller.shows.ListShows, pb.ListShowsRequest(with_sums=True), caller.who)
    return {show.id: one for show, one in zip(answer.shows, answer.sums, strict=True)}


async def test_the_list_of_shows_has_the_money_of_now(caller: Caller, show_id: str) -> None:
    bare = (await caller.create_show()).id
    assert await sums(caller) == {bare: pb.ShowSums(), show_id: pb.ShowSums(claimed=500, platforms=["facebook"])}
    await caller.update_item(show_id, pb.Item(item_number="2", price=1_000), "price")
    assert (await sums(caller))[show_id] == pb.ShowSums(claimed=2_100, platforms=["facebook"])
    await caller.generate(show_id)
    (invoice, *_) = [one for one in await caller.listed(show_id) if one.handle == "@bob"]
    await caller.apply(paid_event(caller, invoice))
    for _ in range(2):
        assert (await sums(caller))[show_id] == pb.ShowSums(
            claimed=2_100, collected=1_000, invoice_count=2, platforms=["facebook"]
        )
    assert (await sums(caller))[bare] == pb.ShowSums()


async def test_shows_are_counted_by_state_whatever_is_asked_for(caller: Caller) -> None:
    for name in ("Friday", "Friday again", "Sunday"):
        await caller.create_show(name=name)
    request = pb.ListShowsRequest(query="FRI", states=[pb.SHOW_STATE_ENDED], with_counts=True)
    answer = await caller.client.call(caller.shows.ListShows, request, caller.who)
    assert (list(answer.shows), list(answer.counts)) == ([], [pb.ShowStateCount(state=pb.SHOW_STATE_DRAFT, count=2)])


async def test_what_buyers_owe_is_told_in_a_few_figures(caller: Caller) -> None:
    show_id = await caller.small_show(2)
    request = pb.GetShowSummaryRequest(show_id=show_id, with_owed=True)

    async def owed() -> pb.OwedSummary:
        return (await caller.client.call(caller.invoices.GetShowSummary, request, caller.who)).owed

    buyers = await caller.buyers(show_id)
    most = max(buyers, key=lambda buyer: buyer.total)
    assert await owed() == pb.OwedSummary(line_count=2, largest_total=most.total, largest_buyer=most.handle)
    request.show_id = await caller.small_show(1, price=None)
    assert await owed() == pb.OwedSummary(), "nobody owes anything"


async def test_the_trend_ends_with_what_was_collected(caller: Caller) -> None:
    show_id = await caller.small_show(7)
    await caller.generate(show_id)

    async def trend(points: int) -> pb.GetShowSummaryResponse:
        request = pb.GetShowSummaryRequest(show_id=show_id, trend_points=points)
        return await caller.client.call(caller.invoices.GetShowSummary, request, caller.who)

    assert list((await trend(10)).trend) == []
    for hour, invoice in enumerate(await caller.listed(show_id)):
        await caller.apply(paid_event(caller, invoice, paid_time=Timestamp(seconds=1_790_000_000 + 3_600 * hour)))
    for points in (1, 2, 3, 10, 10_000):
        answer = await trend(points)
        collected = [point.collected for point in answer.trend]
        assert collected == sorted(collected)
        assert (collected[-1], answer.trend[-1].count) == (answer.paid.amount, 7)
        assert len(collected) <= max(points, 2)
    assert list((await trend(0)).trend) == []
