"""`Idempotency-Key`: the same request again, under the same key, answers what was answered, and makes nothing.

A key belongs to a workspace, a method and an address. While its first request runs, and for a day after it succeeded,
it stands in Postgres, so that it counts on every replica. A request that fails lets go of its key. What is behind a
route may know the key too (`request_id` of the contracts): then a crash before the answer makes nothing twice either.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import asyncpg
import structlog
from litestar import Request, Response
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from services.common.db import Pool
from services.common.errors import Fault, InvalidRequest, Kind, ShowbillError
from services.common.ids import new_id
from services.gateway.identity.principal import Principal
from services.gateway.queries import SQL

log = structlog.get_logger()

HEADER: Final = "idempotency-key"
SHOWN_ONCE: Final = "shown_once"
"""Option of a route whose answer holds a secret: it is not kept."""
SAME_AGAIN: Final = "same_again"
"""Option of a route for which the same content again changes nothing anyhow, and that is too much to hold at once."""
KEPT: Final = 24 * 3600
"""Seconds in which a key stands for its answer."""
_LEASE: Final = 120
"""Seconds after which a request that did not answer counts as dead: longer than any takes."""
_LONGEST_KEY: Final = 255
_LARGEST_ANSWER: Final = 1024 * 1024
_INTERFACE: Final = "/api/"
"""Pages are not kept: some show a secret, and their forms are told from repetitions by a field."""
_HELD: Final = "showbill.held_key"
_KEPT_HEADERS: Final = ("content-type", "etag", "location")
_DATABASE_AWAY: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class KeyNotFit(InvalidRequest):
    """An Idempotency-Key has between 1 and 255 printable characters. A UUID will do."""

    reason = "IDEMPOTENCY_KEY_NOT_FIT"


class KeyReused(InvalidRequest):
    """This Idempotency-Key came with another body before. Use a new key for a new request."""

    reason = "IDEMPOTENCY_KEY_REUSED"
    http_status: ClassVar = 422


class KeyInUse(ShowbillError):
    """A request with this Idempotency-Key is still running. Wait a moment, then ask again with the same key."""

    kind = Kind.CONFLICT
    reason = "IDEMPOTENCY_KEY_IN_USE"
    default_retry_after = 1.0


class ShownOnce(ShowbillError):
    """This Idempotency-Key made something that is shown only once. Revoke that, and use a new key for another."""

    kind = Kind.CONFLICT
    reason = "SHOWN_ONCE"


@dataclass(frozen=True, slots=True)
class HeldKey:
    """The key of a request that runs."""

    workspace_id: str
    key_hash: bytes
    holder: str
    shown_once: bool


class IdempotencyKeys:
    """Holds keys while their requests run, and keeps what was answered."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def before_request(self, request: Request[Any, Any, Any]) -> Response[bytes] | None:
        """After the door, before the route: the kept answer, or None when the route is to run."""
        key, caller = request.headers.get(HEADER), request.scope.get("user")
        options = request.route_handler.opt
        if key is None or request.method != "POST" or not isinstance(caller, Principal) or SAME_AGAIN in options:
            return None
        if not request.scope["path"].startswith(_INTERFACE):
            return None
        if not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
            error = KeyNotFit()
            raise KeyNotFit(error.message, faults=[Fault("Idempotency-Key", error.message)])
        key_hash = hashlib.sha256(f"{request.method}\0{request.scope['path']}\0{key}".encode()).digest()
        body_hash = hashlib.sha256(await request.body()).digest()
        held = HeldKey(caller.workspace_id, key_hash, new_id(), SHOWN_ONCE in options)
        taken = await self._pool.fetchval(
            SQL["hold_key"], held.workspace_id, key_hash, body_hash, held.holder, _LEASE, KEPT
        )
        if taken is None:
            return await self._replay(held, body_hash)
        request.scope[_HELD] = held  # type: ignore[typeddict-unknown-key]
        return None

    async def _replay(self, held: HeldKey, body_hash: bytes) -> Response[bytes]:
        row = await self._pool.fetchrow(SQL["find_answer"], held.workspace_id, held.key_hash)
        if row is None:  # its request failed this very moment
            raise KeyInUse
        if row["body_hash"] != body_hash:
            raise KeyReused
        if row["status"] is None:
            raise KeyInUse
        if held.shown_once:
            raise ShownOnce
        headers = row["headers"] | {"Idempotency-Replayed": "true"}
        media_type = headers.pop("content-type", None)
        return Response(row["body"], status_code=row["status"], headers=headers, media_type=media_type)

    async def settle(self, held: HeldKey, status: int, headers: dict[str, str], body: bytes) -> None:
        """Keeps an answer that succeeded; lets go of the key otherwise. A database that is away hurts no answer."""
        place = (held.workspace_id, held.key_hash, held.holder)
        try:
            if 200 <= status < 300 and len(body) <= _LARGEST_ANSWER:
                body = b"" if held.shown_once else body
                await self._pool.execute(SQL["keep_answer"], *place, status, headers, body)
            else:
                await self._pool.execute(SQL["let_key_go"], *place)
        except _DATABASE_AWAY as error:
            log.warning("answer not kept", error=str(error))

    async def sweep(self) -> None:
        await self._pool.execute(SQL["forget_answers"], KEPT)


class KeepAnswers:
    """Around the application: an answer under a held key is kept before its first byte leaves."""

    def __init__(self, app: ASGIApp, keys: IdempotencyKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def hold_back(message: Message) -> None:
            held = scope.get(_HELD)
            if not isinstance(held, HeldKey):
                await send(message)
                return
            messages.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                await self._keys.settle(held, *_answer(messages))
                for one in messages:
                    await send(one)

        await self._app(scope, receive, hold_back)


def _answer(messages: list[Any]) -> tuple[int, dict[str, str], bytes]:
    start = messages[0]
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start.get("headers", ())}
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    return start["status"], kept, b"".join(one.get("body", b"") for one in messages[1:])
