"""Looking into the state, and setting it back."""

from collections import Counter
from typing import Any

import msgspec
from aiohttp import web

from services.sandbox import lifecycle
from services.sandbox.control.requests import answer, dataset_of, problem, read, sandbox_of
from services.sandbox.objects.event import render
from services.sandbox.records import Json
from services.sandbox.sandbox import Settings
from services.sandbox.store import Dataset


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    account: str | None = None


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: float


async def health(request: web.Request) -> web.Response:
    return answer({"status": "ok", "url": sandbox_of(request).config.public_url})


async def state(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    account = request.query.get("account")
    shown = {
        scope: _counts(dataset)
        for scope, dataset in sandbox.store.datasets.items()
        if account is None or dataset.account.id == account
    }
    return answer({"now": sandbox.clock.now(), "datasets": shown})


def _counts(dataset: Dataset) -> Json:
    return {
        "customers": len(dataset.customers),
        "invoices": dict(Counter(one.body["status"] for one in dataset.invoices.values())),
        "invoices_total": sum(one.body["total"] for one in dataset.invoices.values()),
        "events": dict(Counter(one.type for one in dataset.events.values())),
        "webhook_endpoints": len(dataset.endpoints),
        "deliveries": dict(Counter(one.state for one in dataset.deliveries.values())),
        "mails": len(dataset.mails),
        "idempotency_keys": len(dataset.saved),
    }


async def invoices(request: web.Request) -> web.Response:
    """All of them, oldest first, each with all its lines and its customer."""
    dataset = dataset_of(request)
    call = sandbox_of(request).call(dataset)
    wanted = request.query.get("status")
    shown: list[Json] = []
    for invoice in dataset.invoices.values():
        if wanted is None or invoice.body["status"] == wanted:
            body: dict[str, Any] = lifecycle.show(call, invoice)
            body["lines"] = {**body["lines"], "data": invoice.lines, "has_more": False}
            shown.append({**body, "customer": dataset.customers[body["customer"]].body})
    return answer({"invoices": shown})


async def customers(request: web.Request) -> web.Response:
    return answer({"customers": [one.body for one in dataset_of(request).customers.values()]})


async def events(request: web.Request) -> web.Response:
    dataset = dataset_of(request)
    wanted = request.query.get("type")
    shown = [render(dataset, one) for one in dataset.events.values() if wanted in (None, one.type)]
    return answer({"events": shown})


async def webhook_endpoints(request: web.Request) -> web.Response:
    """With their secrets, so that a test can sign as Stripe does."""
    endpoints = dataset_of(request).endpoints.values()
    return answer({"webhook_endpoints": [{**one.body, "secret": one.secret} for one in endpoints]})


async def mails(request: web.Request) -> web.Response:
    store = sandbox_of(request).store
    return answer({"mails": [mail for dataset in store.datasets.values() for mail in dataset.mails.values()]})


async def reset(request: web.Request) -> web.Response:
    """Empties the data sets; accounts and keys stay. Faults, counters and settings go back as well, for all."""
    sandbox = sandbox_of(request)
    wanted = await read(request, Reset)
    if wanted.account is not None and wanted.account not in sandbox.store.accounts:
        raise problem(404, f"There is no account '{wanted.account}' in this sandbox.")
    if wanted.account is None:
        sandbox.faults.clear()
        sandbox.courier.faults.clear()
        sandbox.counters.clear()
        sandbox.apply(Settings())
        sandbox.store.keep("settings", sandbox.settings)
    sandbox.reset(wanted.account)
    return answer({"reset": wanted.account or "all"})


async def calls(request: web.Request) -> web.Response:
    return answer({"operations": sandbox_of(request).counters.shown(request.query.get("account"))})


async def clear_calls(request: web.Request) -> web.Response:
    sandbox_of(request).counters.clear()
    return answer({"operations": {}})


async def settings(request: web.Request) -> web.Response:
    return answer(sandbox_of(request).settings)


async def change_settings(request: web.Request) -> web.Response:
    """Parts that are left out stay as they are."""
    sandbox = sandbox_of(request)
    given = await read(request, dict[str, Any])
    current = msgspec.to_builtins(sandbox.settings)
    for name, value in given.items():
        current[name] = {**current[name], **value} if isinstance(current.get(name), dict) else value
    try:
        changed = msgspec.convert(current, Settings)
    except msgspec.ValidationError as error:
        raise problem(400, f"The settings do not fit: {error}.") from error
    sandbox.apply(changed)
    sandbox.store.keep("settings", changed)
    sandbox.flush()
    return answer(changed)


async def clock(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    wanted = await read(request, Advance)
    if wanted.advance_seconds < 0:
        raise problem(400, "The sandbox's clock goes forward only.")
    sandbox.clock.advance(wanted.advance_seconds)
    sandbox.store.keep("clock_offset", sandbox.clock.offset)
    sandbox.tick()
    return answer({"now": sandbox.clock.now(), "offset_seconds": sandbox.clock.offset})
