"""One invoice voided, marked as paid, or brought to what is owed now; a run stopped."""

from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.addresses import BaseUrl
from services.gateway.backends.invoices import Invoices
from services.gateway.dashboard.actions.invoices import row_now
from services.gateway.dashboard.rendering import AnyRequest, go, is_htmx, toast
from services.gateway.identity.principal import Principal

_LONGEST_NOTE: Final = 500
_LONGEST_AMOUNT: Final = 19


@post("/shows/{show_id:str}/invoices/{invoice_id:str}/void", status_code=200)
async def void(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    who = caller.identity
    done = await invoices.void(who, show_id, invoice_id)
    said = toast("ok", f"Invoice of {done.handle or done.display_name} voided", "The buyer can be invoiced again.")
    return await row_now(request, invoices, who, show_id, invoice_id, base_url, said)


@post("/shows/{show_id:str}/invoices/{invoice_id:str}/mark-paid", status_code=200)
async def mark_paid(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """Over what the question said, and over nothing else."""
    who, form = caller.identity, await request.form()
    note, amount = str(form.get("note", ""))[:_LONGEST_NOTE], str(form.get("amount", ""))
    seen = int(amount) if amount.isascii() and amount.isdecimal() and len(amount) < _LONGEST_AMOUNT else None
    done = await invoices.mark_paid(who, show_id, invoice_id, note, seen)
    said = toast("ok", f"Invoice of {done.handle or done.display_name} marked as paid")
    return await row_now(request, invoices, who, show_id, invoice_id, base_url, said)


@post("/shows/{show_id:str}/invoices/{invoice_id:str}/finalize", status_code=200)
async def finalize(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    who = caller.identity
    await invoices.finalize(who, show_id, invoice_id)
    said = toast("ok", "Ready to send", "The invoice has the claims and prices of now, and can be paid.")
    return await row_now(request, invoices, who, show_id, invoice_id, base_url, said)


@post("/shows/{show_id:str}/invoices/{invoice_id:str}/update-draft", status_code=200)
async def update_draft(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    who = caller.identity
    await invoices.update_draft(who, show_id, invoice_id)
    said = toast("ok", "Draft updated", "It has the claims and prices of now.")
    return await row_now(request, invoices, who, show_id, invoice_id, base_url, said)


@post("/shows/{show_id:str}/runs/{run_id:str}/cancel", status_code=200)
async def cancel(
    request: AnyRequest,
    show_id: FromPath[str],
    run_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """Stops what is not begun. How it ends is told to all who look on."""
    await invoices.cancel(caller.identity, run_id)
    if not is_htmx(request):
        return go(request, f"/shows/{show_id}?run={run_id}")
    said = toast("info", "The run stops", "What is begun is still finished.")
    return Response(b"", status_code=204, media_type="text/html", headers=said)


HANDLERS: Final = [void, mark_paid, finalize, update_draft, cancel]
