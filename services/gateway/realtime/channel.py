"""The listeners of one show. They hear its events in order, though the bus may bring them out of order."""

import asyncio
from collections.abc import Iterator
from typing import Final

from services.gateway.realtime import messages
from services.gateway.realtime.listener import Listener

PATIENCE: Final = 0.5
"""Seconds that an early event waits for those before it, until they count as missing."""


class Channel:
    """Knows the position that its listeners have reached."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._position: int | None = None
        """None until a first event or snapshot tells it."""
        self._early: dict[int, str] = {}
        self._waiting: asyncio.TimerHandle | None = None

    def __iter__(self) -> Iterator[Listener]:
        return iter(list(self._listeners))

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> None:
        self._listeners.add(listener)

    def remove(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners:
            self.forget()

    def begin(self, seq: int) -> None:
        """A listener has read a snapshot at this position."""
        if self._position is None:
            self._position = seq

    def forget(self) -> None:
        """Nobody knows any more what came and what did not: the next event sets the position."""
        self._position = None
        self._early.clear()
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def hear(self, seq: int, text: str) -> None:
        """An event at a position; 0 for what has none. An empty text is an event that listeners need not know of."""
        if not seq or self._position is None or seq <= self._position:
            self._position = self._position or seq or None
            self._offer(seq, text)
            return
        self._early[seq] = text
        self._catch_up()
        if self._early and self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(PATIENCE, self._give_up)

    def _catch_up(self) -> None:
        while self._position is not None and self._position + 1 in self._early:
            self._position += 1
            self._offer(self._position, self._early.pop(self._position))
        if not self._early and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        """Something is missing: listeners read anew. Should it come after all, it is handed on late."""
        self._waiting = None
        self._offer(0, messages.resync("An update is missing. Read the list again."))
        for seq in sorted(self._early):
            self._position = seq
            self._offer(seq, self._early[seq])
        self._early.clear()

    def _offer(self, seq: int, text: str) -> None:
        if text:
            for listener in self:
                listener.offer(text, seq)
