"""All addresses of the dashboard, behind one handler for whatever goes wrong."""

from typing import Final

from litestar import Router
from litestar.exceptions import HTTPException, ValidationException

from services.gateway.dashboard.actions import (
    account,
    amending,
    editing,
    example,
    lifecycle,
    marks,
    renaming,
    sendings,
    session,
)
from services.gateway.dashboard.actions import integrations as integration_actions
from services.gateway.dashboard.actions import invoices as invoice_actions
from services.gateway.dashboard.actions import settings as settings_actions
from services.gateway.dashboard.actions import shows as show_actions
from services.gateway.dashboard.pages import (
    audit,
    chosen_export,
    connections,
    desk,
    integrations,
    invoice,
    join,
    oidc,
    plan,
    plans,
    sample,
    settings,
    show,
    show_tabs,
    shows,
    sign_in,
    strays,
)
from services.gateway.dashboard.problems import on_error

ROUTES: Final = Router(
    "/",
    route_handlers=[
        *sign_in.HANDLERS,
        *session.HANDLERS,
        *shows.HANDLERS,
        *show_actions.HANDLERS,
        *marks.HANDLERS,
        *show.HANDLERS,
        *show_tabs.HANDLERS,
        *editing.HANDLERS,
        *example.HANDLERS,
        *lifecycle.HANDLERS,
        *renaming.HANDLERS,
        *plan.HANDLERS,
        *plans.HANDLERS,
        *invoice.HANDLERS,
        *chosen_export.HANDLERS,
        *desk.HANDLERS,
        *strays.HANDLERS,
        *invoice_actions.HANDLERS,
        *sendings.HANDLERS,
        *amending.HANDLERS,
        *connections.HANDLERS,
        *integrations.HANDLERS,
        *sample.HANDLERS,
        *integration_actions.HANDLERS,
        *oidc.HANDLERS,
        *join.HANDLERS,
        *settings.HANDLERS,
        *audit.HANDLERS,
        *settings_actions.HANDLERS,
        *account.HANDLERS,
    ],
    exception_handlers={HTTPException: on_error, ValidationException: on_error, Exception: on_error},
    include_in_schema=False,
)
