"""A show with its invoice panel, and the parts of it that live updates ask for."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from services.common.addresses import BaseUrl
from services.common.context import Identity
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import InvoiceQuery, Invoices
from services.gateway.backends.sendings import Sendings
from services.gateway.backends.shows import Shows
from services.gateway.backends.verification import Verification
from services.gateway.dashboard.early import begun
from services.gateway.dashboard.pages.following import run_of, sending_progress
from services.gateway.dashboard.pages.framing import frame_of, ready_of, terms_of
from services.gateway.dashboard.rendering import AnyRequest, is_htmx, render
from services.gateway.dashboard.views.chosen import chosen_of, columns_of, uuids
from services.gateway.dashboard.views.money import Money, money_of, pills_of
from services.gateway.dashboard.views.panel import Panel, are_rehearsed, connection_of, state_of
from services.gateway.dashboard.views.plan import plan_of
from services.gateway.dashboard.views.progress import progress_of
from services.gateway.dashboard.views.rows import row_of
from services.gateway.identity.principal import Principal
from services.gateway.schemas.verification import HearingView

_MOST_AT_ONCE: Final = 100


@get("/shows/{show_id:str}")
async def show_page(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    sendings: NamedDependency[Sendings],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
    verification: NamedDependency[Verification],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes] | Stream:
    """The whole page; our script takes the panel out of it."""
    who, chosen = caller.identity, chosen_of(show_id, request.query_params)
    show = await shows.get(who, show_id)  # its position first: what changes while the rest is read counts as news
    summary, listed = await asyncio.gather(invoices.summary(who, show_id), integrations.list_if_known(who))
    money, connection = money_of(summary), connection_of(listed)
    # Whoever comes while somebody else sends links sees how far it is.
    chosen = replace(chosen, sending=chosen.sending or summary.running_sending_id)
    state = state_of(show, money, connection)

    async def whole() -> Response[bytes]:
        panel = Panel(state, connection, chosen)
        if state == "plan":
            plan, terms = await asyncio.gather(invoices.plan(who, show_id), terms_of(integrations, who, connection))
            panel = await ready_of(panel, plan_of(plan), terms, integrations, who, show)
        elif state == "list":
            panel = await _list(panel, invoices, sendings, verification, who, money, base_url)
        values = {"show": show, "money": money, "panel": panel}
        return render(request, "show.html", values | await frame_of(browsing, who, show, money, "invoices"))

    early = state == "plan" and not is_htmx(request)  # thousands of buyers take a while to plan
    return begun(request, "show.html", {"show": show}, whole()) if early else await whole()


async def _list(
    panel: Panel,
    invoices: Invoices,
    sendings: Sendings,
    verification: Verification,
    who: Identity,
    money: Money,
    base_url: str,
) -> Panel:
    chosen = panel.chosen
    run = await run_of(invoices, who, chosen)
    progress = progress_of(money, run)
    # Only where something is left to do: for most shows there is nothing to plan any more.
    able = panel.connection.connected and panel.connection.known
    undone = able and progress is None and bool(money.uninvoiced_count or money.moved_count)
    found, plan, sending, hearing = await asyncio.gather(
        invoices.list(who, chosen.show_id, chosen.query(running=progress is not None)),
        _plan(invoices, who, chosen.show_id, wanted=undone),
        sending_progress(sendings, who, chosen),
        _hearing(verification, who, wanted=panel.connection.healthy),
    )
    pills = pills_of(found.counts)
    return replace(
        panel,
        plan=plan,
        progress=progress,
        finished=run if progress is None else None,
        sending=sending,
        hearing=hearing,
        pills=pills,
        columns=columns_of(chosen),
        rows=[row_of(invoice, base_url) for invoice in found.items],
        next_page=found.next_page_token,
        rehearsed=able and are_rehearsed(panel.connection, found.items),
        matching=next((count for key, _, count in pills if key == chosen.status), 0),
    )


async def _hearing(verification: Verification, who: Identity, *, wanted: bool) -> HearingView | None:
    return await verification.hearing_if_known(who, "stripe") if wanted else None


async def _plan(invoices: Invoices, who: Identity, show_id: str, *, wanted: bool) -> Any:
    return plan_of(await invoices.plan(who, show_id)) if wanted else None


@get("/shows/{show_id:str}/invoices/rows")
async def invoice_rows(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
    ids: Annotated[str, QueryParameter(max_length=37 * _MOST_AT_ONCE)] = "",
) -> Response[bytes]:
    """The named rows as they are now, with the figures and counts; each goes to its own place on the page."""
    who, chosen, wanted = caller.identity, chosen_of(show_id, request.query_params), uuids(ids, _MOST_AT_ONCE)
    # Without rows to read, a page of one: the counts are what is asked for.
    query = InvoiceQuery(0 if wanted else 1, search=chosen.search, ids=wanted)
    summary, found = await asyncio.gather(invoices.summary(who, show_id), invoices.list(who, show_id, query))
    rows = [row_of(invoice, base_url, fresh=True) for invoice in found.items] if wanted else []
    values = {"money": money_of(summary), "rows": rows, "pills": pills_of(found.counts), "chosen": chosen}
    return render(request, "parts/refresh.html", values)


HANDLERS: Final = [show_page, invoice_rows]
