"""One invoice changed by hand, and a run stopped."""

from typing import Final

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.backends.invoices import Invoices
from services.gateway.identity.principal import Principal
from services.gateway.schemas.invoices import GenerationView, InvoiceView, MarkPaidBody


@post("/api/shows/{show_id:str}/invoices/{invoice_id:str}/void", status_code=200)
async def void_invoice(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> InvoiceView:
    """Void an invoice that is not paid, at the provider and here. The buyer can be invoiced again."""
    return await invoices.void(caller.identity, show_id, invoice_id)


@post("/api/shows/{show_id:str}/invoices/{invoice_id:str}/mark-paid", status_code=200)
async def mark_invoice_paid(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    data: JSONBody[MarkPaidBody | None] = None,
) -> InvoiceView:
    """Record a payment taken outside the provider, there and here. The note is kept in the history."""
    return await invoices.mark_paid(caller.identity, show_id, invoice_id, data.note if data else "")


@post("/api/shows/{show_id:str}/invoices/{invoice_id:str}/finalize", status_code=200)
async def finalize_invoice(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> InvoiceView:
    """Bring a draft that is held back to the claims and prices of now, and make it payable."""
    return await invoices.finalize(caller.identity, show_id, invoice_id)


@post("/api/shows/{show_id:str}/invoices/{invoice_id:str}/update-draft", status_code=200)
async def update_draft(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> InvoiceView:
    """Bring a draft that is held back to the claims and prices of now. It stays a draft."""
    return await invoices.update_draft(caller.identity, show_id, invoice_id)


@post("/api/generations/{generation_id:str}/cancel", status_code=200)
async def cancel_generation(
    generation_id: FromPath[str], caller: NamedDependency[Principal], invoices: NamedDependency[Invoices]
) -> GenerationView:
    """Stop what a run has not begun. What is begun finishes; `finishedAt` is set when it has."""
    return await invoices.cancel(caller.identity, generation_id)


ROUTES: Final = Router(
    "/",
    route_handlers=[void_invoice, mark_invoice_paid, finalize_invoice, update_draft, cancel_generation],
    tags=["Invoices"],
)
