"""A show's invoices, and what is done with them."""

from typing import Annotated, Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from services.gateway.api.parameters import IdempotencyKey, PageSize, PageToken, request_id_of
from services.gateway.backends.invoices import InvoiceQuery, Invoices
from services.gateway.identity.principal import Principal
from services.gateway.schemas.invoices import (
    GenerateBody,
    GenerationView,
    InvoiceDetail,
    InvoiceHistory,
    InvoicePage,
    InvoiceSort,
    InvoiceStatus,
    PlanView,
    RetryBody,
    RetryView,
    SendBody,
    SentView,
)


@get("/api/shows/{show_id:str}/invoices")
async def list_invoices(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    page_size: PageSize = 0,
    page_token: PageToken = "",
    status: Annotated[list[InvoiceStatus] | None, QueryParameter(description="Only invoices in these.")] = None,
    search: Annotated[
        str, QueryParameter(max_length=200, description="Part of a handle, a name, an e-mail address or a number.")
    ] = "",
    sort: Annotated[
        InvoiceSort,
        QueryParameter(description="By what; with a minus downwards. `status` puts first what needs attention."),
    ] = "",
) -> InvoicePage:
    """The show's invoices, with the position of the snapshot and the counts by status. A page token is of one sort."""
    wanted = InvoiceQuery(page_size, page_token, status or [], search, sort)
    return await invoices.list(caller.identity, show_id, wanted)


@get("/api/shows/{show_id:str}/invoices/plan")
async def plan_invoices(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    provider: Annotated[str, QueryParameter(max_length=50, description="Who is to invoice; by default Stripe.")] = "",
    apply_changes: Annotated[bool, QueryParameter(name="applyChanges", description="As for the run.")] = False,
    reissue_for_email: Annotated[bool, QueryParameter(name="reissueForEmail", description="As for the run.")] = False,
) -> PlanView:
    """What a generation would do: for each buyer, with money and warnings. Changes nothing."""
    return await invoices.plan(
        caller.identity, show_id, provider, apply_changes=apply_changes, reissue_for_email=reissue_for_email
    )


@post("/api/shows/{show_id:str}/invoices/generate", status_code=202)
async def generate_invoices(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    data: JSONBody[GenerateBody | None] = None,
    idempotency_key: IdempotencyKey = None,
) -> GenerationView:
    """Make one invoice for each buyer, of all or of the chosen ones. Runs on after the answer; again makes nothing.

    When claims moved since the plan of `planHash`, nothing is done, and the problem's `planHash` names the new plan.
    """
    request_id = request_id_of(idempotency_key, caller.identity, f"generate {show_id}")
    return await invoices.generate(caller.identity, show_id, data or GenerateBody(), request_id)


@post("/api/shows/{show_id:str}/invoices/retry", status_code=202)
async def retry_invoices(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    data: JSONBody[RetryBody | None] = None,
) -> RetryView:
    """Try invoices in status `error` again, all or the chosen ones; others are left alone."""
    return await invoices.retry(caller.identity, show_id, data.invoice_ids if data else [])


@get("/api/shows/{show_id:str}/invoices/{invoice_id:str}")
async def get_invoice(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> InvoiceDetail:
    """One invoice with its lines."""
    return await invoices.get(caller.identity, show_id, invoice_id)


@get("/api/shows/{show_id:str}/invoices/{invoice_id:str}/history")
async def get_history(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> InvoiceHistory:
    """Every change of an invoice's status, oldest first."""
    return await invoices.history(caller.identity, show_id, invoice_id)


@post("/api/shows/{show_id:str}/invoices/{invoice_id:str}/send", status_code=200)
async def send_invoice(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    data: JSONBody[SendBody | None] = None,
    idempotency_key: IdempotencyKey = None,
) -> SentView:
    """Deliver the checkout link. Without a channel by e-mail where that can be, else to copy by hand."""
    request_id = request_id_of(idempotency_key, caller.identity, f"send {invoice_id}")
    return await invoices.send(caller.identity, show_id, invoice_id, data.channel if data else None, request_id)


@get("/api/generations/{generation_id:str}")
async def get_generation(
    generation_id: FromPath[str], caller: NamedDependency[Principal], invoices: NamedDependency[Invoices]
) -> GenerationView:
    """One run with its counts."""
    return await invoices.generation(caller.identity, generation_id)


ROUTES: Final = Router(
    "/",
    route_handlers=[
        list_invoices,
        plan_invoices,
        generate_invoices,
        retry_invoices,
        get_invoice,
        get_history,
        send_invoice,
        get_generation,
    ],
    tags=["Invoices"],
)
