"""A show's items, and its file of items."""

from typing import Annotated, Any, Final

from litestar import Request, Response, Router, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from services.gateway.api.conditions import IfMatch, etag, etag_of
from services.gateway.api.parameters import AllOrNothing, PageSize, PageToken
from services.gateway.backends.shows import BATCH, Shows
from services.gateway.idempotency import SAME_AGAIN
from services.gateway.identity.principal import Principal
from services.gateway.imports.items import Prices, import_items
from services.gateway.imports.upload import LARGEST_UPLOAD, uploaded_file
from services.gateway.schemas.shows import ImportReport, ItemChange, ItemPage, ItemsBody, ItemsTaken, ItemView

LARGEST_BODY: Final = 16 * 1024 * 1024


@get("/api/shows/{show_id:str}/items")
async def list_items(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> ItemPage:
    """The show's items by number."""
    return await shows.list_items(caller.identity, show_id, page_size, page_token)


@put("/api/shows/{show_id:str}/items", request_max_body_size=LARGEST_BODY)
async def put_items(
    show_id: FromPath[str],
    data: JSONBody[ItemsBody],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
) -> ItemsTaken:
    """Add items, or correct them by their number. The same again changes nothing. All or none up to 5,000 items."""
    taken = ItemsTaken()
    for start in range(0, len(data.items) or 1, BATCH):
        part = await shows.put_items(caller.identity, show_id, data.items[start : start + BATCH])
        taken.created += part.created
        taken.updated += part.updated
        taken.unchanged += part.unchanged
    return taken


@patch("/api/shows/{show_id:str}/items/{item_number:path}")
async def change_item(
    show_id: FromPath[str],
    item_number: FromPath[str],
    data: JSONBody[ItemChange],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    if_match: IfMatch = None,
) -> Response[ItemView]:
    """Correct one item's title, price or quantity. `price: null` makes it unpriced."""
    number = item_number.removeprefix("/")
    item = await shows.update_item(caller.identity, show_id, number, data, etag_of(if_match))
    return Response(item, headers=etag(item.etag))


@post(
    "/api/shows/{show_id:str}/imports/items",
    status_code=200,
    request_max_body_size=LARGEST_UPLOAD,
    opt={SAME_AGAIN: True},
)
async def import_items_file(
    show_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    all_or_nothing: AllOrNothing = False,
    prices: Annotated[Prices, QueryParameter(description="What the column price holds.")] = "minor",
) -> ImportReport:
    """Take items from a CSV file (text/csv, or the file of a form) of at most 50 MB.

    Columns: `item_number,title,price`, and if wanted `quantity,currency`, in any order and case. `price` is in minor
    units; instead of it, or beside it, `price_decimal` takes prices as people write them. Good lines are taken and
    bad ones named, unless `allOrNothing` is asked for. Sending the file again changes nothing.
    """
    async with uploaded_file(request) as file:
        return await import_items(file, shows, caller.identity, show_id, prices=prices, all_or_none=all_or_nothing)


ROUTES: Final = Router("/", route_handlers=[list_items, put_items, change_item, import_items_file], tags=["Items"])
