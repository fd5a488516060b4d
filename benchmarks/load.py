"""A lean client for the benchmarks, in a process of its own: it must not be what is measured.

    python -m benchmarks.load http <host> <port> <connections> < requests
    python -m benchmarks.load listen <host> <port> <sockets> <token> <query>

`http` reads length-prefixed (4 bytes, big endian) requests, sends each over one of the kept connections as soon as that
is free, and prints JSON: seconds of it all, and of each request. `listen` opens sockets, prints a line once all have
heard `hello`, then, for each line of its standard input that names an event count, waits until every socket has heard
so many events and prints the arrival times.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final, cast

import uvloop

_PING: Final = 9


class Connection(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self, requests: Iterator[bytes], seconds: list[float], statuses: Counter[bytes]) -> None:
        self._requests = requests
        self._seconds = seconds
        self._statuses = statuses
        self._answer = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self._seconds.append(time.perf_counter() - self._sent)
        self._statuses[self._answer[9:12]] += 1
        self._answer = b""
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed a connection"))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def read_requests() -> list[bytes]:
    data, requests, place = sys.stdin.buffer.read(), [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        requests.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    return requests


async def http(host: str, port: int, connections: int) -> None:
    requests = iter(read_requests())
    seconds: list[float] = []
    statuses: Counter[bytes] = Counter()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Connection(requests, seconds, statuses), host, port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    whole = time.perf_counter() - began
    counts = {status.decode(): count for status, count in statuses.items()}
    print(json.dumps({"whole": whole, "seconds": seconds, "statuses": counts}), flush=True)


class Socket(asyncio.Protocol):
    """One WebSocket client that counts what it hears. A server's frames are not masked."""

    def __init__(self, hello: bytes, heard: list[float]) -> None:
        self._hello = hello
        self._heard = heard
        self._data = b""
        self._open = False
        self._opcode = 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._open:
            head, separator, rest = self._data.partition(b"\r\n\r\n")
            if not separator:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._open, self._data = True, rest
        while (frame := self._frame()) is not None:
            if self._opcode == _PING:  # unanswered, it would be closed within a minute
                self._transport.write(bytes((0x8A, 0x80 | len(frame), 0, 0, 0, 0)) + frame)  # masked with nothing
            elif b'"invoice.updated"' in frame:
                self._heard.append(time.time())
            elif not self.ready.done():
                self.ready.set_result(None)

    def _frame(self) -> bytes | None:
        if len(self._data) < 2:
            return None
        self._opcode, size, start = self._data[0] & 15, self._data[1] & 127, 2
        if size == 126:
            if len(self._data) < 4:
                return None
            size, start = int.from_bytes(self._data[2:4], "big"), 4
        if len(self._data) < start + size:
            return None
        frame, self._data = self._data[start : start + size], self._data[start + size :]
        return frame


async def listen(host: str, port: int, sockets: int, token: str, query: str) -> None:
    hello = (
        f"GET /api/realtime{query} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    heard: list[float] = []
    loop = asyncio.get_running_loop()
    for first in range(0, sockets, 100):
        made = [
            await loop.create_connection(lambda: Socket(hello, heard), host, port)
            for _ in range(min(100, sockets - first))
        ]
        await asyncio.gather(*(protocol.ready for _, protocol in made))
    print("ready", flush=True)
    while told := await asyncio.to_thread(sys.stdin.readline):
        wanted = int(told) * sockets
        while len(heard) < wanted:  # noqa: ASYNC110  # looked at from time to time: an event for each frame would slow the client down
            await asyncio.sleep(0.01)
        print(json.dumps(heard), flush=True)
        heard.clear()


async def main(kind: str, host: str, port: str, count: str, *more: str) -> None:
    if kind == "http":
        await http(host, int(port), int(count))
    else:
        await listen(host, int(port), int(count), *more)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
