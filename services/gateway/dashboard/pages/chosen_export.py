"""The invoices that somebody chose in the list, as a file."""

from typing import Final

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from services.common.addresses import BaseUrl
from services.gateway.backends.invoices import InvoiceQuery, Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest
from services.gateway.dashboard.views.chosen import chosen_ids
from services.gateway.exports.files import file_name, opened
from services.gateway.exports.tables import INVOICES, Context
from services.gateway.identity.principal import Principal


@post("/shows/{show_id:str}/export-chosen", status_code=200)
async def export_chosen(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Stream:
    """The same columns as the file of all. It changes nothing: an address would not carry the ids of many."""
    who = caller.identity
    show, query = await shows.get(who, show_id), InvoiceQuery(0, ids=chosen_ids(await request.form()))
    context = Context(show.currency, base_url)
    pieces = await opened(lambda _: invoices.list(who, show_id, query), INVOICES, context, bom=True)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(show.name, "chosen-invoices")}"'}
    return Stream(pieces, media_type="text/csv", headers=headers)


HANDLERS: Final = [export_chosen]
