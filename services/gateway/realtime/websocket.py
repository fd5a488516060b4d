"""`/api/realtime`: the socket of a dashboard or a program."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any, Final

from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect
from litestar.params import QueryParameter
from litestar.types import Send

from services.common.errors import Fault, InvalidRequest, Kind, NotFound
from services.common.ids import parse_id
from services.common.status import RemoteError
from services.gateway.backends.shows import Shows
from services.gateway.figures import SOCKETS
from services.gateway.identity.guards import SUBPROTOCOL, refused
from services.gateway.identity.principal import Principal
from services.gateway.realtime.hub import Hub, TooManySockets
from services.gateway.realtime.listener import SHOW_NOT_FOUND, TRY_AGAIN, Listener

_FAREWELL: Final = 2.0
"""Seconds that a client has to take its last messages."""
STRAIGHT: Final = "showbill.send"
"""In the scope of a socket: the server's own `send`. The layers between have nothing to do with a message, and calling
them for each of thousands of sockets takes longer than sending it."""
_LONGEST_POSITION: Final = 20
_LONGEST_REASON: Final = 120
"""A close frame holds 123 bytes of it."""


@websocket("/api/realtime")
async def realtime(
    socket: WebSocket[Principal, Any, Any],
    shows: NamedDependency[Shows],
    hub: NamedDependency[Hub],
    show_id: Annotated[str, QueryParameter(description="All shows when left out.")] = "",
    since: Annotated[str, QueryParameter(description="The position that the client has.")] = "",
) -> None:
    """Events of a show, or of all shows of the workspace, as JSON messages; `hello` comes first."""
    try:
        position = _position(since)
        hub.let_in(socket.user.credential_id)
    except (InvalidRequest, TooManySockets) as error:
        raise refused(socket, error) from error
    try:
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
        await _hear(socket, shows, hub, show_id, position)
    finally:
        hub.let_out(socket.user.credential_id)


async def _hear(
    socket: WebSocket[Principal, Any, Any], shows: Shows, hub: Hub, show_id: str, position: int | None
) -> None:
    caller = socket.user
    try:
        show_id = parse_id(show_id, "show") if show_id else ""  # as events name it, however the client writes it
    except NotFound as error:
        await socket.close(SHOW_NOT_FOUND, error.message)
        return
    listener = Listener(caller.workspace_id, show_id, caller.credential_id)
    SOCKETS.inc()
    hub.add(listener)  # before the position is read: what happens in between is not lost
    try:
        hub.begin(listener, (await shows.get(caller.identity, show_id)).seq if show_id else 0, position)
        await _serve(socket, listener)
    except RemoteError as error:
        code = SHOW_NOT_FOUND if error.kind is Kind.NOT_FOUND else TRY_AGAIN
        await socket.close(code, error.message[:_LONGEST_REASON])
    finally:
        hub.remove(listener)
        SOCKETS.dec()


def _position(since: str) -> int | None:
    """Raises InvalidRequest. Not left to the framework, which breaks the handshake off without a word."""
    if not since:
        return None
    if since.isascii() and since.isdecimal() and len(since) < _LONGEST_POSITION:
        return int(since)
    fault = Fault("since", "The parameter since is no position. Give the seq of the last message, or leave it out.")
    raise InvalidRequest(fault.problem, faults=[fault])


async def _serve(socket: WebSocket[Principal, Any, Any], listener: Listener) -> None:
    """Until the client goes or is sent away."""
    sending = asyncio.create_task(_send(socket, listener))
    reading = asyncio.create_task(_read(socket))
    try:
        await asyncio.wait((sending, reading, listener.ended), return_when=asyncio.FIRST_COMPLETED)
        if listener.ended.done() and not reading.done():
            await asyncio.wait((sending,), timeout=_FAREWELL)
            sending.cancel()
            with suppress(TimeoutError):  # a client that does not read cannot be told
                await asyncio.wait_for(socket.close(listener.ended.result()), _FAREWELL)
    finally:
        sending.cancel()
        reading.cancel()
        await asyncio.gather(sending, reading, return_exceptions=True)


async def _send(socket: WebSocket[Principal, Any, Any], listener: Listener) -> None:
    send: Send = socket.scope[STRAIGHT]  # type: ignore[typeddict-item]
    while texts := await listener.next():
        for text in texts:
            await send({"type": "websocket.send", "bytes": None, "text": text})


async def _read(socket: WebSocket[Principal, Any, Any]) -> None:
    """Clients have nothing to say; reading is how their leaving shows."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data("text")
