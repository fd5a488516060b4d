"""The list of shows, and the form for a new one."""

from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.common.ids import new_id
from services.gateway.backends.browsing import Browsing, Wanted
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, go, render
from services.gateway.dashboard.views.beginning import steps_of
from services.gateway.dashboard.views.chosen_shows import STATES, ChosenShows, pills_of
from services.gateway.dashboard.views.panel import connection_of
from services.gateway.identity.principal import Principal
from services.gateway.schemas.shows import ShowView

_MOST_SHOWN: Final = 25
CURRENCIES: Final = ("USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "SGD")


@get("/")
async def home(request: AnyRequest) -> Response[bytes]:
    return go(request, "/shows")


@get("/shows")
async def shows_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    browsing: NamedDependency[Browsing],
    integrations: NamedDependency[Integrations],
    page: Annotated[str, QueryParameter(max_length=2000)] = "",
    q: Annotated[str, QueryParameter(max_length=200)] = "",
    only: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Response[bytes]:
    """Shows, newest first, each with its money; and what is left to do until a first invoice is paid."""
    chosen = ChosenShows(only if only in STATES else "", q.strip(), page)
    found = await browsing.shows(caller.identity, Wanted(_MOST_SHOWN, page, chosen.search), STATES[chosen.state])
    narrowed = bool(page or chosen.search or chosen.state)
    beginner = not narrowed and not found.next_page and not any(row.collected for row in found.rows)
    connection = connection_of(await integrations.list_if_known(caller.identity) if beginner else None)
    steps = steps_of(found.rows, connection) if beginner and connection.known else []
    values = {"shows": found.rows, "next_page": found.next_page, "chosen": chosen, "narrowed": narrowed, "steps": steps}
    values["pills"] = pills_of(found.counts)
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
    *,
    name: str = "",
    currency: str = "USD",
    starts: str = "",
    request_id: str = "",
    problems: list[str] | None = None,
) -> dict[str, object]:
    """Values of the form. Sending it again with the same request id makes no second show."""
    return {
        "name": name,
        "currency": currency,
        "currencies": sorted({*CURRENCIES, currency}),
        "starts": starts,
        "request_id": request_id or new_id(),
        "problems": problems or [],
    }


def imported(show: ShowView, **told: Any) -> dict[str, Any]:
    """The page of imports, with what became of files: those of `reports`, that of invoices, what was refused."""
    return {"show": show, "reports": [], "marks": None, "run": "", "problems": [], "faults": []} | told


@get("/shows/{show_id:str}/import")
async def import_page(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    show = await shows.get(caller.identity, show_id)
    return render(request, "show-import.html", imported(show))


HANDLERS: Final = [home, shows_page, new_show_page, import_page]
