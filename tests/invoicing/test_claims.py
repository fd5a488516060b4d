"""Claims: idempotent on the caller's id, later states before earlier ones, bad ones apart from good ones."""

import asyncio

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.test_shows import refusal


@pytest.fixture
async def show_id(caller: Caller) -> str:
    show = await caller.create_show()
    await caller.items(show.id, [pb.Item(item_number=str(n), title=f"Item {n}", price=100 * n) for n in range(1, 6)])
    return show.id


def counts(answer: pb.IngestClaimsResponse) -> tuple[int, int, int, int]:
    return answer.created_count, answer.updated_count, answer.unchanged_count, len(answer.rejected_claims)


async def claims_of(caller: Caller, show_id: str, **filters: object) -> list[pb.Claim]:
    request = pb.ListClaimsRequest(show_id=show_id, page_size=1000, **filters)  # type: ignore[arg-type]  # by name
    return list((await caller.client.call(caller.shows.ListClaims, request, caller.who)).claims)


async def test_claims_that_cannot_be_taken_are_named_with_their_place(caller: Caller, show_id: str) -> None:
    claims = [
        winner(1),
        winner(2, item_number="99"),
        winner(3, email="nobody"),
        winner(4, platform_user_id="u4"),
        pb.Claim(claim_id="c5", item_number="5"),
        winner(5, claim_id="c6", email="zero\0@example.com"),
    ]
    answer = await caller.ingest(show_id, claims)
    assert counts(answer) == (2, 0, 0, 4)
    rejected = {claim.index: claim.reason for claim in answer.rejected_claims}
    assert rejected[1] == "The show has no item 99. Add the item, then send the claim again."
    assert "e-mail" in rejected[2]
    assert "platform" in rejected[4]
    assert "status" in rejected[4]
    assert "e-mail" in rejected[5]


async def test_later_state_replaces_the_earlier_never_the_other_way(caller: Caller, show_id: str) -> None:
    won = winner(1)
    released = winner(1, status=pb.CLAIM_STATUS_RELEASED, claim_time=Timestamp(seconds=won.claim_time.seconds + 60))
    assert counts(await caller.ingest(show_id, [won])) == (1, 0, 0, 0)
    assert counts(await caller.ingest(show_id, [released])) == (0, 1, 0, 0)
    assert counts(await caller.ingest(show_id, [won])) == (0, 0, 1, 0)
    assert await caller.buyers(show_id) == []
    assert (await claims_of(caller, show_id))[0].status == pb.CLAIM_STATUS_RELEASED


async def test_sequence_goes_before_time(caller: Caller, show_id: str) -> None:
    first = winner(1, sequence=2)
    older = winner(1, sequence=1, status=pb.CLAIM_STATUS_PASSED, claim_time=Timestamp(seconds=2_000_000_000))
    await caller.ingest(show_id, [first])
    assert counts(await caller.ingest(show_id, [older])) == (0, 0, 1, 0)
    newer = winner(1, sequence=3, status=pb.CLAIM_STATUS_PASSED)
    assert counts(await caller.ingest(show_id, [newer])) == (0, 1, 0, 0)


async def test_states_of_one_claim_in_one_batch_become_the_last(caller: Caller, show_id: str) -> None:
    claims = [winner(1, status=pb.CLAIM_STATUS_RELEASED, sequence=2), winner(1, sequence=1)]
    assert counts(await caller.ingest(show_id, claims)) == (1, 0, 1, 0)
    assert (await claims_of(caller, show_id))[0].status == pb.CLAIM_STATUS_RELEASED


async def test_claim_without_time_is_the_same_when_sent_again(caller: Caller, show_id: str) -> None:
    claim = winner(1)
    claim.ClearField("claim_time")
    await caller.ingest(show_id, [claim])
    assert counts(await caller.ingest(show_id, [claim])) == (0, 0, 1, 0)


async def test_labels_follow_the_newest_and_emails_fill_in(caller: Caller, show_id: str) -> None:
    await caller.ingest(show_id, [winner(1, email="first@example.com")])
    (buyer,) = await caller.buyers(show_id)
    assert buyer.email == "first@example.com"
    await caller.ingest(show_id, [winner(1, claim_id="later", user_handle="@new", email="second@example.com")])
    (buyer,) = await caller.buyers(show_id)
    assert (buyer.handle, buyer.email, buyer.claim_count, buyer.line_count) == ("@new", "first@example.com", 2, 1)
    changed = await caller.update_buyer(pb.Buyer(id=buyer.id, email="own@example.com"), "email")
    assert (changed.email, changed.handle) == ("own@example.com", "@new")


