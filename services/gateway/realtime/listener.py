"""One listener: what waits to be sent to it, never more than a bounded number of messages."""

import asyncio
from typing import Final

from services.gateway.realtime import messages

MOST_WAITING: Final = 256
SESSION_ENDED: Final = 4401
SHOW_NOT_FOUND: Final = 4404
TOO_SLOW: Final = 4408
TRY_AGAIN: Final = 1013
"""Close codes."""


class Listener:
    """A socket of one workspace, on one show or on all."""

    __slots__ = ("_queue", "_seq", "_waiting", "credential_id", "ended", "show_id", "workspace_id")

    def __init__(self, workspace_id: str, show_id: str, credential_id: str) -> None:
        self.workspace_id = workspace_id
        self.show_id = show_id
        """Empty for all shows."""
        self.credential_id = credential_id
        """Of the session or token that it came in with."""
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Has the close code once the socket is to be closed."""
        self._queue: list[tuple[int, str]] = []
        self._waiting: asyncio.Future[None] | None = None
        """A future and a list, for there are thousands of us: an event and a deque take two kilobytes more."""
        self._seq = 0

    def begin(self, seq: int, since: int | None) -> None:
        """Says hello first. Of what gathered meanwhile, what the snapshot already holds is no news."""
        self._seq = seq
        news = sorted(((at, text) for at, text in self._queue if not at or at > seq), key=lambda one: one[0])
        self._queue = [(0, messages.hello(self.show_id, seq, since)), *news]
        self._wake()

    def offer(self, text: str, seq: int = 0) -> None:
        """Never waits and never raises. `seq` is 0 for what has no position."""
        if self.ended.done() or (seq and seq <= self._seq):
            return
        if len(self._queue) >= MOST_WAITING:
            self._queue.clear()
            text = messages.resync("This connection was too slow. Connect again and read anew.")
            self.end(TOO_SLOW)
        self._queue.append((seq, text))
        self._wake()

    def end(self, code: int) -> None:
        """Closes it, once what waits was sent."""
        if not self.ended.done():
            self.ended.set_result(code)
            self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def next(self) -> list[str]:
        """All that waits; empty when nothing more will come."""
        while not self._queue and not self.ended.done():
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        waiting = [text for _, text in self._queue]
        self._queue.clear()
        return waiting
