"""Connections to payment providers."""

import re
from typing import Final

from litestar import Response, Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.common.addresses import BaseUrl
from services.gateway.api.conditions import IfMatch, etag, etag_of
from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.identity.principal import Principal
from services.gateway.previews import values_of
from services.gateway.schemas.integrations import (
    ApiKey,
    AuditPage,
    ConnectedView,
    DisconnectedView,
    HealthReport,
    IntegrationList,
    IntegrationSettingsChange,
    IntegrationSettingsView,
    IntegrationView,
    PreviewBody,
    PreviewView,
    StripeKeys,
)

STRIPE: Final = "stripe"
_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")


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


@put("/api/integrations/stripe/credentials")
async def replace_stripe_keys(
    data: JSONBody[StripeKeys], caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> ConnectedView:
    """Replace the keys in place: the same account and mode. The old keys work until the new ones passed every check."""
    credentials = {"secret_key": data.secret_key, "publishable_key": data.publishable_key}
    return await integrations.replace_credentials(caller.identity, STRIPE, credentials)


@get("/api/integrations/{provider:str}")
async def get_integration(
    provider: FromPath[str], caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> IntegrationView:
    """The workspace's connection to a provider."""
    return await integrations.get(caller.identity, provider)


@post("/api/integrations/{provider:str}/connect", status_code=200)
async def connect_integration(
    provider: FromPath[str],
    data: JSONBody[dict[str, ApiKey]],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> ConnectedView:
    """Connect a provider with the credentials that it asks for. Nothing is stored when a check fails."""
    return await integrations.connect(caller.identity, provider, _field_names(data))


@put("/api/integrations/{provider:str}/credentials")
async def replace_credentials(
    provider: FromPath[str],
    data: JSONBody[dict[str, ApiKey]],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> ConnectedView:
    """Replace the credentials in place: the same account and mode."""
    return await integrations.replace_credentials(caller.identity, provider, _field_names(data))


@get("/api/integrations/{provider:str}/test")
async def check_integration(
    provider: FromPath[str], caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> HealthReport:
    """Ask the provider whether the connection works. An unhealthy one is an answer, not an error."""
    return await integrations.test(caller.identity, provider)


@get("/api/integrations/{provider:str}/audit")
async def audit_integration(
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> AuditPage:
    """What was done with the workspace's keys of a provider, by whom and when. For owners."""
    return await integrations.audit(caller.identity, provider, page_size, page_token)


@delete("/api/integrations/{provider:str}", status_code=200)
async def disconnect_integration(
    provider: FromPath[str], caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> DisconnectedView:
    """Disconnect a provider. Its credentials are destroyed."""
    return await integrations.disconnect(caller.identity, provider)


@get("/api/integrations/{provider:str}/settings")
async def get_settings(
    provider: FromPath[str], caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> Response[IntegrationSettingsView]:
    """What invoices of this provider are made with."""
    settings = (await integrations.get(caller.identity, provider)).settings
    return Response(settings, headers=etag(settings.etag))


@patch("/api/integrations/{provider:str}/settings")
async def change_settings(
    provider: FromPath[str],
    data: JSONBody[IntegrationSettingsChange],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    if_match: IfMatch = None,
) -> Response[IntegrationSettingsView]:
    """Change what is named. It applies to the invoices that are made from then on."""
    settings = await integrations.change_settings(caller.identity, provider, data, etag_of(if_match))
    return Response(settings, headers=etag(settings.etag))


@post("/api/integrations/{provider:str}/preview", status_code=200)
async def preview_template(
    provider: FromPath[str],
    data: JSONBody[PreviewBody],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    invoices: NamedDependency[Invoices],
    shows: NamedDependency[Shows],
    base_url: NamedDependency[BaseUrl],
) -> PreviewView:
    """What a memo or message template makes of these values, of an invoice, or of a sample."""
    values = data.values
    if data.invoice:
        invoice = await invoices.get(caller.identity, data.invoice.show_id, data.invoice.invoice_id)
        show = await shows.get(caller.identity, data.invoice.show_id)
        values = {**values_of(invoice, show, base_url), **values}
    return await integrations.preview(caller.identity, provider, data.template, values, data.setting)


def _field_names(credentials: dict[str, str]) -> dict[str, str]:
    """`secretKey`, as our bodies have it, is the provider's `secret_key`."""
    return {_CAPITAL.sub("_", name).lower(): value for name, value in credentials.items()}


ROUTES: Final = Router(
    "/",
    route_handlers=[
        list_integrations,
        get_stripe,
        connect_stripe,
        replace_stripe_keys,
        check_stripe,
        audit_stripe,
        disconnect_stripe,
        get_integration,
        connect_integration,
        replace_credentials,
        check_integration,
        audit_integration,
        disconnect_integration,
        get_settings,
        change_settings,
        preview_template,
    ],
    tags=["Integrations"],
)
