"""Deliveries that arrive together travel together; none waits for a group to fill."""

import asyncio
from collections.abc import Sequence

import pytest

from services.common.grouping import CALLS, Grouper


class Sender:
    """Takes groups, and answers each when it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gates: list[asyncio.Future[None]] = []

    async def send(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        await gate
        return [item * 10 for item in group]


def grouper(sender: Sender, most: int = 100, heaviest: int = 1_000_000) -> Grouper[int, int]:
    return Grouper(sender.send, most=most, weigh=lambda item: item, heaviest=heaviest)


async def settle() -> None:
    """Lets every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def submit(group: Grouper[int, int], *items: int) -> "list[asyncio.Task[int]]":
    tasks = [asyncio.create_task(group.submit(item)) for item in items]
    await settle()
    return tasks


async def test_one_leaves_at_once_while_calls_are_few() -> None:
    sender = Sender()
    group = grouper(sender)
    tasks = [*await submit(group, 1), *await submit(group, 2)]
    assert sender.groups == [[1], [2]]
    assert len(sender.groups) == CALLS
    for gate in sender.gates:
        gate.set_result(None)
    assert await asyncio.gather(*tasks) == [10, 20]


async def test_what_gathers_meanwhile_leaves_as_one() -> None:
    sender = Sender()
    group = grouper(sender)
    tasks = [*await submit(group, 1), *await submit(group, 2), *await submit(group, 3, 4, 5)]
    assert sender.groups == [[1], [2]]
    sender.gates[0].set_result(None)
    await settle()
    assert sender.groups == [[1], [2], [3, 4, 5]]
    for gate in sender.gates[1:]:
        gate.set_result(None)
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40, 50]


async def test_groups_are_bounded_by_number_and_weight() -> None:
    sender = Sender()
    group = grouper(sender, most=2, heaviest=100)
    tasks = [*await submit(group, 500), *await submit(group, 1), *await submit(group, 2, 3, 4, 60, 60, 200)]
    for place in range(7):
        if place < len(sender.gates):
            sender.gates[place].set_result(None)
        await settle()
    assert sender.groups == [[500], [1], [2, 3], [4, 60], [60], [200]]
    assert [await task for task in tasks] == [5000, 10, 20, 30, 40, 600, 600, 2000]


async def test_a_failed_call_fails_only_its_own_group() -> None:
    sender = Sender()
    group = grouper(sender)
    (first,), (second,) = await submit(group, 1), await submit(group, 2)
    (later,) = await submit(group, 3)
    sender.gates[0].set_exception(RuntimeError("no"))
    await settle()
    with pytest.raises(RuntimeError):
        await first
    for gate in sender.gates[1:]:
        gate.set_result(None)
    assert await second == 20
    assert await later == 30


@pytest.mark.parametrize("results", [[], [1, 2]])
async def test_results_of_another_number_fail_their_group_at_once(results: list[int]) -> None:
    async def send(_group: Sequence[int]) -> list[int]:
        return results

    with pytest.raises(ValueError, match="1 items"):
        await Grouper(send, most=9, weigh=lambda item: item, heaviest=9).submit(1)


async def test_whoever_gives_up_waiting_harms_nobody() -> None:
    sender = Sender()
    group = grouper(sender)
    (first,), (second,) = await submit(group, 1), await submit(group, 2)
    gone, stays = await submit(group, 3, 4)
    gone.cancel()
    for _ in range(3):
        for gate in sender.gates:
            if not gate.done():
                gate.set_result(None)
        await settle()
    assert [await first, await second, await stays] == [10, 20, 40]
