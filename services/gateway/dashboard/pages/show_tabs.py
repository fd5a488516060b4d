"""A show's items, claims and buyers, with filters, search and pages in the address; and the picture of its money."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeAlias

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.common.addresses import BaseUrl
from services.gateway.backends.browsing import Browsing, Wanted
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.pages.framing import framed, picture_of
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.dashboard.views.money import money_of
from services.gateway.dashboard.views.tabs import CLAIM_LABELS, MOST_ROWS, View
from services.gateway.dashboard.views.trend import trend_of
from services.gateway.identity.principal import Principal
from services.gateway.schemas.browsing import ItemFilter
from services.gateway.schemas.shows import ClaimStatus

Page: TypeAlias = Annotated[str, QueryParameter(max_length=2000)]
Search: TypeAlias = Annotated[str, QueryParameter(name="q", max_length=200)]


@get("/shows/{show_id:str}/items")
async def items_page(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
    chosen: Annotated[ItemFilter, QueryParameter(name="filter")] = "",
    search: Search = "",
    first: Annotated[Literal["", "unpriced"], QueryParameter()] = "",
    page: Page = "",
) -> Response[bytes]:
    """By number, or those without a price first."""
    frame = await framed(caller.identity, show_id, "items", shows, invoices, integrations, browsing)
    view = View(f"/shows/{show_id}/items", chosen, search, page, unpriced_first=first == "unpriced")
    wanted = Wanted(MOST_ROWS, page, search)
    found = await browsing.items(caller.identity, show_id, wanted, chosen, unpriced_first=view.unpriced_first)
    pills = [
        view.pill("", "All", found.all_count),
        view.pill("claimed", "Claimed", found.claimed_count),
        view.pill("unclaimed", "Unclaimed", found.all_count - found.claimed_count),
        view.pill("unpriced", "No price", found.unpriced_count),
    ]
    return render(request, "show-items.html", frame | {"view": view, "found": found, "pills": pills})


@get("/shows/{show_id:str}/claims")
async def claims_page(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
    status: Annotated[ClaimStatus | None, QueryParameter()] = None,
    search: Search = "",
    page: Page = "",
) -> Response[bytes]:
    """The newest first."""
    frame = await framed(caller.identity, show_id, "claims", shows, invoices, integrations, browsing)
    view = View(f"/shows/{show_id}/claims", status or "", search, page, key="status")
    found = await browsing.claims(caller.identity, show_id, Wanted(MOST_ROWS, page, search), status)
    pills = [view.pill("", "All", sum(found.counts.values()))]
    pills += [view.pill(name, label, found.counts.get(name, 0)) for name, label in CLAIM_LABELS.items()]
    return render(request, "show-claims.html", frame | {"view": view, "found": found, "pills": pills})


@get("/shows/{show_id:str}/buyers")
async def buyers_page(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
    base_url: NamedDependency[BaseUrl],
    search: Search = "",
    page: Page = "",
) -> Response[bytes]:
    """By handle."""
    frame = await framed(caller.identity, show_id, "buyers", shows, invoices, integrations, browsing)
    view = View(f"/shows/{show_id}/buyers", search=search, page=page)
    found = await browsing.buyers(caller.identity, show_id, Wanted(MOST_ROWS, page, search))
    return render(request, "show-buyers.html", frame | {"view": view, "found": found, "base_url": str(base_url)})


@get("/shows/{show_id:str}/trend")
async def trend_part(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    browsing: NamedDependency[Browsing],
) -> Response[bytes]:
    """The picture anew, after a payment."""
    money = money_of(await invoices.summary(caller.identity, show_id))
    points, owed = await picture_of(browsing, caller.identity, show_id, money)
    values = {"trend": trend_of(points, money.claimed, datetime.now(UTC)), "owed": owed}
    return render(request, "parts/trend.html", values | {"money": money, "show_id": show_id})


HANDLERS: Final = [items_page, claims_page, buyers_page, trend_part]
