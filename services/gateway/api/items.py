"""A show's items, and its file of items."""

from typing import Any, Final

from litestar import Request, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.backends.shows import BATCH, Shows
from services.gateway.idempotency import SAME_AGAIN
from services.gateway.identity.principal import Principal
from services.gateway.imports.items import import_items
from services.gateway.imports.upload import LARGEST_FILE, uploaded_file
from services.gateway.schemas.shows import ImportReport, ItemPage, ItemsBody, ItemsTaken

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


@post(
    "/api/shows/{show_id:str}/imports/items",
    status_code=200,
    request_max_body_size=LARGEST_FILE,
    opt={SAME_AGAIN: True},
)
async def import_items_file(
    show_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
) -> ImportReport:
    """Take items from a CSV file (text/csv, or the file of a form): `item_number,title,price[,quantity]`."""
    async with uploaded_file(request) as file:
        return await import_items(file, shows, caller.identity, show_id)


ROUTES: Final = Router("/", route_handlers=[list_items, put_items, import_items_file], tags=["Items"])
