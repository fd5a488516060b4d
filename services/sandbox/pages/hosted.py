"""The hosted invoice page with its Pay button, and the invoice as a PDF."""

from aiohttp import web

from services.sandbox import errors, lifecycle
from services.sandbox.control.requests import sandbox_of
from services.sandbox.money import shown as money
from services.sandbox.pages.pdf import simple_pdf
from services.sandbox.pages.render import day, missing, page
from services.sandbox.records import Invoice, Json
from services.sandbox.store import Dataset

_UNKNOWN = "No invoice has this address."


class _Found:
    def __init__(self, dataset: Dataset, invoice: Invoice, *, expired: bool) -> None:
        self.dataset = dataset
        self.invoice = invoice
        self.expired = expired


def _find(request: web.Request) -> _Found | None:
    sandbox = sandbox_of(request)
    account, token = request.match_info["account"], request.match_info["token"]
    if account not in sandbox.store.accounts:
        return None
    dataset = sandbox.store.dataset(account, livemode=token.startswith("live_"))
    invoice = dataset.invoices.get(dataset.invoice_of_token.get(token, ""))
    if invoice is None:
        return None
    expired = token != invoice.hosted_token or invoice.hosted_expires_at < sandbox.clock.now()
    return _Found(dataset, invoice, expired=expired)


async def show(request: web.Request) -> web.Response:
    return _page(request, _find(request))


async def pay(request: web.Request) -> web.Response:
    return _act(request, "pay")


async def decline(request: web.Request) -> web.Response:
    return _act(request, "decline")


def _act(request: web.Request, deed: str) -> web.Response:
    found = _find(request)
    if found is None or found.expired:
        return _page(request, found)
    sandbox = sandbox_of(request)
    call = sandbox.call(found.dataset)
    try:
        if deed == "pay":
            lifecycle.pay(call, found.invoice, "payment")
        else:
            lifecycle.fail_payment(call, found.invoice)
    except errors.ApiError as error:
        return _page(request, found, error.message, status=409)
    sandbox.flush()
    if deed == "decline":
        return _page(request, found, "Your card was declined. Try another one.", status=402)
    raise web.HTTPSeeOther(request.path.removesuffix("/pay"))


def _page(request: web.Request, found: _Found | None, error: str | None = None, *, status: int = 200) -> web.Response:
    if found is None:
        return missing(_UNKNOWN)
    if found.expired:
        return page("expired.html", status=410, account_name=found.dataset.account.name)
    account, token = request.match_info["account"], request.match_info["token"]
    return page(
        "hosted_invoice.html",
        status=status,
        error=error,
        invoice=_shown(request, found),
        lines=found.invoice.lines,
        path=f"/i/{account}/{token}",
    )


def _shown(request: web.Request, found: _Found) -> Json:
    return lifecycle.show(sandbox_of(request).call(found.dataset), found.invoice)


async def pdf(request: web.Request) -> web.Response:
    found = _find(request)
    if found is None or found.expired:
        return _page(request, found)
    invoice = _shown(request, found)
    lines = [
        f"Invoice {invoice['number']} from {invoice['account_name']}",
        f"Status: {invoice['status']}, finalized {day(invoice['status_transitions']['finalized_at'])}",
        "",
        *(f"{line['description'] or ''}: {money(line['amount'], line['currency'])}" for line in found.invoice.lines),
        "",
        f"Total: {money(invoice['total'], invoice['currency'])}",
    ]
    headers = {"Content-Disposition": f'attachment; filename="Invoice-{invoice["number"]}.pdf"'}
    return web.Response(body=simple_pdf(lines), content_type="application/pdf", headers=headers)
