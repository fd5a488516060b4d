"""Payments of a show that count for no invoice: which they are, and what somebody says became of them."""

import asyncio
from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.backends.strays import StrayPayments
from services.gateway.dashboard.pages.invoice import dialog
from services.gateway.dashboard.rendering import AnyRequest, go, is_htmx, render, toast
from services.gateway.dashboard.views.money import money_of
from services.gateway.identity.principal import Principal

_MOST_SHOWN: Final = 50


@get("/shows/{show_id:str}/stray-payments")
async def stray_question(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    strays: NamedDependency[StrayPayments],
) -> Response[bytes]:
    """Each with its buyer and its page at the provider, and the question of what became of it."""
    show, page = await asyncio.gather(
        shows.get(caller.identity, show_id), strays.list(caller.identity, show_id, _MOST_SHOWN, "")
    )
    values = {"show": show, "payments": page.items, "more": bool(page.next_page_token)}
    return dialog(request, "parts/dialog-strays.html", values)


@post("/shows/{show_id:str}/stray-payments/{payment_id:str}/settle", status_code=200)
async def settle(
    request: AnyRequest,
    show_id: FromPath[str],
    payment_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    strays: NamedDependency[StrayPayments],
) -> Response[bytes]:
    """Answers the show's figures as they are then; a browser without our script goes back to the show."""
    who, form = caller.identity, await request.form()
    settlement, note = (str(form.get(name, "")) for name in ("settlement", "note"))
    await strays.settle(who, show_id, payment_id, settlement, note[:1000])
    if not is_htmx(request):
        return go(request, f"/shows/{show_id}")
    money = money_of(await invoices.summary(who, show_id))
    said = toast("ok", "Payment settled", "The timeline of the invoice says how.")
    return render(request, "parts/summary.html", {"money": money, "show_id": show_id}, headers=said)


HANDLERS: Final = [stray_question, settle]
