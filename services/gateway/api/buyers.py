"""Buyers: the rollup of a show, and their addresses."""

from typing import Final

from litestar import Response, Router, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.api.conditions import IfMatch, etag, etag_of
from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.backends.shows import Shows
from services.gateway.identity.principal import Principal
from services.gateway.schemas.shows import BuyerChange, BuyerPage, BuyerView


@get("/api/shows/{show_id:str}/buyers")
async def list_buyers(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> BuyerPage:
    """Each buyer with winner claims, and what they owe."""
    return await shows.list_buyers(caller.identity, show_id, page_size, page_token)


@patch("/api/buyers/{buyer_id:str}")
async def change_buyer(
    buyer_id: FromPath[str],
    data: JSONBody[BuyerChange],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    if_match: IfMatch = None,
) -> Response[BuyerView]:
    """Change a buyer's e-mail address or display name, for all shows."""
    buyer = await shows.update_buyer(caller.identity, buyer_id, data, etag_of(if_match))
    return Response(buyer, headers=etag(buyer.etag))


ROUTES: Final = Router("/", route_handlers=[list_buyers, change_buyer], tags=["Buyers"])
