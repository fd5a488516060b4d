"""Serving the application with uvicorn, inside a process that we run ourselves."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Any, Final

import structlog
import uvicorn

from services.common.addresses import Listen
from services.common.errors import CannotStart
from services.gateway.impatience import ImpatientProtocol

log = structlog.get_logger()

_GRACE: Final = 5
"""Seconds that requests under way have when we stop."""
_SILENCE: Final = 30_000
"""Milliseconds after which the system gives up a client that takes nothing any more."""
_IDLE: Final = 75
"""Seconds that a connection may rest between two requests: longer than proxies and clients keep one. Closed by us just
as they use it again, it takes the request with it."""
_LARGEST_MESSAGE: Final = 16 * 1024
"""Bytes that a socket client may send at once; it has nothing to say."""


class PortTaken(CannotStart):
    """The address is taken."""


def bind(listen: Listen) -> socket.socket:
    """The listening socket. Raises PortTaken with a sentence that names the address."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once instead of waiting for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(AttributeError):  # where the system has it; connections inherit it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE)
    try:
        listening.bind((listen.host, listen.port))
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"{listen} cannot be listened on: {error.strerror}. "
            "Stop what uses it, or set HTTP_LISTEN to another address."
        ) from error
    return listening


class _Server(uvicorn.Server):
    """Leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_until(app: Any, listening: socket.socket, stop: asyncio.Event) -> None:
    """Serves until `stop`; then requests under way are finished, and sockets closed with 1012: come back elsewhere."""
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below that it prints whole addresses
    server = _Server(
        uvicorn.Config(
            app,
            http=ImpatientProtocol,
            ws="websockets-sansio",
            lifespan="off",
            ws_per_message_deflate=False,
            ws_max_size=_LARGEST_MESSAGE,
            timeout_graceful_shutdown=_GRACE,
            timeout_keep_alive=_IDLE,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
    )
    host, port = listening.getsockname()[:2]

    async def told() -> None:
        await stop.wait()
        server.should_exit = True

    waiting = asyncio.create_task(told())
    log.info("listening", host=host, port=port)
    try:
        await server.serve(sockets=[listening])
    finally:
        waiting.cancel()
