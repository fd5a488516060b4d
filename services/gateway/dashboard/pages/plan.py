"""The plan of a show that has invoices: what a run would make and change."""

import asyncio
from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.early import begun
from services.gateway.dashboard.pages.framing import frame_of, ready_of, terms_of
from services.gateway.dashboard.rendering import AnyRequest, is_htmx, render
from services.gateway.dashboard.views.chosen import chosen_of
from services.gateway.dashboard.views.money import money_of
from services.gateway.dashboard.views.panel import Panel, connection_of
from services.gateway.dashboard.views.plan import Wishes, plan_of
from services.gateway.identity.principal import Principal

MOST_LEFT_OUT: Final = 150
"""Ids that an address may carry: what stands before a gateway often takes no more than 8 kB."""


@get("/shows/{show_id:str}/plan")
async def plan_page(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
    integrations: NamedDependency[Integrations],
    browsing: NamedDependency[Browsing],
    changes: Annotated[str, QueryParameter(max_length=1)] = "",
    emails: Annotated[str, QueryParameter(max_length=1)] = "",
    moved: Annotated[str, QueryParameter(max_length=1)] = "",
    without: Annotated[str, QueryParameter(max_length=37 * MOST_LEFT_OUT)] = "",
    anew: Annotated[str, QueryParameter(max_length=1)] = "",
    send: Annotated[str, QueryParameter(max_length=1)] = "",
) -> Response[bytes] | Stream:
    """The plan with these ticks. `moved` says that another one was pressed, which holds no more; `without` who was left
    out of it; `anew` that those were more than an address carries; `send` whether links go out by themselves."""
    who, wishes = caller.identity, Wishes(bool(changes), bool(emails), send == "1" if send else None)
    show = await shows.get(who, show_id)
    summary, listed = await asyncio.gather(invoices.summary(who, show_id), integrations.list(who))
    connection, money = connection_of(listed), money_of(summary)
    panel = Panel(
        "plan",
        connection,
        chosen_of(show_id, request.query_params),
        moved=bool(moved),
        anew=bool(anew),
        without=frozenset(without.split(",")),
    )

    async def whole() -> Response[bytes]:
        plan, terms, frame = await asyncio.gather(
            invoices.plan(who, show_id, apply_changes=wishes.changes, reissue_for_email=wishes.emails),
            terms_of(integrations, who, connection),
            frame_of(browsing, who, show, money, "invoices"),
        )
        ready = await ready_of(panel, plan_of(plan, wishes), terms, integrations, who, show)
        values = {"show": show, "money": money, "panel": ready}
        return render(request, "show.html", values | frame)

    return await whole() if is_htmx(request) else begun(request, "show.html", {"show": show}, whole())


HANDLERS: Final = [plan_page]
