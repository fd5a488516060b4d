"""One invoice: what happened to it, and the questions before something is done that cannot be undone.

Each is a dialog for our script and a page of its own for a browser without it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.addresses import BaseUrl
from services.common.ids import new_id
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import InvoiceQuery, Invoices
from services.gateway.backends.sendings import Sendings
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, is_htmx, render
from services.gateway.dashboard.views.chosen import chosen_ids
from services.gateway.dashboard.views.links import Links, all_links, chosen_links
from services.gateway.dashboard.views.money import money_of
from services.gateway.dashboard.views.panel import connection_of
from services.gateway.dashboard.views.rows import row_of
from services.gateway.dashboard.views.timeline import timeline_of
from services.gateway.identity.members import Members
from services.gateway.identity.principal import Principal
from services.gateway.schemas.integrations import ListedIntegrationView
from services.gateway.schemas.shows import ShowView

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


@get("/shows/{show_id:str}/send-all")
async def send_all_question(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
) -> Response[bytes]:
    """How many links would go out, and how to reach whom Stripe cannot mail."""
    who = caller.identity
    show, listed, summary, mailable = await asyncio.gather(
        shows.get(who, show_id),
        integrations.list_if_known(who),
        invoices.summary(who, show_id),
        browsing.mailable(who, show_id),
    )
    return _question(request, show, listed, all_links(money_of(summary), mailable))


@post("/shows/{show_id:str}/send-chosen", status_code=200)
async def send_chosen_question(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
) -> Response[bytes]:
    """The same of the chosen ones. It changes nothing: an address would not carry the ids of many."""
    who = caller.identity
    show = await shows.get(who, show_id)
    chosen = chosen_ids(await request.form())
    listed, page, mailable = await asyncio.gather(
        integrations.list_if_known(who),
        invoices.list(who, show_id, InvoiceQuery(0, ids=chosen)),
        browsing.mailable(who, show_id, chosen),
    )
    return _question(request, show, listed, chosen_links(page.items, mailable))


def _question(
    request: AnyRequest, show: ShowView, listed: Sequence[ListedIntegrationView] | None, links: Links
) -> Response[bytes]:
    values = {
        "show": show,
        "links": links,
        "connection": connection_of(listed),
        "request_id": new_id(),  # sending the form twice is the same wish
    }
    return dialog(request, "parts/dialog-send-all.html", values)


HANDLERS: Final = [invoice_page, void_question, paid_question, send_all_question, send_chosen_question]
