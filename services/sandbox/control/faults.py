"""Faults of requests and of webhook deliveries."""

from aiohttp import web

from services.sandbox.control.requests import answer, number, problem, read, sandbox_of
from services.sandbox.faults import Fault, FaultRule
from services.sandbox.routes import ROUTES
from services.sandbox.webhook_faults import WebhookFault, WebhookFaultRule

_OPERATIONS = frozenset(route.operation for route in ROUTES)


async def add(request: web.Request) -> web.Response:
    rule = await read(request, FaultRule)
    if not any(letter in rule.operation for letter in "*?") and rule.operation not in _OPERATIONS:
        raise problem(400, f"Unknown operation '{rule.operation}'. There are: {', '.join(sorted(_OPERATIONS))}.")
    return answer(sandbox_of(request).faults.add(rule).shown(), 201)


async def list_(request: web.Request) -> web.Response:
    return answer({"faults": [fault.shown() for fault in sandbox_of(request).faults.active.values()]})


async def retrieve(request: web.Request) -> web.Response:
    """With `wait_hits=n` the answer waits, up to `timeout` seconds, until the rule was hit so often."""
    fault = _fault(request)
    hits = int(number(request, "wait_hits", 0))
    if hits:
        await fault.wait_for_hits(hits, number(request, "timeout", 10))
    return answer(fault.shown())


async def release(request: web.Request) -> web.Response:
    fault = _fault(request)
    fault.released.set()
    return answer(fault.shown())


async def remove(request: web.Request) -> web.Response:
    sandbox_of(request).faults.remove(_fault(request).id)
    return answer({"deleted": True})


async def clear(request: web.Request) -> web.Response:
    sandbox_of(request).faults.clear()
    return answer({"faults": []})


def _fault(request: web.Request) -> Fault:
    fault = sandbox_of(request).faults.active.get(request.match_info["fault"])
    if fault is None:
        raise problem(404, f"There is no fault '{request.match_info['fault']}'.")
    return fault


async def add_webhook(request: web.Request) -> web.Response:
    rule = await read(request, WebhookFaultRule)
    return answer(sandbox_of(request).courier.faults.add(rule).shown(), 201)


async def list_webhook(request: web.Request) -> web.Response:
    active = sandbox_of(request).courier.faults.active.values()
    return answer({"webhook_faults": [fault.shown() for fault in active]})


async def retrieve_webhook(request: web.Request) -> web.Response:
    return answer(_webhook_fault(request).shown())


async def release_webhook(request: web.Request) -> web.Response:
    fault = _webhook_fault(request)
    fault.released.set()
    return answer(fault.shown())


async def remove_webhook(request: web.Request) -> web.Response:
    sandbox_of(request).courier.faults.remove(_webhook_fault(request).id)
    return answer({"deleted": True})


async def clear_webhook(request: web.Request) -> web.Response:
    sandbox_of(request).courier.faults.clear()
    return answer({"webhook_faults": []})


def _webhook_fault(request: web.Request) -> WebhookFault:
    fault = sandbox_of(request).courier.faults.active.get(request.match_info["fault"])
    if fault is None:
        raise problem(404, f"There is no webhook fault '{request.match_info['fault']}'.")
    return fault