async def test_an_older_claim_sets_no_label_back(caller: Caller, show_id: str) -> None:
    newer = Timestamp(seconds=winner(1).claim_time.seconds + 60)
    await caller.ingest(show_id, [winner(1, user_handle="@new", display_name="New", claim_time=newer)])
    await caller.ingest(show_id, [winner(1, claim_id="older", user_handle="@old", display_name="Old")])
    (buyer,) = await caller.buyers(show_id)
    assert (buyer.handle, buyer.display_name, buyer.claim_count) == ("@new", "New", 2)
    again = [winner(1, claim_id=f"c-{n}", user_handle=handle) for n, handle in enumerate(("@old", ""))]
    again.insert(
        1, winner(1, claim_id="newest", user_handle="@newest", claim_time=Timestamp(seconds=newer.seconds + 1))
    )
    await caller.ingest(show_id, again)
    (buyer,) = await caller.buyers(show_id)
    assert (buyer.handle, buyer.display_name) == ("@newest", "New")


async def test_a_name_that_a_person_gave_stands_before_claims_made_earlier(caller: Caller, show_id: str) -> None:
    await caller.ingest(show_id, [winner(1, display_name="As claimed", claim_time=Timestamp(seconds=1_600_000_000))])
    (buyer,) = await caller.buyers(show_id)
    await caller.update_buyer(pb.Buyer(id=buyer.id, display_name="As corrected"), "display_name")
    again = winner(1, claim_id="c2", display_name="As claimed", claim_time=Timestamp(seconds=1_600_000_001))
    await caller.ingest(show_id, [again])
    assert [buyer.display_name for buyer in await caller.buyers(show_id)] == ["As corrected"]


async def test_all_or_none_takes_nothing_where_one_is_bad(caller: Caller, show_id: str) -> None:
    claims = [winner(1), winner(2, item_number="99"), winner(3, email="nobody")]
    request = pb.IngestClaimsRequest(show_id=show_id, claims=claims, all_or_none=True)
    answer = await caller.client.call(caller.shows.IngestClaims, request, caller.who)
    assert (counts(answer), [one.index for one in answer.rejected_claims]) == ((0, 0, 0, 2), [1, 2])
    assert await caller.claims(show_id) == []
    request = pb.IngestClaimsRequest(show_id=show_id, claims=claims[:1], all_or_none=True)
    assert counts(await caller.client.call(caller.shows.IngestClaims, request, caller.who)) == (1, 0, 0, 0)


async def test_claims_are_listed_oldest_first_page_by_page(caller: Caller, show_id: str) -> None:
    await caller.ingest(show_id, [winner(n) for n in (3, 1, 2, 5, 4)])
    await caller.ingest(show_id, [winner(5, status=pb.CLAIM_STATUS_RELEASED, sequence=1)])
    seen, token = [], ""
    while True:
        request = pb.ListClaimsRequest(show_id=show_id, page_size=2, page_token=token, status=pb.CLAIM_STATUS_WINNER)
        answer = await caller.client.call(caller.shows.ListClaims, request, caller.who)
        seen += [claim.claim_id for claim in answer.claims]
        token = answer.next_page_token
        if not token:
            break
    assert seen == ["c1", "c2", "c3", "c4"]


async def test_listing_by_a_status_that_is_none_is_refused(caller: Caller, show_id: str) -> None:
    error = await refusal(claims_of(caller, show_id, status=99))
    assert [fault.field for fault in error.faults] == ["status"]


async def test_buyers_are_listed_page_by_page(caller: Caller) -> None:
    show_id = await caller.small_show(5)
    seen, token = [], ""
    while True:
        request = pb.ListBuyersRequest(show_id=show_id, page_size=2, page_token=token)
        answer = await caller.client.call(caller.shows.ListBuyers, request, caller.who)
        seen += [buyer.platform_user_id for buyer in answer.buyers]
        token = answer.next_page_token
        if not token:
            break
    assert seen == ["u0", "u1", "u2", "u3", "u4"]


async def test_two_shows_may_bring_the_same_buyers_at_once(caller: Caller) -> None:
    shows = [await caller.create_show() for _ in range(2)]
    for show in shows:
        await caller.items(show.id, [pb.Item(item_number=str(n), title="T", price=1) for n in range(200)])
    for turn in range(4):
        claims = [winner(n, claim_id=f"{turn}-{n}", display_name=f"Turn {turn}") for n in range(200)]
        answers = await asyncio.gather(
            caller.ingest(shows[0].id, claims), caller.ingest(shows[1].id, claims[::-1]), return_exceptions=True
        )
        assert [counts(answer) for answer in answers if isinstance(answer, pb.IngestClaimsResponse)] == [
            (200, 0, 0, 0)
        ] * 2
