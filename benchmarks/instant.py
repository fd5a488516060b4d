"""A provider that answers at once: the four answers of making an invoice, as the sandbox once gave them, each invoice
under an id of its own.

Run: python -m benchmarks.instant PORT FILE, where FILE holds the answers as JSON, by step.

It reads no more of a request than it must, so that what is measured against it is the caller.
"""

import asyncio
import itertools
import json
import sys
from pathlib import Path
from typing import Any, Final, cast

import uvloop

STEPS: Final = ("customer", "create", "add_lines", "finalize")
_END: Final = b"\r\n\r\n"


def step_of(path: bytes) -> str:
    if path == b"/v1/customers":
        return "customer"
    return path.rpartition(b"/")[2].decode() if path.count(b"/") > 2 else "create"


class Answers:
    """By step; the recorded invoice's id stands in them, and gives way to one of the same length."""

    def __init__(self, bodies: dict[str, Any]) -> None:
        self._whole = {step: whole(json.dumps(bodies[step])) for step in STEPS}
        self._recorded = str(bodies["create"]["id"]).encode()
        self._made = itertools.count(1)

    def to(self, path: bytes) -> bytes:
        step = step_of(path)
        if step == "customer":
            return self._whole[step]
        length = len(self._recorded) - 3
        own = b"in_%0*d" % (length, next(self._made)) if step == "create" else path.split(b"/")[3]
        return self._whole[step].replace(self._recorded, own)


class Instant(asyncio.Protocol):
    """One connection: requests one after the other, bodies of a stated length."""

    _transport: asyncio.Transport

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (length := self._length()) is not None:
            path = self._received.split(b" ", 2)[1]
            del self._received[:length]
            self._transport.write(self._answers.to(bytes(path)))

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
    answers = Answers(bodies)
    server = await asyncio.get_running_loop().create_server(lambda: Instant(answers), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
