"""All listeners of this replica, by what they listen to."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import ClassVar

from services.common.errors import Kind, ShowbillError
from services.gateway.realtime import messages
from services.gateway.realtime.channel import Channel
from services.gateway.realtime.listener import SESSION_ENDED, Listener


class TooManySockets(ShowbillError):
    """You have {most} live connections open already. Close some of them, then connect again."""

    kind = Kind.RATE_LIMITED
    reason = "TOO_MANY_SOCKETS"
    default_retry_after: ClassVar[float | None] = 10.0


class Hub:
    """Hands each event to those that may hear it. Nothing here waits, so no listener can hold up another."""

    def __init__(self, most: int = 0) -> None:
        """`most` sockets of one session or token at once; 0 for no limit."""
        self._most = most
        self._open: Counter[str] = Counter()
        self._channels: dict[tuple[str, str], Channel] = {}
        """By workspace and show; no show is for those who listen to all of them."""

    def __iter__(self) -> Iterator[Listener]:
        for channel in list(self._channels.values()):
            yield from channel

    def let_in(self, credential_id: str) -> None:
        """One more socket of a session or token. Raises TooManySockets."""
        if self._most and self._open[credential_id] >= self._most:
            raise TooManySockets(most=self._most)
        self._open[credential_id] += 1

    def let_out(self, credential_id: str) -> None:
        self._open[credential_id] -= 1
        if not self._open[credential_id]:
            del self._open[credential_id]

    def add(self, listener: Listener) -> None:
        self._channels.setdefault((listener.workspace_id, listener.show_id), Channel()).add(listener)

    def begin(self, listener: Listener, seq: int, since: int | None) -> None:
        """The listener's snapshot is at `seq`; `since` is the position that its client has, None for none."""
        self._channels[listener.workspace_id, listener.show_id].begin(seq)
        listener.begin(seq, since)

    def remove(self, listener: Listener) -> None:
        scope = (listener.workspace_id, listener.show_id)
        channel = self._channels[scope]
        channel.remove(listener)
        if not channel:
            del self._channels[scope]

    def tell(self, workspace_id: str, show_id: str, seq: int, encode: Callable[[], str]) -> None:
        """Hands on an event; what concerns no show goes to everybody of the workspace. Encoded only if one listens."""
        on_all = self._channels.get((workspace_id, ""))
        if show_id:
            channels = [self._channels.get((workspace_id, show_id))]
        else:
            channels = [channel for (owner, show), channel in self._channels.items() if owner == workspace_id and show]
        listening = [channel for channel in channels if channel]
        text = encode() if listening or on_all else ""
        for channel in listening:
            channel.hear(seq if show_id else 0, text)
        if on_all:
            on_all.hear(0, text)  # positions count within one show

    def say_to_all(self, text: str) -> None:
        for listener in self:
            listener.offer(text)

    def interrupted(self) -> None:
        """Events may have been missed, nobody knows which."""
        for channel in self._channels.values():
            channel.forget()
        self.say_to_all(messages.resync("Live updates were interrupted. Read the list again."))

    def end_credential(self, credential_id: str) -> None:
        """A session ended or a token was revoked: what came in with it goes."""
        for listener in self:
            if listener.credential_id == credential_id:
                listener.end(SESSION_ENDED)
