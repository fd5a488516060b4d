"""Waiting for a condition instead of for a time, and ports that are free."""

import asyncio
import inspect
import itertools
import os
import random
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], timeout: float = ..., interval: float = ..., why: str = ...
) -> T: ...
@overload
async def eventually(condition: Callable[[], T], timeout: float = ..., interval: float = ..., why: str = ...) -> T: ...
async def eventually(condition: Callable[[], Any], timeout: float = 30, interval: float = 0.02, why: str = "") -> Any:
    """Ask `condition` (plain or async) until it answers something true, and return that. An AssertionError is a no.

    Raises AssertionError after `timeout` seconds, with `why`, the last answer and the last AssertionError.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    last: object = None
    while True:
        try:
            answer = condition()
            result = await answer if inspect.isawaitable(answer) else answer
            if result:
                return result
            last = result
        except AssertionError as error:
            last = error
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{why or 'the condition'} did not come true within {timeout} s; last: {last!r}")
        await asyncio.sleep(interval)


def _own_ports() -> range:
    """Of this process: those that run tests at the same time have others."""
    slices, worker = 8, os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if not worker.isdecimal():
        return range(20_000, 32_000)
    return range(20_000, 32_000)[int(worker) % slices :: slices]


_PORTS = itertools.cycle(random.sample(_own_ports(), len(_own_ports())))


def free_port() -> int:
    """A port on loopback that nobody uses, and none that was given out before: whoever got that may not listen yet.

    Below the range that outgoing connections take theirs from.
    """
    for port in itertools.islice(_PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port between 20000 and 32000")
