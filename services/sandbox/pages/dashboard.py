"""The dashboard's page of an invoice, at a path shaped like Stripe's, and the list of all invoices."""

from decimal import Decimal, InvalidOperation
from typing import Final

from aiohttp import web

from services.sandbox import errors, lifecycle
from services.sandbox.control.deeds import DEEDS
from services.sandbox.control.requests import sandbox_of
from services.sandbox.money import decimals
from services.sandbox.operations import invoice_lines
from services.sandbox.pages.render import missing, page
from services.sandbox.records import Invoice, Json
from services.sandbox.store import Dataset

_LABELS: Final = {
    "draft": [("finalize", "Finalize"), ("delete", "Delete draft")],
    "open": [
        ("pay", "Charge the customer"),
        ("void", "Void"),
        ("mark_uncollectible", "Mark uncollectible"),
    ],
    "uncollectible": [("pay", "Charge the customer"), ("void", "Void")],
    "paid": [],
    "void": [],
}
_SHOWN_ON_INDEX: Final = 200


def path_of(dataset: Dataset, invoice_id: str = "") -> str:
    """Of an invoice; without one, of the list of all."""
    mode = "" if dataset.livemode else "/test"
    return f"/dashboard/{dataset.account.id}{mode}/invoices" + (f"/{invoice_id}" if invoice_id else "")


async def index(request: web.Request) -> web.Response:
    store = sandbox_of(request).store
    datasets = [(dataset, _rows(dataset)) for dataset in store.datasets.values() if dataset.invoices]
    return page("index.html", datasets=datasets)


async def keys(request: web.Request) -> web.Response:
    return page("keys.html")


async def of_account(request: web.Request) -> web.Response:
    dataset = _dataset(request)
    if dataset is None:
        return missing("There is no such account.")
    return page("index.html", datasets=[(dataset, _rows(dataset))])


def _rows(dataset: Dataset) -> list[Json]:
    newest = list(reversed(dataset.invoices.values()))[:_SHOWN_ON_INDEX]
    return [_row(dataset, invoice) for invoice in newest]


def _row(dataset: Dataset, invoice: Invoice) -> Json:
    body, customer = invoice.body, dataset.customers[invoice.body["customer"]].body
    return {
        "url": path_of(dataset, invoice.id),
        "number": body["number"] or "Draft",
        "customer": customer["name"] or customer["email"] or customer["id"],
        "status": body["status"],
        "total": body["total"],
        "currency": body["currency"],
    }


async def log(request: web.Request) -> web.Response:
    """Where `request_log_url` of a refusal leads."""
    return missing(f"The sandbox writes its requests to its own log; look there for {request.match_info['request']}.")


async def show(request: web.Request) -> web.Response:
    found = _find(request)
    return missing("This account has no such invoice.") if found is None else _page(request, *found)


async def act(request: web.Request) -> web.Response:
    found = _find(request)
    if found is None:
        return missing("This account has no such invoice.")
    dataset, invoice = found
    deed = request.match_info["deed"]
    try:
        if deed == "edit_line":
            await _edit_line(request, dataset, invoice)
        elif deed in dict(_LABELS[invoice.body["status"]]):
            DEEDS[deed](sandbox_of(request).call(dataset), invoice)
        else:
            return _page(request, dataset, invoice, "That cannot be done with this invoice any more.", status=409)
    except errors.ApiError as error:
        return _page(request, dataset, invoice, error.message, status=409)
    sandbox_of(request).flush()
    raise web.HTTPSeeOther("/" if deed == "delete" else path_of(dataset, invoice.id))


async def _edit_line(request: web.Request, dataset: Dataset, invoice: Invoice) -> None:
    form = await request.post()
    places = decimals(invoice.body["currency"])
    try:
        amount = Decimal(str(form.get("amount", ""))).scaleb(places)
    except InvalidOperation:
        raise errors.refused("Write the price as a number, for example 12.50.") from None
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise errors.refused(f"Write the price with at most {places} decimals.")
    call = sandbox_of(request).call(dataset)
    call.path = {"id": invoice.id, "line": str(form.get("line", ""))}
    call.params = {"amount": int(amount)}
    invoice_lines.update_one(call)


def _dataset(request: web.Request) -> Dataset | None:
    store, account = sandbox_of(request).store, request.match_info["account"]
    if account not in store.accounts:
        return None
    return store.dataset(account, livemode=not request.path.startswith(f"/dashboard/{account}/test/"))


def _find(request: web.Request) -> tuple[Dataset, Invoice] | None:
    dataset = _dataset(request)
    invoice = dataset.invoices.get(request.match_info["invoice"]) if dataset else None
    return None if dataset is None or invoice is None else (dataset, invoice)


def _page(
    request: web.Request, dataset: Dataset, invoice: Invoice, error: str | None = None, *, status: int = 200
) -> web.Response:
    shown = lifecycle.show(sandbox_of(request).call(dataset), invoice)
    return page(
        "dashboard_invoice.html",
        status=status,
        error=error,
        invoice=shown,
        lines=invoice.lines,
        customer=dataset.customers[shown["customer"]].body,
        deeds=_LABELS[shown["status"]],
        path=path_of(dataset, invoice.id),
    )
