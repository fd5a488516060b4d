"""A request of the API, from its key to its answer.

In this order: key, version, permission, rate limits, idempotency key, parameters, faults before, execution and
commit in one step, faults after, answer.
"""

import asyncio
import re
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from services.sandbox import errors, idempotency, ids, keys, log, schema
from services.sandbox.call import Call, Cause
from services.sandbox.config import API_VERSION
from services.sandbox.expand import check_expand, expanded
from services.sandbox.faults import Cut
from services.sandbox.operations.modelled import check_modelled
from services.sandbox.records import ApiKey, SavedAnswer
from services.sandbox.routes import Route
from services.sandbox.sandbox import Sandbox
from services.sandbox.store import Dataset

_VERSION: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(\.[a-z]+)?")
_encode: Final = msgspec.json.Encoder().encode

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Exchange:
    """What is known of one request while it is worked on, and what the log line says of it."""

    def __init__(self, request: web.Request, operation: str) -> None:
        self.request = request
        self.operation = operation
        self.request_id = ids.short_id("req")
        self.version = API_VERSION
        self.key: ApiKey | None = None
        self.dataset: Dataset | None = None
        self.opened: SavedAnswer | None = None
        self.headers: dict[str, str] = {}
        self.started = time.perf_counter()
        self.replayed = False
        self.cut = False

    def client_gone(self) -> bool:
        transport = self.request.transport
        return transport is None or transport.is_closing()

    def log_url(self, sandbox: Sandbox) -> str | None:
        if self.dataset is None:
            return None
        mode = "" if self.dataset.livemode else "/test"
        account = self.dataset.account.id
        return f"{sandbox.config.public_url}/dashboard/{account}{mode}/logs/{self.request_id}"


