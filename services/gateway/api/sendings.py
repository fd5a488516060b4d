"""Links sent to many, every attempt to deliver one, and pay links revoked."""

from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.api.parameters import IdempotencyKey, PageSize, PageToken, request_id_of
from services.gateway.backends.sendings import Sendings
from services.gateway.identity.principal import Principal
from services.gateway.schemas.sendings import DeliveryPage, PayLinkView, SendingView, SendManyBody


@post("/api/shows/{show_id:str}/invoices/send", status_code=202)
async def send_invoices(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    sendings: NamedDependency[Sendings],
    data: JSONBody[SendManyBody | None] = None,
    idempotency_key: IdempotencyKey = None,
) -> SendingView:
    """Deliver the links of all unsent invoices, or of the chosen ones. Runs on after the answer; read how far it is."""
    request_id = request_id_of(idempotency_key, caller.identity, f"send {show_id}")
    return await sendings.begin(caller.identity, show_id, data or SendManyBody(), request_id)


@get("/api/sendings/{sending_id:str}")
async def get_sending(
    sending_id: FromPath[str], caller: NamedDependency[Principal], sendings: NamedDependency[Sendings]
) -> SendingView:
    """One run with its counts."""
    return await sendings.get(caller.identity, sending_id)


@get("/api/sendings/{sending_id:str}/deliveries")
async def list_deliveries_of_sending(
    sending_id: FromPath[str],
    caller: NamedDependency[Principal],
    sendings: NamedDependency[Sendings],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> DeliveryPage:
    """Every delivery of a run with its result; where links are sent by hand, with the messages to copy."""
    return await sendings.deliveries(caller.identity, sending_id, page_size, page_token)


@get("/api/shows/{show_id:str}/invoices/{invoice_id:str}/deliveries")
async def list_deliveries(
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    sendings: NamedDependency[Sendings],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> DeliveryPage:
    """Every attempt to deliver an invoice's link, oldest first."""
    return await sendings.deliveries_of(caller.identity, show_id, invoice_id, page_size, page_token)


@post("/api/shows/{show_id:str}/buyers/{buyer_id:str}/pay-link/revoke", status_code=200)
async def revoke_pay_link(
    show_id: FromPath[str],
    buyer_id: FromPath[str],
    caller: NamedDependency[Principal],
    sendings: NamedDependency[Sendings],
) -> PayLinkView:
    """Revoke a buyer's pay link and make a new one. The old one answers as if it had never been."""
    return await sendings.revoke_pay_link(caller.identity, show_id, buyer_id)


ROUTES: Final = Router(
    "/",
    route_handlers=[send_invoices, get_sending, list_deliveries_of_sending, list_deliveries, revoke_pay_link],
    tags=["Sending"],
)
