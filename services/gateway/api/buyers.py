"""Buyers: the rollup of a show, their addresses, and the file of buyers."""

from functools import partial
from typing import Any, Final

from litestar import Request, Response, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.api.conditions import IfMatch, etag, etag_of
from services.gateway.api.parameters import AllOrNothing, PageSize, PageToken
from services.gateway.backends.shows import Shows
from services.gateway.idempotency import SAME_AGAIN
from services.gateway.identity.principal import Principal
from services.gateway.imports.buyers import BUYERS
from services.gateway.imports.taking import take_file
from services.gateway.imports.upload import LARGEST_UPLOAD, uploaded_file
from services.gateway.schemas.shows import BuyerChange, BuyerPage, BuyerView, ImportReport


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


@post(
    "/api/shows/{show_id:str}/imports/buyers",
    status_code=200,
    request_max_body_size=LARGEST_UPLOAD,
    opt={SAME_AGAIN: True},
)
async def import_buyers_file(
    show_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    all_or_nothing: AllOrNothing = False,
) -> ImportReport:
    """Take names and addresses of buyers from a CSV file (text/csv, or the file of a form) of at most 50 MB.

    Columns: `platform,platform_user_id`, and if wanted `user_handle,display_name,email`, in any order and case; an
    exported file of buyers fits as it is. What is filled in replaces what was known in all shows, what is empty leaves
    it. Somebody who has won nothing yet is kept for their first claim. Good lines are taken and bad ones named, unless
    `allOrNothing` is asked for. Sending the file again changes nothing.
    """
    async with uploaded_file(request) as file:
        send = partial(shows.stream_buyers, caller.identity, show_id)
        return await take_file(file, BUYERS, send, all_or_none=all_or_nothing)


ROUTES: Final = Router("/", route_handlers=[list_buyers, change_buyer, import_buyers_file], tags=["Buyers"])
