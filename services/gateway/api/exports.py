"""A show's items, claims, buyers and invoices as CSV files."""

from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from services.common.addresses import BaseUrl
from services.common.context import Identity
from services.gateway.backends.invoices import InvoiceQuery, Invoices
from services.gateway.backends.shows import Shows
from services.gateway.exports.files import PAGE, file_name, opened
from services.gateway.exports.tables import BUYERS, CLAIMS, INVOICES, ITEMS, Context
from services.gateway.identity.principal import Principal

TableName = Literal["items", "claims", "buyers", "invoices"]
Bom = Annotated[bool, QueryParameter(description="Begin with a byte order mark, as spreadsheets like it.")]


@get("/api/shows/{show_id:str}/exports/{table:str}", media_type="text/csv")
async def export_file(
    show_id: FromPath[str],
    table: FromPath[TableName],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
    bom: Bom = False,
) -> Stream:
    """The show's `items`, `claims`, `buyers` or `invoices` as a CSV file in UTF-8.

    Money stands in a decimal column and in one of minor units. Text that a spreadsheet would run as a formula is
    marked with an apostrophe. Files of items, claims and buyers can be imported again, and give the same; so can that
    of invoices, which marks those as paid outside the provider whose `paid_outside` was filled in meanwhile.
    """
    show = await shows.get(caller.identity, show_id)
    context = Context(show.currency, base_url)
    pieces = await _pieces(table, caller.identity, show_id, shows, invoices, context, bom=bom)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(show.name, table)}"'}
    return Stream(pieces, media_type="text/csv", headers=headers)


async def _pieces(
    table: TableName, caller: Identity, show_id: str, shows: Shows, invoices: Invoices, context: Context, *, bom: bool
) -> AsyncIterator[bytes]:
    match table:
        case "items":
            return await opened(lambda at: shows.list_items(caller, show_id, PAGE, at), ITEMS, context, bom=bom)
        case "claims":
            return await opened(lambda at: shows.list_claims(caller, show_id, PAGE, at, None), CLAIMS, context, bom=bom)
        case "buyers":
            return await opened(lambda at: shows.list_buyers(caller, show_id, PAGE, at), BUYERS, context, bom=bom)
        case "invoices":
            return await opened(
                lambda at: invoices.list(caller, show_id, InvoiceQuery(page_size=PAGE, page_token=at)),
                INVOICES,
                context,
                bom=bom,
            )


ROUTES: Final = Router("/", route_handlers=[export_file], tags=["Exports"])
