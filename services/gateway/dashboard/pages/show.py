"""A show with its invoice panel, and the parts of it that live updates ask for."""

import asyncio
import uuid
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.common.addresses import BaseUrl
from services.common.context import Identity
from services.common.errors import Kind
from services.common.status import RemoteError
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import InvoiceQuery, Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.pages.framing import frame_of
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.dashboard.views.money import Money, money_of
from services.gateway.dashboard.views.panel import (
    MOST_SHOWN,
    Connection,
    Panel,
    connection_of,
    progress_of,
    ready_of,
    state_of,
)
from services.gateway.dashboard.views.rows import row_of
from services.gateway.dashboard.views.statuses import FILTERS, Filter
from services.gateway.identity.principal import Principal
from services.gateway.schemas.invoices import GenerationView, InvoiceDetail

_MOST_AT_ONCE: Final = 100


@get("/shows/{show_id:str}")
async def show_page(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
    base_url: NamedDependency[BaseUrl],
    status: Annotated[Filter, QueryParameter()] = "",
    page: Annotated[str, QueryParameter(max_length=2000)] = "",
    run: Annotated[str, QueryParameter(max_length=100)] = "",
) -> Response[bytes]:
    """The whole page; our script takes the panel out of it."""
    who = caller.identity
    show = await shows.get(who, show_id)  # its position first: what changes while the rest is read counts as news
    summary, listed, running = await asyncio.gather(
        invoices.summary(who, show_id), integrations.list(who), _run(invoices, who, show_id, run)
    )
    money, connection = money_of(summary), connection_of(listed)
    panel = Panel(state_of(show, money, connection), connection)
    if panel.state == "ready":
        panel = Panel("ready", connection, ready=ready_of(await invoices.plan(who, show_id)))
    elif panel.state == "list":
        panel = await _list(invoices, who, show_id, money, connection, running, base_url, status, page)
    values = {"show": show, "money": money, "panel": panel}
    return render(request, "show.html", values | await frame_of(browsing, who, show, money, "invoices"))


async def _run(invoices: Invoices, who: Identity, show_id: str, run: str) -> GenerationView | None:
    """The run that the address names, if there is such a run of this show."""
    if not run:
        return None
    try:
        found = await invoices.generation(who, run)
    except RemoteError as error:
        if error.kind in (Kind.NOT_FOUND, Kind.INVALID):
            return None
        raise
    return found if found.show_id == show_id else None


async def _list(
    invoices: Invoices,
    who: Identity,
    show_id: str,
    money: Money,
    connection: Connection,
    run: GenerationView | None,
    base_url: str,
    status: Filter,
    page: str,
) -> Panel:
    found = await invoices.list(who, show_id, InvoiceQuery(MOST_SHOWN, page, FILTERS[status]))
    # Only where buyers are left: for most shows there is nothing to plan any more.
    plan = await invoices.plan(who, show_id) if money.uninvoiced_count and connection.connected else None
    return Panel(
        "list",
        connection,
        ready=ready_of(plan) if plan else None,
        progress=progress_of(money, run),
        rows=[row_of(invoice, base_url) for invoice in found.items],
        chosen=status,
        next_page=found.next_page_token,
        later_page=bool(page),
        matching=next(count for key, _, count in [*money.pills, (status, "", 0)] if key == status),
    )


@get("/shows/{show_id:str}/invoices/rows")
async def invoice_rows(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
    ids: Annotated[str, QueryParameter(max_length=37 * _MOST_AT_ONCE)] = "",
    status: Annotated[Filter, QueryParameter()] = "",
) -> Response[bytes]:
    """The named rows as they are now, with the figures and counts; each goes to its own place on the page."""
    who = caller.identity
    summary, found = await asyncio.gather(
        invoices.summary(who, show_id),
        asyncio.gather(*(_invoice(invoices, who, show_id, one) for one in _uuids(ids))),
    )
    rows = [row_of(invoice, base_url, fresh=True) for invoice in found if invoice is not None]
    values: dict[str, Any] = {
        "money": money_of(summary),
        "rows": rows,
        "show_id": show_id,
        "chosen": status,
    }
    return render(request, "parts/refresh.html", values)


async def _invoice(invoices: Invoices, who: Identity, show_id: str, invoice_id: str) -> InvoiceDetail | None:
    try:
        return await invoices.get(who, show_id, invoice_id)
    except RemoteError as error:
        if error.kind is Kind.NOT_FOUND:
            return None
        raise


def _uuids(text: str) -> list[str]:
    found: dict[str, None] = {}
    for word in text.split(",")[:_MOST_AT_ONCE]:
        try:
            found[str(uuid.UUID(word))] = None
        except ValueError:
            continue
    return list(found)


HANDLERS: Final = [show_page, invoice_rows]
