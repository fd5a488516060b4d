"""The outermost layer: request id, security headers, one log line a request, honest refusals of sockets."""

import asyncio
import time
from typing import Any, Final

import structlog
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from services.common import tracing
from services.common.context import REQUEST_ID_HEADER, bind_request, request_id
from services.common.errors import ShowbillError
from services.gateway import errors
from services.gateway.figures import HTTP_SECONDS
from services.gateway.identity.guards import REFUSAL
from services.gateway.limits import headers_of
from services.gateway.proxies import Proxies
from services.gateway.realtime.websocket import STRAIGHT

log = structlog.get_logger()

# For answers that are no page; a page brings its own policy.
_DEFAULTS: Final = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cache-control": b"no-store",
}
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_BODY_PATIENCE = 20.0
"""Seconds between two parts of a body."""
_BODY_DEADLINE = 600.0
"""Seconds for the whole of it: 50 MB over a line of one megabit a second take seven minutes."""
_QUIET: Final = frozenset(("/api/health", "/api/health/live", "/static/{name}"))
_PROVIDER: Final = "/api/webhooks/"


class Edge:
    """Wraps the whole application. A plain ASGI layer, so that nothing inside can hide what was answered."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        sent = next((value for name, value in scope["headers"] if name == REQUEST_ID_HEADER.encode()), b"")
        request_id = bind_request(sent.decode("latin-1") or None)
        self._proxies.settle(scope)
        began, status, method = time.perf_counter(), 0, str(scope.get("method", "WS"))
        if method == "HEAD":  # what GET answers; the server leaves the body out
            scope = {**scope, "method": "GET"}  # type: ignore[assignment]

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept"):
                status = _number(message.get("status", 101))
                message["headers"] = _completed(scope, message.get("headers", ()), request_id)
            elif message["type"] == "websocket.close" and not status:
                status = await _refuse(scope, send, request_id)
                return
            await send(message)

        if scope["type"] == ScopeType.WEBSOCKET:
            scope[STRAIGHT] = send  # type: ignore[typeddict-unknown-key]
        with tracing.span("http", tracing.SERVER, {}) as step:
            try:
                await self._app(scope, _patient(receive) if scope["type"] == ScopeType.HTTP else receive, answer)
            finally:
                _note(scope, method, status, began, step)


def _patient(receive: Receive) -> Receive:
    """Waits for a body, but not for ever: whoever trickles one ties up no request of ours."""
    whole = False
    deadline = time.monotonic() + _BODY_DEADLINE

    async def receive_in_time() -> Any:
        nonlocal whole
        if whole:
            return await receive()  # for the client to leave
        try:
            async with asyncio.timeout(min(_BODY_PATIENCE, deadline - time.monotonic())):
                message = await receive()
        except TimeoutError:
            raise HTTPException(status_code=408, headers={"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        return message

    return receive_in_time


def _completed(scope: Scope, headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    names = {name.lower() for name, _ in given}
    extra = [(name, value) for name, value in _DEFAULTS.items() if name not in names]
    if scope["scheme"] in ("https", "wss"):
        extra.append(_HSTS)
    return [*given, *extra, *headers_of(scope), (REQUEST_ID_HEADER.encode(), request_id.encode())]


async def _refuse(scope: Scope, send: Send, request_id: str) -> int:
    """Turns the close of a socket that was never opened into the HTTP answer that says why."""
    found = scope.get(REFUSAL)
    if isinstance(found, ShowbillError):
        told = errors.answer(found)
    else:
        told = errors.answer(ShowbillError()) if scope.get("path_template") else errors.refusal(404)
    given = [(name.lower().encode(), value.encode()) for name, value in told.headers.items()]
    given.append((b"content-type", errors.PROBLEM_JSON.encode()))
    status = told.status_code or 500
    headers = _completed(scope, given, request_id)
    start: Any = {"type": "websocket.http.response.start", "status": status, "headers": headers}
    end: Any = {"type": "websocket.http.response.body", "body": told.content, "more_body": False}
    await send(start)
    await send(end)
    return status


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _note(scope: Scope, method: str, status: int, began: float, step: tracing.Span) -> None:
    """One line. The route's template stands for the path: a pay link's token is nobody's business."""
    route = str(scope.get("path_template", "")) or "(none)"
    calm = status < 400 and (route in _QUIET or route.startswith(_PROVIDER))
    write = log.debug if calm else log.info
    seconds = time.perf_counter() - began
    write("http", method=method, route=route, status=status, ms=round(seconds * 1000, 2))
    if scope["type"] == ScopeType.HTTP:  # how long a socket stays says nothing of how fast we are
        HTTP_SECONDS.labels(method, route, str(status)).observe(seconds)
    step.update_name(f"{method} {route}")
    step.set_attributes({"http.response.status_code": status, "showbill.request_id": request_id()})
    if status >= 500:
        tracing.failed(step, str(status))
