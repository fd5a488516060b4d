"""The application: its parts, its routes, and the one door that all of them stand behind."""

from dataclasses import dataclass
from typing import Any

from litestar import Litestar, Request, Router
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException

from services.common.addresses import BaseUrl
from services.gateway import pages, paylink
from services.gateway.api import (
    account,
    amending,
    buyers,
    claims,
    docs,
    exports,
    health,
    integrations,
    invitations,
    invoices,
    items,
    members,
    sendings,
    session,
    shows,
    strays,
    tokens,
    verification,
)
from services.gateway.api.health import Health
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.desk import Desk
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.paylinks import PayLinks
from services.gateway.backends.sendings import Sendings
from services.gateway.backends.shows import Shows
from services.gateway.backends.strays import StrayPayments
from services.gateway.backends.verification import Verification
from services.gateway.dashboard import routes as dashboard
from services.gateway.dashboard.problems import on_stray
from services.gateway.edge import Edge
from services.gateway.errors import on_error, on_validation
from services.gateway.idempotency import IdempotencyKeys, KeepAnswers
from services.gateway.identity.guards import Door
from services.gateway.identity.invitations import Invitations
from services.gateway.identity.known_people import KnownPeople
from services.gateway.identity.members import Members
from services.gateway.identity.oidc import Oidc
from services.gateway.identity.own_account import OwnAccount
from services.gateway.identity.principal import Principal
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.tokens import ApiTokens
from services.gateway.limits import Limits
from services.gateway.openapi import Description
from services.gateway.proxies import Proxies
from services.gateway.realtime.hub import Hub
from services.gateway.realtime.websocket import realtime
from services.gateway.webhooks.stripe import Deliveries, StripeHooks

LARGEST_BODY = 1024 * 1024
"""Bytes, where a route does not say otherwise."""

ROUTES: tuple[Router, ...] = (
    session.ROUTES,
    account.ROUTES,
    members.ROUTES,
    invitations.ROUTES,
    tokens.ROUTES,
    integrations.ROUTES,
    shows.ROUTES,
    items.ROUTES,
    claims.ROUTES,
    buyers.ROUTES,
    exports.ROUTES,
    invoices.ROUTES,
    amending.ROUTES,
    strays.ROUTES,
    sendings.ROUTES,
    verification.ROUTES,
    health.ROUTES,
    docs.ROUTES,
    paylink.ROUTES,
    pages.ROUTES,
    dashboard.ROUTES,
)


@dataclass(frozen=True)
class Parts:
    """What routes may ask for, by these names."""

    base_url: BaseUrl
    """Where the world finds us."""
    sessions: Sessions
    tokens: ApiTokens
    account: OwnAccount
    members: Members
    invitations: Invitations
    oidc: Oidc
    known_people: KnownPeople
    integrations: Integrations
    shows: Shows
    browsing: Browsing
    invoices: Invoices
    sendings: Sendings
    desk: Desk
    strays: StrayPayments
    pay_links: PayLinks
    verification: Verification
    hub: Hub
    health: Health


@dataclass(frozen=True)
class Doorway:
    """What every request passes before and after its route."""

    proxies: Proxies
    limits: Limits
    keys: IdempotencyKeys
    deliveries: Deliveries


def build(parts: Parts, doorway: Doorway) -> Edge:
    """The ASGI application."""
    dependencies = {name: _given(part) for name, part in vars(parts).items()} | {"caller": _caller()}
    dependencies["limits"] = _given(doorway.limits)
    dependencies["description"] = _given(Description(ROUTES, dependencies, docs.page_of))
    app = Litestar(
        route_handlers=[*ROUTES, realtime],
        guards=[Door(parts.sessions, parts.tokens, parts.base_url, doorway.limits).guard],
        before_request=doorway.keys.before_request,
        dependencies=dependencies,
        exception_handlers={HTTPException: on_stray, ValidationException: on_validation, Exception: on_error},
        request_max_body_size=LARGEST_BODY,
        # Pages and their files, but fonts, which are compressed; programs that read the interface are near.
        compression_config=CompressionConfig(
            backend="gzip", gzip_compress_level=6, minimum_size=1024, exclude=["^/api/", r"\.woff2$"]
        ),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return Edge(StripeHooks(KeepAnswers(app, doorway.keys), doorway.deliveries), doorway.proxies)


def _given(part: object) -> Provide:
    async def provide() -> Any:
        return part

    return Provide(provide)


def _caller() -> Provide:
    async def provide(request: Request[Principal, Any, Any]) -> Principal:
        return request.user

    return Provide(provide)
