"""Stripe's deliveries. The body is handed on untouched: its signature is over the raw bytes.

They are taken at the door, before the web framework, which would take more of a processor than all that we do for one:
a show that sells out brings thousands within seconds.
"""

from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send

from services.common.errors import InvalidRequest, Kind, NotFound, ShowbillError, Unavailable
from services.common.grouping import Grouper
from services.gateway.backends.webhooks import Delivery, Outcome, Verdict
from services.gateway.errors import answer, known_error, refusal, told
from services.gateway.figures import WEBHOOKS

log = structlog.get_logger()

LARGEST: Final = 1024 * 1024
"""Bytes of a delivery. Stripe's own are a few kilobytes."""
_PLAIN: Final = "/api/webhooks/stripe"
_OF_A_CONNECTION: Final = "/api/webhooks/stripe/{connection}"
PATHS: Final = (_PLAIN, _OF_A_CONNECTION)
"""The address for a secret that is configured by hand, off while there is none; and that of one connection."""
_SIGNATURE: Final = "stripe-signature"
_LONGEST_SIGNATURE: Final = 4096
_DONE: Final[Any] = (
    {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]},
    {"type": "http.response.body", "body": b""},
)

Deliveries = Grouper[Delivery, Verdict]


class BadDelivery(InvalidRequest):
    """The delivery is not a genuine event: its signature or its body is not right."""

    reason = "BAD_DELIVERY"


class UnknownAddress(NotFound):
    """No connection listens at this webhook address. Look its address up under Integrations."""


class ConnectionGone(ShowbillError):
    """This connection was ended. Remove the webhook endpoint."""

    kind = Kind.NOT_FOUND
    reason = "CONNECTION_GONE"


class _Gone(Exception):
    """Whoever sent the delivery left before its end."""


class StripeHooks:
    """Takes what Stripe posts, and passes everything else on."""

    def __init__(self, app: ASGIApp, deliveries: Deliveries) -> None:
        self._app = app
        self._deliveries = deliveries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = _addressed(scope)
        if connection is None:
            await self._app(scope, receive, send)
            return
        scope["path_template"] = _OF_A_CONNECTION if connection else _PLAIN
        try:
            if scope.get("method") != "POST":
                await _send(refusal(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"}), send)
                return
            verdict = await self._deliveries.submit(
                Delivery("stripe", connection, await _body(scope, receive), {_SIGNATURE: _signature(scope)})
            )
        except _Gone:
            return
        except HTTPException as error:
            WEBHOOKS.labels("stripe", Outcome.REFUSED.value).inc()
            await _send(refusal(error.status_code, error.headers), send)
            return
        except Exception as error:  # noqa: BLE001  # the boundary: everything becomes an answer
            WEBHOOKS.labels("stripe", Outcome.AGAIN.value).inc()
            await _send(told(known_error(error), error), send)
            return
        WEBHOOKS.labels("stripe", verdict.outcome.value).inc()
        await _answer(verdict.outcome, send)


async def _answer(outcome: Outcome, send: Send) -> None:
    match outcome:
        case Outcome.DONE:
            # Committed, and so never needed again: Stripe ticks the delivery off.
            for message in _DONE:
                await send(message.copy())
        case Outcome.REFUSED:
            # Stripe shows it as failed and tries again for three days; a forger learns nothing.
            await _send(answer(BadDelivery()), send)
        case Outcome.UNKNOWN:
            # As above: an address that we never gave out, or the plain one while no secret is configured for it.
            await _send(answer(UnknownAddress()), send)
        case Outcome.GONE:
            # Stripe tries again, then disables the endpoint and mails its owner, which is right: nobody listens here.
            await _send(answer(ConnectionGone(), status=410), send)
        case Outcome.AGAIN:
            # Nothing was kept. Stripe delivers it again, with growing pauses, for three days.
            await _send(answer(Unavailable()), send)


def _addressed(scope: Scope) -> str | None:
    """The connection that is meant, empty for the plain address; None for another address."""
    if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(_PLAIN):
        return None
    rest = scope["path"][len(_PLAIN) :].rstrip("/")
    if not rest:
        return ""
    return None if rest[0] != "/" or "/" in rest[1:] else rest[1:]


def _signature(scope: Scope) -> str:
    sent = next((value for name, value in scope["headers"] if name == _SIGNATURE.encode()), b"")
    return sent[:_LONGEST_SIGNATURE].decode("latin-1")


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Raises HTTPException for one that is too large or too slow."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if int(length) > LARGEST:
        raise HTTPException(status_code=413)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            raise HTTPException(status_code=413)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _send(response: Response[bytes], send: Send) -> None:
    headers = {
        "content-type": response.media_type or "",
        "content-length": str(len(response.content)),
        **response.headers,
    }
    start: Any = {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": [(name.lower().encode(), str(value).encode()) for name, value in headers.items()],
    }
    body: Any = {"type": "http.response.body", "body": response.content}
    await send(start)
    await send(body)
