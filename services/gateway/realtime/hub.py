"""All sockets of this replica, by what they listen to."""

from collections import defaultdict
from collections.abc import Iterator

from services.gateway.realtime.listener import SESSION_ENDED, Listener


class Hub:
    """Hands each message to those that may hear it. Nothing here waits, so no socket can hold up another."""

    def __init__(self) -> None:
        self._by_scope: defaultdict[tuple[str, str], set[Listener]] = defaultdict(set)

    def __iter__(self) -> Iterator[Listener]:
        for sockets in list(self._by_scope.values()):
            yield from list(sockets)

    def add(self, socket: Listener) -> None:
        self._by_scope[socket.workspace_id, socket.show_id].add(socket)

    def remove(self, socket: Listener) -> None:
        scope = (socket.workspace_id, socket.show_id)
        self._by_scope[scope].discard(socket)
        if not self._by_scope[scope]:
            del self._by_scope[scope]

    def listeners(self, workspace_id: str, show_id: str) -> list[Listener]:
        """Those on the show, and those on all shows of the workspace. What concerns no show goes to everybody there."""
        if show_id:
            scopes = [(workspace_id, show_id), (workspace_id, "")]
        else:
            scopes = [scope for scope in self._by_scope if scope[0] == workspace_id]
        return [socket for scope in scopes for socket in self._by_scope.get(scope, ())]

    def say_to_all(self, text: str) -> None:
        for socket in self:
            socket.offer(text)

    def end_credential(self, credential_id: str) -> None:
        """A session ended or a token was revoked: what came in with it goes."""
        for socket in self:
            if socket.credential_id == credential_id:
                socket.end(SESSION_ENDED)
