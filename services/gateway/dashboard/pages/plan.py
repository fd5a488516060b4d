"""The plan of a show that has invoices: what a run would make and change."""

import asyncio
from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.pages.framing import frame_of, terms_of
from services.gateway.dashboard.rendering import AnyRequest, render
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
) -> Response[bytes]:
    """The plan with these ticks. `moved` says that another one was pressed, which holds no more; `without` who was left
    out of it; `anew` that those were more than an address carries."""
    who, wishes = caller.identity, Wishes(bool(changes), bool(emails))
    show = await shows.get(who, show_id)
    summary, listed, plan = await asyncio.gather(
        invoices.summary(who, show_id),
        integrations.list(who),
        invoices.plan(who, show_id, apply_changes=wishes.changes, reissue_for_email=wishes.emails),
    )
    chosen = chosen_of(show_id, request.query_params)
    connection, left_out = connection_of(listed), frozenset(without.split(","))
    terms = await terms_of(integrations, who, connection)
    panel = Panel(
        "plan",
        connection,
        chosen,
        plan=plan_of(plan, wishes),
        moved=bool(moved),
        anew=bool(anew),
        without=left_out,
        terms=terms,
    )
    money = money_of(summary)
    values = {"show": show, "money": money, "panel": panel}
    return render(request, "show.html", values | await frame_of(browsing, who, show, money, "invoices"))


HANDLERS: Final = [plan_page]
