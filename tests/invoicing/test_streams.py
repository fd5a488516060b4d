"""Streams of batches: one after the other, whole batches whatever happens, all or none where that is asked for."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.errors import Kind
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.tokens import BadServiceToken, Signer, Verifier
from services.invoicing import feed
from services.invoicing.domain.claim import Claim
from services.invoicing.parse_shows import claim_batch
from services.invoicing.shows_servicer import CLAIMS
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc
from tests.e2e.stack import Stack
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import MakeCaller, Replica
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

pytestmark = pytest.mark.new_database

ITEMS = 5


@pytest.fixture
async def show_id(caller: Caller) -> str:
    show = await caller.create_show()
    await caller.items(show.id, [pb.Item(item_number=str(n), title="T", price=100) for n in range(ITEMS)])
    return show.id


def claims(*numbers: int, **fields: object) -> list[pb.Claim]:
    return [winner(n, item_number=str(n % ITEMS), **fields) for n in numbers]


def counts(
    answer: pb.StreamClaimsResponse | pb.StreamItemsResponse | pb.StreamBuyersResponse,
) -> tuple[int, int, int, int]:
    return answer.created_count, answer.updated_count, answer.unchanged_count, answer.rejected_count


async def test_a_stream_is_taken_and_the_same_again_changes_nothing(caller: Caller, show_id: str) -> None:
    batches = [claims(*range(10)), claims(*range(10, 15)), []]
    assert counts(await caller.stream(show_id, *batches)) == (15, 0, 0, 0)
    assert counts(await caller.stream(show_id, *batches)) == (0, 0, 15, 0)
    assert (await caller.show(show_id)).claim_count == 15


async def test_the_next_batch_is_read_when_the_one_before_is_committed(
    replica: Replica, caller: Caller, show_id: str
) -> None:
    seen: list[int] = []
    committed = "SELECT count(*) FROM claims WHERE show_id = $1"

    async def batches() -> AsyncIterator[feed.Batch[Claim]]:
        for turn in range(3):
            seen.append(await replica.pool.fetchval(committed, show_id))
            request = pb.StreamClaimsRequest(show_id=show_id, claims=claims(2 * turn, 2 * turn + 1))
            yield claim_batch(request)
        seen.append(await replica.pool.fetchval(committed, show_id))

    await replica.service.feed.stream(caller.who.workspace_id, CLAIMS, batches())
    assert seen == [0, 2, 4, 6]


async def test_a_cut_stream_leaves_whole_batches(replica: Replica, caller: Caller, show_id: str) -> None:
    count = "SELECT count(*) FROM claims WHERE show_id = $1"

    async def cut() -> AsyncIterator[pb.StreamClaimsRequest]:
        for turn in range(4):
            batch = claims(*range(100 * turn, 100 * turn + 100))
            yield pb.StreamClaimsRequest(show_id=show_id, claims=batch)
        await eventually(lambda: replica.pool.fetchval(count, show_id), why="nothing was taken")
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await caller.client.feed(caller.shows.StreamClaims, cut(), caller.who)
    idle = "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND pid <> pg_backend_pid())"
    await eventually(lambda: replica.pool.fetchval(idle), why="a transaction is still under way")
    left = await replica.pool.fetchval(count, show_id)
    assert left % 100 == 0
    answer = await caller.stream(show_id, *(claims(*range(100 * turn, 100 * turn + 100)) for turn in range(4)))
    assert counts(answer) == (400 - left, 0, left, 0)


async def test_a_batch_of_another_show_or_too_large_ends_the_stream(caller: Caller, show_id: str) -> None:
    other = (await caller.create_show()).id

    async def mixed() -> AsyncIterator[pb.StreamClaimsRequest]:
        yield pb.StreamClaimsRequest(show_id=show_id, claims=claims(1))
        yield pb.StreamClaimsRequest(show_id=other, claims=claims(2))

    error = await refusal(caller.client.feed(caller.shows.StreamClaims, mixed(), caller.who))
    assert [fault.field for fault in error.faults] == ["show_id"]
    error = await refusal(caller.stream(show_id, claims(3), claims(*range(5_001))))
    assert [fault.field for fault in error.faults] == ["claims"]
    assert sorted(claim.claim_id for claim in await caller.claims(show_id)) == ["c1", "c3"]


async def test_an_empty_stream_and_an_unknown_show_are_told(caller: Caller) -> None:
    assert (await refusal(caller.stream("", *[]))).kind is Kind.INVALID
    for all_or_none in (False, True):
        unknown = caller.stream("0198c0de-0000-7000-8000-000000000001", claims(1), all_or_none=all_or_none)
        assert (await refusal(unknown)).reason == "SHOW_NOT_FOUND"


async def test_rejections_count_over_the_whole_stream(caller: Caller, show_id: str) -> None:
    bad = [winner(n, item_number="99") for n in range(700)]
    answer = await caller.stream(show_id, claims(1), bad, claims(2), [winner(3, email="nobody")], bad)
    assert counts(answer) == (2, 0, 0, 1_401)
    places = [one.index for one in answer.rejected_claims]
    assert len(places) == 1_000
    assert (places[0], places[699], places[700], places[701]) == (1, 700, 702, 703)


async def test_all_or_none_of_a_stream(caller: Caller, show_id: str) -> None:
    good, bad = claims(*range(20)), [winner(1, item_number="99")]
    answer = await caller.stream(show_id, good, bad, good, all_or_none=True)
    assert (counts(answer), [one.index for one in answer.rejected_claims]) == ((0, 0, 0, 1), [20])
    assert (await caller.show(show_id)).claim_count == 0
    answer = await caller.stream(show_id, good, claims(20), good, all_or_none=True)
    assert counts(answer) == (21, 0, 20, 0)
    assert (await caller.show(show_id)).claim_count == 21


async def test_all_or_none_leaves_nothing_when_it_is_cut(
    replica: Replica, caller: Caller, show_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut() -> AsyncIterator[pb.StreamClaimsRequest]:
        yield pb.StreamClaimsRequest(show_id=show_id, claims=claims(1, 2), all_or_none=True)
        staged = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction')"
        await eventually(lambda: replica.pool.fetchval(staged), why="nothing was staged")
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await caller.client.feed(caller.shows.StreamClaims, cut(), caller.who)
    assert await caller.claims(show_id) == []
    monkeypatch.setattr(feed, "MOST_AT_ONCE", 3)
    too_many = await refusal(caller.stream(show_id, claims(1, 2), claims(3, 4), all_or_none=True))
    assert too_many.reason == "TOO_MANY_AT_ONCE"
    monkeypatch.setattr(feed, "PATIENCE", 0.05)

    async def slow() -> AsyncIterator[pb.StreamClaimsRequest]:
        yield pb.StreamClaimsRequest(show_id=show_id, claims=claims(1), all_or_none=True)
        await asyncio.sleep(60)

    error = await refusal(caller.client.feed(caller.shows.StreamClaims, slow(), caller.who))
    assert error.kind is Kind.TIMED_OUT
    assert await caller.claims(show_id) == []
    assert await replica.pool.fetchval("SELECT count(*) FROM staged") == 0


async def test_items_stream_too(caller: Caller, show_id: str) -> None:
    first = [pb.Item(item_number=str(n), title="T", price=100) for n in range(ITEMS + 2)]
    bad = [pb.Item(item_number="bad", price=-1), pb.Item(item_number="good")]
    again = [pb.Item(item_number="0", price=5)]
    answer = await caller.stream_items(show_id, first, bad, again, all_or_none=True)
    assert (counts(answer), [one.index for one in answer.rejected_items]) == ((0, 0, 0, 1), [ITEMS + 2])
    assert (await caller.show(show_id)).item_count == ITEMS
    assert counts(await caller.stream_items(show_id, first, bad, again)) == (3, 1, ITEMS, 1)
    assert counts(await caller.stream_items(show_id, again, first, all_or_none=True)) == (0, 1, ITEMS + 2, 0)
    assert counts(await caller.stream_items(show_id, first, again, all_or_none=True)) == (0, 1, ITEMS + 2, 0)
    assert [item.price for item in await caller.listed_items(show_id)][:2] == [5, 100]


async def test_the_token_is_checked_when_the_stream_begins(
    caller: Caller, show_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def requests() -> AsyncIterator[pb.StreamClaimsRequest]:
        yield pb.StreamClaimsRequest(show_id=show_id, claims=claims(1))
        await eventually(lambda: caller.claims(show_id), why="the first batch was not taken")
        monkeypatch.setattr(Verifier, "verify", _refuse)
        yield pb.StreamClaimsRequest(show_id=show_id, claims=claims(2))

    answer = await caller.client.feed(caller.shows.StreamClaims, requests(), caller.who)
    assert answer.created_count == 2
    assert (await refusal(caller.stream(show_id, claims(3)))).kind is Kind.UNAUTHENTICATED


def _refuse(_self: Verifier, _token: str) -> None:
    raise BadServiceToken


async def test_the_claim_engine_feeds_and_another_service_does_not(make_caller: MakeCaller) -> None:
    engine, stranger = await make_caller("claims"), await make_caller("integrations")
    show = await engine.create_show()
    await engine.items(show.id, [pb.Item(item_number="1", title="T", price=100)])
    assert (await engine.stream(show.id, [winner(1)])).created_count == 1
    assert (await refusal(stranger.stream(show.id, [winner(1)]))).kind is Kind.FORBIDDEN
    other = await make_caller("claims")  # of another workspace
    assert (await refusal(other.stream(show.id, [winner(2)]))).kind is Kind.NOT_FOUND


BATCHES, SIZE = 20, 5_000
ROOM = 28
"""Megabytes that the service may grow by: it takes 10, and all the claims of the stream at once would take 50."""


@pytest.mark.slow
async def test_a_hundred_thousand_claims_in_one_stream_take_no_more_room(stack: Stack) -> None:
    client = GrpcClient(stack.address("invoicing"), "invoicing", Signer("claims", Secret(stack.seeds["claims"])))
    stub, who = rpc.ShowsServiceStub(client.channel), Identity(new_id(), "worker:claims")
    made = await client.call(stub.CreateShow, pb.CreateShowRequest(name="Giant", currency="GBP"), who)
    items = [pb.Item(item_number=str(n), title="T", price=100) for n in range(ITEMS)]
    await client.call(stub.UpsertItems, pb.UpsertItemsRequest(show_id=made.show.id, items=items), who)

    async def requests(batches: range) -> AsyncIterator[pb.StreamClaimsRequest]:
        for batch in batches:
            numbers = range(batch * SIZE, batch * SIZE + SIZE)
            told = [winner(n, item_number=str(n % ITEMS), platform_user_id=f"buyer-{n % 19_625}") for n in numbers]
            yield pb.StreamClaimsRequest(show_id=made.show.id, claims=told)

    process = Path(f"/proc/{stack.children['invoicing'].pid}")
    await client.feed(stub.StreamClaims, requests(range(1)), who)
    before = memory(process, "VmRSS")
    (process / "clear_refs").write_text("5")  # the peak is counted from here
    answer = await client.feed(stub.StreamClaims, requests(range(BATCHES)), who)
    assert counts(answer) == (BATCHES * SIZE - SIZE, 0, SIZE, 0)
    assert memory(process, "VmHWM") - before < ROOM
    await client.close()


def memory(process: Path, line: str) -> int:
    """Megabytes."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", (process / "status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) // 1024
