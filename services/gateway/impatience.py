"""HTTP with a bound on the head of a request: uvicorn alone waits for it for ever, and keeps whatever is sent of it."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_PATIENCE = 10.0
"""Seconds from the first sign of a request to the end of its head."""
_LARGEST_HEAD: Final = 64 * 1024
"""Bytes, about: what comes beside in one piece counts with it."""


class ImpatientProtocol(HttpToolsProtocol):
    """Closes connections whose request does not get to its body, or to its end where it has none."""

    _due: asyncio.TimerHandle | None = None
    _taken = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._due is None:
            return
        self._taken += len(data)
        if self._taken > _LARGEST_HEAD:
            self._give_up(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()  # type: ignore[no-untyped-call,unused-ignore]
        if self._due is None:  # a later request of the connection
            self._await_head()

    def on_headers_complete(self) -> None:
        self._have_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._taken = 0
        self._due = self.loop.call_later(_HEAD_PATIENCE, self._give_up, b"408 Request Timeout")

    def _have_head(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _give_up(self, status: bytes) -> None:
        """Nothing of ours has seen the request yet, so the answer has no more than its status."""
        self._have_head()
        transport: Any = self.transport
        if not transport.is_closing():
            transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            transport.close()
