"""Payments that count for no invoice, over REST."""

from typing import Annotated, Final, TypeAlias

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.backends.strays import StrayPayments
from services.gateway.identity.principal import Principal
from services.gateway.schemas.strays import SettleStrayBody, StrayPaymentPage, StrayPaymentView

WithSettled: TypeAlias = Annotated[bool, QueryParameter(name="withSettled", description="Those too that are settled.")]


@get("/api/shows/{show_id:str}/stray-payments")
async def list_stray_payments(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    strays: NamedDependency[StrayPayments],
    page_size: PageSize = 0,
    page_token: PageToken = "",
    with_settled: WithSettled = False,
) -> StrayPaymentPage:
    """Payments that were made for what a late try had left at the provider: they count for no invoice.

    The `stray` of the summary is their sum, without those that are settled.
    """
    return await strays.list(caller.identity, show_id, page_size, page_token, with_settled=with_settled)


@post("/api/shows/{show_id:str}/stray-payments/{payment_id:str}/settle", status_code=200)
async def settle_stray_payment(
    show_id: FromPath[str],
    payment_id: FromPath[str],
    caller: NamedDependency[Principal],
    strays: NamedDependency[StrayPayments],
    data: JSONBody[SettleStrayBody],
) -> StrayPaymentView:
    """Say what became of such a payment. The provider is asked nothing: give the money back there first.

    Kept in the history of the invoice. The same again changes nothing and answers the payment as it is.
    """
    return await strays.settle(caller.identity, show_id, payment_id, data.settlement, data.note)


ROUTES: Final = Router("/", route_handlers=[list_stray_payments, settle_stray_payment], tags=["Invoices"])
