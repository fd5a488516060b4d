"""Stripe's deliveries. The body is handed on untouched: its signature is over the raw bytes."""

from typing import Any, Final

from litestar import Request, Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.errors import InvalidRequest, Kind, NotFound, ShowbillError, Unavailable
from services.common.grouping import Grouper
from services.gateway.backends.webhooks import Delivery, Outcome, Verdict
from services.gateway.errors import answer
from services.gateway.figures import WEBHOOKS

LARGEST: Final = 1024 * 1024
"""Bytes of a delivery. Stripe's own are a few kilobytes."""
_SIGNATURE: Final = "stripe-signature"
_LONGEST_SIGNATURE: Final = 4096

Deliveries = Grouper[Delivery, Verdict]


class BadDelivery(InvalidRequest):
    """The delivery is not a genuine event: its signature or its body is not right."""

    reason = "BAD_DELIVERY"


class ConnectionGone(ShowbillError):
    """This connection was ended. Remove the webhook endpoint."""

    kind = Kind.NOT_FOUND
    reason = "CONNECTION_GONE"


async def _receive(request: Request[Any, Any, Any], deliveries: Deliveries, connection: str) -> Response[Any]:
    headers = {_SIGNATURE: request.headers.get(_SIGNATURE, "")[:_LONGEST_SIGNATURE]}
    verdict = await deliveries.submit(Delivery("stripe", connection, await request.body(), headers))
    WEBHOOKS.labels("stripe", verdict.outcome.value).inc()
    match verdict.outcome:
        case Outcome.DONE:
            # Committed, and so never needed again: Stripe ticks the delivery off.
            return Response(None, status_code=200)
        case Outcome.REFUSED:
            # Stripe shows it as failed and tries again for three days; a forger learns nothing.
            raise BadDelivery
        case Outcome.UNKNOWN:
            # As above: an address that we never gave out, or the plain one while no secret is configured for it.
            raise NotFound(what="webhook address")
        case Outcome.GONE:
            # Stripe tries again, then disables the endpoint and mails its owner, which is right: nobody listens here.
            return answer(ConnectionGone(), status=410)
        case Outcome.AGAIN:
            # Nothing was kept. Stripe delivers it again, with growing pauses, for three days.
            raise Unavailable


@post("/api/webhooks/stripe", status_code=200, request_max_body_size=LARGEST, include_in_schema=False)
async def receive_plain(request: Request[Any, Any, Any], deliveries: NamedDependency[Deliveries]) -> Response[Any]:
    """The address for a secret that is configured by hand; off while there is none."""
    return await _receive(request, deliveries, "")


@post("/api/webhooks/stripe/{connection:str}", status_code=200, request_max_body_size=LARGEST, include_in_schema=False)
async def receive(
    request: Request[Any, Any, Any], connection: FromPath[str], deliveries: NamedDependency[Deliveries]
) -> Response[Any]:
    """The address of one connection."""
    return await _receive(request, deliveries, connection)


ROUTES: Final = Router("/", route_handlers=[receive_plain, receive])
