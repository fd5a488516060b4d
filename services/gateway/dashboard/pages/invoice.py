"""One invoice: what happened to it, and the questions before something is done that cannot be undone.

Each is a dialog for our script and a page of its own for a browser without it.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.common.addresses import BaseUrl
from services.common.context import Identity
from services.common.ids import new_id
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import InvoiceQuery, Invoices
from services.gateway.backends.sendings import Sendings
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, is_htmx, render
from services.gateway.dashboard.views.chosen import SIZES, uuids
from services.gateway.dashboard.views.links import Links, all_links, chosen_links
from services.gateway.dashboard.views.money import money_of
from services.gateway.dashboard.views.panel import connection_of
from services.gateway.dashboard.views.rows import row_of
from services.gateway.dashboard.views.timeline import timeline_of
from services.gateway.identity.members import Members
from services.gateway.identity.principal import Principal
from services.gateway.schemas.invoices import SummaryPartView

_MOST_SHOWN: Final = 200
_MOST_PEOPLE: Final = 1000


def dialog(request: AnyRequest, template: str, values: dict[str, Any]) -> Response[bytes]:
    """A dialog's inside, or the same as a page."""
    if is_htmx(request):
        return render(request, template, values)
    return render(request, "invoice.html", values | {"inside": template})


@get("/shows/{show_id:str}/invoices/{invoice_id:str}")
async def invoice_page(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    sendings: NamedDependency[Sendings],
    members: NamedDependency[Members],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """Lines, history, deliveries and openings."""
    who = caller.identity
    invoice, history, delivered, people = await asyncio.gather(
        invoices.get(who, show_id, invoice_id),
        invoices.history(who, show_id, invoice_id),
        sendings.deliveries_of(who, show_id, invoice_id, _MOST_SHOWN, ""),
        members.list(caller.workspace_id, _MOST_PEOPLE),
    )
    names = {one.user_id: one.name or one.email for one in people.items}
    values = {
        "row": row_of(invoice, base_url),
        "lines": invoice.lines,
        "events": timeline_of(invoice, history.items, delivered.items, names),
    }
    return dialog(request, "parts/dialog-timeline.html", values)


@get("/shows/{show_id:str}/invoices/{invoice_id:str}/void")
async def void_question(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """Whether it is really to be voided, with what is known of it now."""
    invoice = await invoices.get(caller.identity, show_id, invoice_id)
    return dialog(request, "parts/dialog-void.html", {"row": row_of(invoice, base_url)})


@get("/shows/{show_id:str}/invoices/{invoice_id:str}/mark-paid")
async def paid_question(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """Whether it was really paid elsewhere, and a note of how."""
    invoice = await invoices.get(caller.identity, show_id, invoice_id)
    return dialog(request, "parts/dialog-mark-paid.html", {"row": row_of(invoice, base_url)})


async def _chosen(invoices: Invoices, browsing: Browsing, who: Identity, show_id: str, chosen: Sequence[str]) -> Links:
    if not chosen:
        return chosen_links([], SummaryPartView(amount=0, count=0))
    rows, mailable = await asyncio.gather(
        invoices.list(who, show_id, InvoiceQuery(0, ids=chosen)), browsing.mailable(who, show_id, chosen)
    )
    return chosen_links(rows.items, mailable)


@get("/shows/{show_id:str}/send-all")
async def send_all_question(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
    ids: Annotated[str, QueryParameter(max_length=37 * SIZES[-1])] = "",
) -> Response[bytes]:
    """How many links would go out, of all or of the chosen, and how to reach whom Stripe cannot mail."""
    who, chosen = caller.identity, uuids(ids, SIZES[-1])
    show, listed = await asyncio.gather(shows.get(who, show_id), integrations.list_if_known(who))
    if ids:
        links = await _chosen(invoices, browsing, who, show_id, chosen)
    else:
        summary, mailable = await asyncio.gather(invoices.summary(who, show_id), browsing.mailable(who, show_id))
        links = all_links(money_of(summary), mailable)
    values = {
        "show": show,
        "links": links,
        "connection": connection_of(listed),
        "request_id": new_id(),  # sending the form twice is the same wish
    }
    return dialog(request, "parts/dialog-send-all.html", values)


HANDLERS: Final = [invoice_page, void_question, paid_question, send_all_question]
