"""The gateway as a process: wiring only."""

import asyncio

import structlog
import uvloop

from services.common.addresses import BaseUrl, Listen
from services.common.bus import Bus
from services.common.db import Pool, open_pool
from services.common.grouping import Grouper
from services.common.migrate import migrate
from services.common.process import run_service
from services.common.tls import channel_credentials
from services.common.tokens import Signer
from services.gateway.api.health import Health
from services.gateway.app import Doorway, Parts, build
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.desk import Desk
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.patient import PatientClient
from services.gateway.backends.paylinks import PayLinks
from services.gateway.backends.sendings import Sendings
from services.gateway.backends.shows import Shows
from services.gateway.backends.strays import StrayPayments
from services.gateway.backends.verification import Verification
from services.gateway.backends.webhooks import MOST, WebhookBackend
from services.gateway.config import PARSERS, Config
from services.gateway.idempotency import IdempotencyKeys
from services.gateway.identity.accounts import bootstrap
from services.gateway.identity.invitations import Invitations
from services.gateway.identity.known_people import KnownPeople
from services.gateway.identity.members import Members
from services.gateway.identity.oidc import Oidc
from services.gateway.identity.own_account import OwnAccount
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.tokens import ApiTokens
from services.gateway.limits import Limits
from services.gateway.proxies import Proxies
from services.gateway.queries import MIGRATIONS
from services.gateway.realtime.hub import Hub
from services.gateway.realtime.relay import Relay
from services.gateway.realtime.upkeep import Upkeep
from services.gateway.serving import bind, serve_until

log = structlog.get_logger()

HEAVIEST_GROUP = 8 * 1024 * 1024
"""Bytes of deliveries in one call."""


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Runs until told to stop."""
    listening = bind(config.http_listen)
    await migrate(config.database_url, MIGRATIONS)
    pool = await open_pool(config.database_url, "gateway")
    signer = Signer("gateway", config.service_signing_key)
    credentials = channel_credentials(config.tls_cert, config.tls_key, config.tls_ca)
    integrations = PatientClient(config.integrations_address, "integrations", signer, credentials)
    invoicing = PatientClient(config.invoicing_address, "invoicing", signer, credentials)
    bus, hub, passwords = Bus(config.nats_url, "gateway"), Hub(config.sockets_per_credential), Passwords()
    sessions = Sessions(pool, passwords)
    webhooks = WebhookBackend(integrations, invoicing)
    await bootstrap(pool, passwords, config)
    await passwords.prepare()
    here = BaseUrl(f"http://{Listen(config.http_listen.host, listening.getsockname()[1])}")
    base_url = config.public_url or here
    invitations = Invitations(pool, passwords, sessions)
    parts = Parts(
        base_url=base_url,
        sessions=sessions,
        tokens=ApiTokens(pool),
        account=OwnAccount(pool, passwords, sessions),
        members=Members(pool),
        invitations=invitations,
        oidc=Oidc(pool, config.oidc(), base_url),
        known_people=KnownPeople(pool, sessions, invitations),
        integrations=Integrations(integrations),
        shows=Shows(invoicing),
        browsing=Browsing(invoicing),
        invoices=Invoices(invoicing, base_url),
        sendings=Sendings(invoicing, base_url),
        desk=Desk(invoicing, base_url),
        strays=StrayPayments(invoicing),
        pay_links=PayLinks(invoicing),
        verification=Verification(invoicing),
        hub=hub,
        health=Health(pool, bus, integrations, invoicing),
    )
    doorway = Doorway(
        Proxies(config.trusted_proxies, secure=parts.base_url.secure),
        Limits(
            pool,
            known=config.rate_limit,
            anonymous=config.rate_limit_anonymous,
            pay_links=config.rate_limit_pay_links,
        ),
        IdempotencyKeys(pool),
        Grouper(webhooks.deliver, most=MOST, weigh=lambda delivery: len(delivery.body), heaviest=HEAVIEST_GROUP),
    )
    sweeps = (sessions.sweep, doorway.limits.sweep, doorway.keys.sweep, parts.oidc.sweep)
    relay, upkeep = Relay(bus, hub), Upkeep(pool, hub, sweeps)
    bus.start()
    beside = [asyncio.create_task(relay.run()), asyncio.create_task(upkeep.run())]
    try:
        await serve_until(build(parts, doorway), listening, stop)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await bus.close()
        await integrations.close()
        await invoicing.close()
        await _close(pool)


async def _close(pool: Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    run_service("gateway", Config, serve, PARSERS)
