"""Connections to payment providers."""

from typing import Final

from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.backends.integrations import Integrations
from services.gateway.identity.principal import Principal
from services.gateway.schemas.integrations import (
    AuditPage,
    ConnectedView,
    DisconnectedView,
    HealthReport,
    IntegrationList,
    IntegrationView,
    StripeKeys,
)

STRIPE: Final = "stripe"


@get("/api/integrations")
async def list_integrations(
    caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> IntegrationList:
    """Every provider of the catalogue, with the workspace's connection to it."""
    return IntegrationList(await integrations.list(caller.identity))


@get("/api/integrations/stripe")
async def get_stripe(
    caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> IntegrationView:
    """The workspace's connection to Stripe."""
    return await integrations.get(caller.identity, STRIPE)


@post("/api/integrations/stripe/connect", status_code=200)
async def connect_stripe(
    data: JSONBody[StripeKeys], caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> ConnectedView:
    """Connect Stripe with the operator's own keys. Nothing is stored when a check fails."""
    credentials = {"secret_key": data.secret_key, "publishable_key": data.publishable_key}
    return await integrations.connect(caller.identity, STRIPE, credentials)


@get("/api/integrations/stripe/test")
async def check_stripe(caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]) -> HealthReport:
    """Ask Stripe, with a live call, whether the connection works. An unhealthy one is an answer, not an error."""
    return await integrations.test(caller.identity, STRIPE)


@get("/api/integrations/stripe/audit")
async def audit_stripe(
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> AuditPage:
    """What was done with the workspace's Stripe keys, by whom and when. For owners."""
    return await integrations.audit(caller.identity, STRIPE, page_size, page_token)


@delete("/api/integrations/stripe", status_code=200)
async def disconnect_stripe(
    caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> DisconnectedView:
    """Disconnect Stripe: our webhook endpoint is deleted there, then the sealed keys are destroyed."""
    return await integrations.disconnect(caller.identity, STRIPE)


ROUTES: Final = Router(
    "/",
    route_handlers=[list_integrations, get_stripe, connect_stripe, check_stripe, audit_stripe, disconnect_stripe],
    tags=["Integrations"],
)
