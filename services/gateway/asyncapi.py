"""The description of the WebSocket: AsyncAPI 3, made from the types that are sent."""

from functools import cache
from inspect import cleandoc
from typing import Any, Final

import msgspec

from services.gateway.examples.live import message
from services.gateway.identity.cookies import SECURE_COOKIE
from services.gateway.identity.guards import SUBPROTOCOL, TOKEN_PREFIX
from services.gateway.realtime.listener import MOST_WAITING, SESSION_ENDED, SHOW_NOT_FOUND, TOO_SLOW, TRY_AGAIN
from services.gateway.realtime.upkeep import HEARTBEAT
from services.gateway.schemas import events
from services.gateway.schemas.base import View
from services.gateway.schemas.invoices import InvoiceView

KINDS: Final[dict[str, tuple[str, type[View] | None]]] = {
    "hello": ("The first message. With `behind` true, read the snapshot anew.", events.HelloView),
    "ping": (f"Comes every {HEARTBEAT:.0f} seconds; a socket that hears nothing for twice as long is dead.", None),
    "resync": ("Something may have been missed: read the snapshot anew.", events.ResyncView),
    "invoice.updated": ("The whole new state of an invoice. Ignore a version that is not higher.", InvoiceView),
    "generation.progressed": ("A run got on.", events.GenerationProgressedView),
    "generation.finished": ("A run ended.", events.GenerationFinishedView),
    "checkout_link.requested": ("A link was handed to the messaging service.", events.LinkRequestedView),
    "checkout_link.sent": ("A link went out.", events.LinkSentView),
    "claims.changed": ("Claims or prices of the show changed: read them anew.", events.ClaimsChangedView),
    "integration.updated": ("A connection changed.", events.IntegrationUpdatedView),
    "show.updated": ("The show was started, paused, ended or changed.", events.ShowUpdatedView),
    "sending.started": ("A run that sends links began; its address tells how far it is.", events.SendingStartedView),
    "pay_link.opened": ("A buyer opened their pay link.", events.PayLinkOpenedView),
}
"""Every message by its type: what it says, and what its `data` is."""

_ABOUT: Final = f"""
Live updates as JSON messages. Sign in with the session's cookie (from our own pages), with `Authorization: Bearer`, or,
where a client cannot send headers, by offering the subprotocols `{SUBPROTOCOL}` and `{TOKEN_PREFIX}<token>`.
A token is never taken from the address.

Read the snapshot (`GET /api/shows/{{showId}}/invoices` answers its `seq`), listen, and apply what comes: each event of
a show carries the next `seq`. After a reconnection give the last one as `since`; `hello` says whether something was
missed. A client that lets {MOST_WAITING} messages wait is sent away and should come again. How many sockets one session
or token may hold is limited: one too many is refused with 429.

Close codes: {SESSION_ENDED} the session ended or the token was revoked; {SHOW_NOT_FOUND} no such show; {TOO_SLOW} too
slow; {TRY_AGAIN} a service is away, try again; 1012 this replica stops, connect again at once.
"""


@cache
def describe() -> dict[str, Any]:
    """AsyncAPI 3.0."""
    messages = {kind: _message(kind, about, data) for kind, (about, data) in KINDS.items()}
    views = [data for _, data in KINDS.values() if data]
    _, schemas = msgspec.json.schema_components(views, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Showbill live updates", "version": "1", "description": cleandoc(_ABOUT)},
        "defaultContentType": "application/json",
        "channels": {
            "realtime": {
                "address": "/api/realtime",
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in messages},
                "bindings": {"ws": {"method": "GET", "query": _QUERY}},
            }
        },
        "operations": {
            "hear": {
                "action": "send",
                "channel": {"$ref": "#/channels/realtime"},
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY],
            }
        },
        "components": {"messages": messages, "schemas": schemas, "securitySchemes": _SECURITY},
    }


_SECURITY: Final[dict[str, Any]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, in the header or as a subprotocol."},
    "session": {"type": "httpApiKey", "in": "cookie", "name": SECURE_COOKIE, "description": "A person’s session."},
}
_QUERY: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "show_id": {"type": "string", "format": "uuid", "description": "All shows of the workspace when left out."},
        "since": {"type": "integer", "description": "The position that the client has."},
    },
}


def _message(kind: str, about: str, data: type[View] | None) -> dict[str, Any]:
    payload = {
        "type": "object",
        "required": ["v", "type", "id", "seq", "at", "showId", "data"],
        "properties": {
            "v": {"const": 1},
            "type": {"const": kind},
            "id": {"type": "string", "description": "Of the event; empty for what the gateway itself says."},
            "seq": {"type": "integer", "description": "Position within the show; 0 where there is none."},
            "at": {"type": "string", "format": "date-time"},
            "showId": {"type": "string", "description": "Empty when it concerns no show."},
            "data": {"$ref": f"#/components/schemas/{data.__name__}"} if data else {"type": "null"},
        },
    }
    example = {"name": kind, "payload": msgspec.to_builtins(message(kind))}
    return {"name": kind, "summary": about, "payload": payload, "examples": [example]}
