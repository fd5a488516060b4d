"""The list of shows, and the form for a new one."""

import asyncio
from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.common.ids import new_id
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, go, render
from services.gateway.dashboard.views.money import money_of
from services.gateway.identity.principal import Principal

_MOST_SHOWN: Final = 25
CURRENCIES: Final = ("USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "SGD")


@get("/")
async def home(request: AnyRequest) -> Response[bytes]:
    return go(request, "/shows")


@get("/shows")
async def shows_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    page: Annotated[str, QueryParameter(max_length=2000)] = "",
) -> Response[bytes]:
    """Shows, newest first, each with its money."""
    found = await shows.list(caller.identity, _MOST_SHOWN, page)
    sums = await asyncio.gather(*(invoices.summary(caller.identity, show.id) for show in found.items))
    listed = [(show, money_of(summary)) for show, summary in zip(found.items, sums, strict=True)]
    values = {"shows": listed, "next_page": found.next_page_token, "later_page": bool(page)}
    return render(request, "shows.html", values)


@get("/shows/new")
async def new_show_page(
    request: AnyRequest, caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> Response[bytes]:
    stripe = next((one for one in await integrations.list(caller.identity) if one.provider == "stripe"), None)
    currency = ""
    if stripe is not None and stripe.connected:
        currency = (await integrations.get(caller.identity, "stripe")).settings.default_currency.upper()
    return render(request, "show-new.html", new_show_form(currency=currency or "USD"))


def new_show_form(
    *, name: str = "", currency: str = "USD", request_id: str = "", problems: list[str] | None = None
) -> dict[str, object]:
    """Values of the form. Sending it again with the same request id makes no second show."""
    return {
        "name": name,
        "currency": currency,
        "currencies": sorted({*CURRENCIES, currency}),
        "request_id": request_id or new_id(),
        "problems": problems or [],
    }


@get("/shows/{show_id:str}/import")
async def import_page(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    show = await shows.get(caller.identity, show_id)
    return render(request, "show-import.html", {"show": show, "reports": [], "problems": []})


HANDLERS: Final = [home, shows_page, new_show_page, import_page]
