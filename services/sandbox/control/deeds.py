"""What a buyer, or an operator in the dashboard, would do: pay, be declined, void; and what webhooks do again."""

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from services.sandbox import errors, events, lifecycle
from services.sandbox.call import Call
from services.sandbox.control.requests import answer, dataset_of, number, problem, read, sandbox_of
from services.sandbox.objects.endpoint import listens_to
from services.sandbox.records import Invoice, Json
from services.sandbox.sandbox import Sandbox
from services.sandbox.store import Dataset


class PayMany(msgspec.Struct, forbid_unknown_fields=True):
    """Chosen invoices, or the oldest open ones of an account."""

    invoices: list[str] | None = None
    account: str | None = None
    livemode: bool = False
    count: int | None = None


def _pay(call: Call, invoice: Invoice) -> Json:
    return lifecycle.pay(call, invoice, "payment")


def _expire_url(call: Call, invoice: Invoice) -> Json:
    invoice.hosted_expires_at = call.now - 1
    call.store.save(call.dataset, invoice)
    return {"id": invoice.id, "hosted_expires_at": invoice.hosted_expires_at}


DEEDS: dict[str, Callable[[Call, Invoice], Json]] = {
    "pay": _pay,
    "decline": lifecycle.fail_payment,
    "void": lifecycle.void,
    "mark_uncollectible": lifecycle.mark_uncollectible,
    "finalize": lifecycle.finalize,
    "delete": lifecycle.delete,
    "expire_url": _expire_url,
}


async def do(request: web.Request) -> web.Response:
    deed = DEEDS.get(request.match_info["deed"])
    if deed is None:
        raise problem(404, f"There is no '{request.match_info['deed']}'. There are: {', '.join(DEEDS)}.")
    return answer(_done(sandbox_of(request), request.match_info["invoice"], deed))


async def pay_many(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    wanted = await read(request, PayMany)
    chosen = wanted.invoices
    if chosen is None:
        if wanted.account not in sandbox.store.accounts:
            raise problem(404, f"There is no account '{wanted.account}' in this sandbox.")
        dataset = sandbox.store.dataset(wanted.account, livemode=wanted.livemode)
        chosen = [one.id for one in dataset.invoices.values() if one.body["status"] == "open"][: wanted.count]
    paid = [_done(sandbox, invoice_id, _pay) for invoice_id in chosen]
    return answer({"paid": [{"id": one["id"], "total": one["total"], "status": one["status"]} for one in paid]})


def _done(sandbox: Sandbox, invoice_id: str, deed: Callable[[Call, Invoice], Json]) -> Json:
    dataset, invoice = find_invoice(sandbox, invoice_id)
    try:
        result = deed(sandbox.call(dataset), invoice)
    except errors.ApiError as error:
        raise problem(409, error.message) from error
    sandbox.flush()
    return result


def find_invoice(sandbox: Sandbox, invoice_id: str) -> tuple[Dataset, Invoice]:
    for dataset in sandbox.store.datasets.values():
        if invoice_id in dataset.invoices:
            return dataset, dataset.invoices[invoice_id]
    raise problem(404, f"There is no invoice '{invoice_id}' in this sandbox.")


# Webhooks --------------------------------------------------------------------------------------------------------


async def deliveries(request: web.Request) -> web.Response:
    dataset = dataset_of(request)
    wanted: dict[str, Any] = dict(request.query)
    shown = []
    for delivery in dataset.deliveries.values():
        event = dataset.events.get(delivery.event)
        entry = {**msgspec.to_builtins(delivery), "type": event and event.type, "object": event and event.object_id}
        if all(wanted.get(name) in (None, entry[name]) for name in ("state", "type", "object", "event", "endpoint")):
            shown.append(entry)
    return answer({"deliveries": shown})


async def wait_until_idle(request: web.Request) -> web.Response:
    courier = sandbox_of(request).courier
    idle = await courier.wait_until_idle(number(request, "timeout", 10), request.query.get("account"))
    return answer({"idle": idle})


async def retry(request: web.Request) -> web.Response:
    sandbox_of(request).courier.retry_now()
    return answer({"retrying": True})


async def resend(request: web.Request) -> web.Response:
    """Sends an event once more to every endpoint that listens to it, whether it was delivered or not."""
    sandbox = sandbox_of(request)
    for dataset in sandbox.store.datasets.values():
        event = dataset.events.get(request.match_info["event"])
        if event is not None:
            call = sandbox.call(dataset)
            listening = [one for one in dataset.endpoints.values() if listens_to(one, event.type)]
            made = [events.schedule(call, event, endpoint.id).id for endpoint in listening]
            sandbox.flush()
            return answer({"event": event.id, "deliveries": made})
    raise problem(404, f"There is no event '{request.match_info['event']}' in this sandbox.")
