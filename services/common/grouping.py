"""Items that arrive together travel together, and none waits for others to come.

One leaves at once while fewer than two calls are under way, else with what gathered meanwhile: three times the rate of
one call each under load, and no delay without.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CALLS: Final = 2
"""Calls under way at once: one is prepared while another is carried out."""


class Grouper(Generic[Item, Result]):
    """Gathers items into calls of `send`, which answers one result for each, in order."""

    def __init__(
        self,
        send: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        most: int,
        weigh: Callable[[Item], int],
        heaviest: int,
    ) -> None:
        """A group has at most `most` items and, unless it is a single one, weighs at most `heaviest`."""
        self._send = send
        self._most = most
        self._weigh = weigh
        self._heaviest = heaviest
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._calls: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """The result for one item. Raises what `send` raised for its group."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._calls) < CALLS:
            call = asyncio.create_task(self._run())
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        return await future

    async def _run(self) -> None:
        while self._waiting:
            group = self._take()
            try:
                results = await self._send([item for item, _ in group])
                if len(results) != len(group):
                    raise ValueError(f"{len(results)} results for {len(group)} items")
            except Exception as error:  # noqa: BLE001  # handed to each that waits
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():  # whoever waited may have gone
                    future.set_result(result)

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        group, weight = [self._waiting.popleft()], 0
        weight = self._weigh(group[0][0])
        while self._waiting and len(group) < self._most:
            weight += self._weigh(self._waiting[0][0])
            if weight > self._heaviest:
                break
            group.append(self._waiting.popleft())
        return group
