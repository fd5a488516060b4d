"""Invoices changed by hand, one or a file of them, and a run stopped."""

from typing import Any, Final

from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.api.parameters import AllOrNothing, ValidateOnly
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.idempotency import SAME_AGAIN
from services.gateway.identity.principal import Principal
from services.gateway.imports.marks import import_marks
from services.gateway.imports.upload import LARGEST_UPLOAD, uploaded_file
from services.gateway.schemas.invoices import GenerationView, InvoiceView, MarkPaidBody
from services.gateway.schemas.marks import MarksReport


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
    told = data or MarkPaidBody()
    return await invoices.mark_paid(caller.identity, show_id, invoice_id, told.note, told.amount)


@post(
    "/api/shows/{show_id:str}/imports/invoices",
    status_code=200,
    request_max_body_size=LARGEST_UPLOAD,
    opt={SAME_AGAIN: True},
)
async def import_invoices_file(
    show_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    all_or_nothing: AllOrNothing = False,
    validate_only: ValidateOnly = False,
) -> MarksReport:
    """Mark invoices as paid outside the provider, from a CSV file (text/csv, or the file of a form) of at most 50 MB.

    Columns: `invoice_id` or `number`, and `paid_outside`: how it was paid, or `yes`; empty leaves the invoice as it
    is. An exported file of invoices fits as it is. Where `total_decimal`, `total_minor` or `currency` are there, they
    must be what the invoice asks for. Nothing is made, priced or voided. Each line is checked at once and marked by a
    run in the background; good lines are taken and bad ones named, unless `allOrNothing` is asked for. Sending the
    file again changes nothing.
    """
    async with uploaded_file(request) as file:
        who = caller.identity
        return await import_marks(
            file, shows, invoices, who, show_id, all_or_none=all_or_nothing, validate_only=validate_only
        )


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
    route_handlers=[
        void_invoice,
        mark_invoice_paid,
        import_invoices_file,
        finalize_invoice,
        update_draft,
        cancel_generation,
    ],
    tags=["Invoices"],
)