def handler_of(sandbox: Sandbox, route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        exchange = Exchange(request, route.operation)
        try:
            status, body = await _answer(sandbox, route, exchange)
        except errors.ApiError as error:
            status, body = _refusal(sandbox, exchange, error)
        except Cut:
            status, body, exchange.cut = 0, b"", True
            if request.transport is not None:
                request.transport.abort()
        except Exception as error:  # noqa: BLE001 - the outermost of a request: a mistake of the sandbox is a 500
            log.line("mistake", operation=route.operation, trace=traceback.format_tb(error.__traceback__))
            status, body = _refusal(sandbox, exchange, errors.internal_error())
        finally:
            if exchange.opened is not None and exchange.dataset is not None:
                sandbox.idempotency.end(exchange.dataset, exchange.opened)
        _note(sandbox, exchange, status)
        return _response(exchange, status, body)

    return handle


async def unknown_url(sandbox: Sandbox, request: web.Request) -> web.StreamResponse:
    """Stripe asks for a key before it says that an address does not exist."""
    exchange = Exchange(request, "unknown")
    try:
        _identify(sandbox, exchange)
        error = errors.unknown_url(request.method, request.path)
    except errors.ApiError as refusal:
        error = refusal
    status, body = _refusal(sandbox, exchange, error)
    _note(sandbox, exchange, status)
    return _response(exchange, status, body)


async def _answer(sandbox: Sandbox, route: Route, exchange: Exchange) -> tuple[int, bytes]:
    key, dataset = _identify(sandbox, exchange)
    keys.require(key, route.permission)
    sandbox.limiter.admit(dataset, route.operation)
    given = schema.decode(await _pairs(exchange.request))
    await _half_of_latency(sandbox)
    replay = _open(sandbox, exchange, dataset, given)
    await _half_of_latency(sandbox)
    if replay is not None:
        return replay.status, replay.body
    params = schema.check(route.operation, given)
    check_modelled(route.operation, params)
    check_expand(route.operation, params)
    call = Call(
        sandbox.store,
        dataset,
        sandbox.config,
        Cause(exchange.request_id, exchange.opened.key if exchange.opened else None),
        exchange.version,
        key,
        params,
        dict(exchange.request.match_info),
    )
    return await _execute(sandbox, route, exchange, call)


async def _execute(sandbox: Sandbox, route: Route, exchange: Exchange, call: Call) -> tuple[int, bytes]:
    try:
        await sandbox.faults.strike(route.operation, "before", call, exchange.client_gone)
        status, body = 200, _encode(expanded(call, route.run(call)))
    except errors.ApiError as error:
        if not error.executed:
            raise
        status, body = _refusal(sandbox, exchange, error)
    _keep(sandbox, exchange, status, body)
    try:
        await sandbox.faults.strike(route.operation, "after", call, exchange.client_gone)
    except errors.ApiError as error:
        status, body = _refusal(sandbox, exchange, error)
        if error.executed:
            _keep(sandbox, exchange, status, body)
    return status, body


async def _half_of_latency(sandbox: Sandbox) -> None:
    """One half on the way, the other while the idempotency key is in use."""
    if sandbox.settings.latency_ms:
        await asyncio.sleep(sandbox.settings.latency_ms / 2000)


def _identify(sandbox: Sandbox, exchange: Exchange) -> tuple[ApiKey, Dataset]:
    key = keys.authenticate(sandbox.store, exchange.request.headers)
    version = exchange.request.headers.get("Stripe-Version", API_VERSION)
    if not _VERSION.fullmatch(version):
        raise errors.invalid_version(version)
    exchange.version = version
    dataset = sandbox.store.dataset(key.account, livemode=key.livemode)
    exchange.key, exchange.dataset = key, dataset
    return key, dataset


async def _pairs(request: web.Request) -> list[tuple[str, str]]:
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    if request.can_read_body:
        pairs += parse_qsl((await request.read()).decode(errors="replace"), keep_blank_values=True)
    return pairs


def _open(sandbox: Sandbox, exchange: Exchange, dataset: Dataset, given: schema.Parameters) -> SavedAnswer | None:
    """Takes the idempotency key of a POST; the kept answer when it is known."""
    request = exchange.request
    key = request.headers.get("Idempotency-Key")
    if not key or request.method != "POST":
        return None
    opened = SavedAnswer(
        key=key,
        method=request.method,
        path=request.path,
        fingerprint=idempotency.fingerprint(given),
        request_id=exchange.request_id,
        created=sandbox.clock.now(),
    )
    kept = sandbox.idempotency.begin(dataset, opened)
    exchange.headers["Idempotency-Key"] = key
    if kept is None:
        exchange.opened = opened
        exchange.headers["Original-Request"] = exchange.request_id
        return None
    exchange.replayed = True
    exchange.headers["Idempotent-Replayed"] = "true"
    exchange.headers["Original-Request"] = kept.request_id
    return kept


def _keep(sandbox: Sandbox, exchange: Exchange, status: int, body: bytes) -> None:
    """One transaction holds what was written and the answer under its idempotency key."""
    if exchange.opened is not None and exchange.dataset is not None:
        sandbox.idempotency.keep(exchange.dataset, exchange.opened, status, body)
    sandbox.flush()


def _refusal(sandbox: Sandbox, exchange: Exchange, error: errors.ApiError) -> tuple[int, bytes]:
    exchange.headers.update(error.headers)
    return error.status, _encode(error.body(exchange.log_url(sandbox)))


def _response(exchange: Exchange, status: int, body: bytes) -> web.Response:
    headers = {
        "Server": "nginx",
        "Request-Id": exchange.request_id,
        "Stripe-Version": exchange.version,
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-cache, no-store",
        **exchange.headers,
    }
    return web.Response(status=status or 500, body=body, content_type="application/json", headers=headers)


def _note(sandbox: Sandbox, exchange: Exchange, status: int) -> None:
    account = exchange.dataset.account.id if exchange.dataset else None
    if account is not None:
        sandbox.counters.count(account, exchange.operation, status, replayed=exchange.replayed, cut=exchange.cut)
    log.request(
        request_id=exchange.request_id,
        method=exchange.request.method,
        path=exchange.request.path,
        operation=exchange.operation,
        account=account,
        mode=exchange.dataset and ("live" if exchange.dataset.livemode else "test"),
        key=exchange.key and exchange.key.last4,
        status=status,
        replayed=exchange.replayed,
        cut=exchange.cut,
        ms=round((time.perf_counter() - exchange.started) * 1000, 1),
    )
