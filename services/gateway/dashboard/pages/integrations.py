"""The catalogue of providers, and the page of Stripe."""

import asyncio
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from services.gateway.backends.integrations import Integrations
from services.gateway.backends.verification import Verification
from services.gateway.dashboard.rendering import AnyRequest, render, toast
from services.gateway.dashboard.views.hearing import hearing_of
from services.gateway.dashboard.views.stripe import form_of
from services.gateway.dashboard.views.tiles import tile_of
from services.gateway.identity.principal import Principal, Role

STRIPE: Final = "stripe"


@get("/integrations")
async def integrations_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    verification: NamedDependency[Verification],
) -> Response[bytes]:
    who, catalogue = caller.identity, await integrations.list(caller.identity)
    connected = [listed.provider for listed in catalogue if listed.connected]
    heard = await asyncio.gather(*(verification.hearing_if_known(who, provider) for provider in connected))
    hearing = dict(zip(connected, heard, strict=True))
    tiles = [tile_of(listed, hearing.get(listed.provider)) for listed in catalogue]
    return render(request, "integrations.html", {"tiles": tiles})


@get("/integrations/stripe")
async def stripe_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    verification: NamedDependency[Verification],
) -> Response[bytes]:
    """The form while nothing is connected; else how the connection is."""
    listed = next(one for one in await integrations.list(caller.identity) if one.provider == STRIPE)
    owner = caller.role is Role.OWNER
    if not listed.connected:
        return render(request, "stripe-connect.html", {"form": form_of(), "owner": owner})
    connection, hearing = await asyncio.gather(
        integrations.get(caller.identity, STRIPE), verification.hearing_if_known(caller.identity, STRIPE)
    )
    values = {"connection": connection, "hearing": hearing_of(connection, hearing), "form": form_of(), "owner": owner}
    return render(request, "stripe.html", values)


@get("/integrations/stripe/test")
async def check_connection(
    request: AnyRequest, caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> Response[bytes]:
    """Asks Stripe now; answers the line of the last check and what the key may do."""
    report = await integrations.test(caller.identity, STRIPE)
    said = (
        toast("ok", f"Stripe answered in {round(report.latency_ms)} ms")
        if report.healthy
        else toast("error", "The connection does not work", report.reason)
    )
    return render(request, "parts/health.html", {"report": report}, headers=said)


HANDLERS: Final = [integrations_page, stripe_page, check_connection]
