"""A provider that answers at once: the four answers of making an invoice, as the sandbox once gave them.

Run: python -m benchmarks.instant PORT FILE, where FILE holds the answers as JSON, by step.

It reads no more of a request than it must, so that what is measured against it is the caller.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final, cast

import uvloop

STEPS: Final = ("customer", "create", "add_lines", "finalize")
_END: Final = b"\r\n\r\n"


def step_of(path: bytes) -> str:
    if path == b"/v1/customers":
        return "customer"
    return path.rpartition(b"/")[2].decode() if path.count(b"/") > 2 else "create"


class Instant(asyncio.Protocol):
    """One connection: requests one after the other, bodies of a stated length."""

    _transport: asyncio.Transport

    def __init__(self, answers: dict[str, bytes]) -> None:
        self._answers = answers
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (length := self._length()) is not None:
            path = self._received.split(b" ", 2)[1]
            del self._received[:length]
            self._transport.write(self._answers[step_of(bytes(path))])

    def _length(self) -> int | None:
        """Of the first request; None while it is not whole."""
        head, end, _ = self._received.partition(_END)
        stated = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        length = len(head) + len(_END) + int(stated or b"0")
        return length if end and len(self._received) >= length else None


def whole(body: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return f"{head}Request-Id: req_1\r\n\r\n{body}".encode()


async def serve(port: int, file: Path) -> None:
    bodies = json.loads(await asyncio.to_thread(file.read_text))
    answers = {step: whole(json.dumps(bodies[step])) for step in STEPS}
    server = await asyncio.get_running_loop().create_server(lambda: Instant(answers), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
