"""In whatever order, batches, streams and by however many callers the states of a claim come: the same one stands."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.ids import new_id
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller

Told = tuple[tuple[int, int, int, int], tuple[str, str]]
"""Sequence, time, status and quantity of a state; and whose claim of which item it was."""
Send = Callable[[Caller, str, list[list[pb.Claim]]], Awaitable[None]]

STATES = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([1, 2, 3, 4]), st.integers(1, 2)),
        st.tuples(st.sampled_from(["1", "2"]), st.sampled_from(["u1", "u2"])),
    ),
    min_size=2,
    max_size=4,
)
STRENGTH: dict[int, int] = {
    pb.CLAIM_STATUS_WAITLIST: 0,
    pb.CLAIM_STATUS_WINNER: 1,
    pb.CLAIM_STATUS_RELEASED: 2,
    pb.CLAIM_STATUS_PASSED: 3,
}


def rank(told: Told) -> tuple[object, ...]:
    (sequence, time, status, quantity), names = told
    return sequence, time, STRENGTH[status], quantity, names


def claim(claim_id: str, told: Told, people: str) -> pb.Claim:
    (sequence, time, status, quantity), (item, user) = told
    return pb.Claim(
        claim_id=claim_id,
        platform="facebook",
        platform_user_id=f"{people}{user}",
        item_number=item,
        quantity=quantity,
        status=status,  # type: ignore[arg-type]  # a number of the enum
        claim_time=Timestamp(seconds=1_790_000_000 + time),
        sequence=sequence,
    )


async def in_one_batch(caller: Caller, show_id: str, orders: list[list[pb.Claim]]) -> None:
    await caller.ingest(show_id, [one for order in orders for one in order])


async def in_many_batches(caller: Caller, show_id: str, orders: list[list[pb.Claim]]) -> None:
    for turn in zip(*orders, strict=True):
        await caller.ingest(show_id, turn)


async def in_a_stream(caller: Caller, show_id: str, orders: list[list[pb.Claim]]) -> None:
    await caller.stream(show_id, *zip(*orders, strict=True))


async def in_a_stream_taken_whole(caller: Caller, show_id: str, orders: list[list[pb.Claim]]) -> None:
    await caller.stream(show_id, *zip(*orders, strict=True), all_or_none=True)


async def by_two_at_once(caller: Caller, show_id: str, orders: list[list[pb.Claim]]) -> None:
    first = [one for order in orders for one in order[::2]]
    second = [one for order in orders for one in order[1::2]]
    await asyncio.gather(caller.ingest(show_id, first), caller.stream(show_id, second))


@pytest.fixture
async def show_id(caller: Caller) -> str:
    show = await caller.create_show()
    await caller.items(show.id, [pb.Item(item_number=number, title="T", price=100) for number in ("1", "2")])
    return show.id


@pytest.mark.parametrize("send", [in_one_batch, in_many_batches, in_a_stream, in_a_stream_taken_whole, by_two_at_once])
@given(STATES)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_every_order_ends_in_the_same_state(
    caller: Caller, show_id: str, send: Send, states: Sequence[Told]
) -> None:
    people = new_id()  # nobody has heard of them: ids come in the order in which they are told
    orders = {new_id(): order for order in itertools.permutations(states)}
    await send(caller, show_id, [[claim(name, told, people) for told in order] for name, order in orders.items()])
    ended = {
        one.claim_id: (
            one.sequence,
            one.claim_time.seconds,
            one.status,
            one.quantity,
            one.item_number,
            one.platform_user_id,
        )
        for one in await caller.claims(show_id)
        if one.claim_id in orders
    }
    (sequence, time, status, quantity), (item, user) = max(states, key=rank)
    stands = (sequence, 1_790_000_000 + time, status, quantity, item, f"{people}{user}")
    assert ended == dict.fromkeys(orders, stands)
