"""The invoicing service: `python -m services.invoicing`. Only wiring here."""

import asyncio

from services.common import tls
from services.common.bus import Bus
from services.common.client import GrpcClient
from services.common.db import open_pool
from services.common.migrate import migrate
from services.common.process import run_service
from services.common.server import Boundary, GrpcServer
from services.common.tokens import Signer, Verifier
from services.invoicing.access import ACCESS, SERVICE_NAMES
from services.invoicing.config import PARSERS, Config
from services.invoicing.provider import IntegrationsProvider
from services.invoicing.repository import MIGRATIONS
from services.invoicing.wiring import Pace, Service

NAME = "invoicing"


async def serve(config: Config, stop: asyncio.Event) -> None:
    await migrate(config.database_url, MIGRATIONS)
    pool = await open_pool(config.database_url, NAME, largest=20)
    bus = Bus(config.nats_url, NAME)
    bus.start()
    client = GrpcClient(
        config.integrations_address,
        "integrations",
        Signer(NAME, config.service_signing_key),
        tls.channel_credentials(config.tls_cert, config.tls_key, config.tls_ca),
    )
    pace = Pace(config.generation_concurrency, config.generation_lease_seconds, config.catchup_seconds)
    service = Service(pool, bus, IntegrationsProvider(client), pace)
    server = GrpcServer(
        str(config.grpc_listen),
        Boundary(Verifier(NAME, config.service_public_keys), ACCESS),
        SERVICE_NAMES,
        tls.server_credentials(config.tls_cert, config.tls_key, config.tls_ca),
    )
    service.register(server)
    async with service.background() as work:
        await server.start()
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({stopped, work}, return_when=asyncio.FIRST_COMPLETED)
        await server.stop()
    stopped.cancel()
    await client.close()
    await bus.close()
    await pool.close()


if __name__ == "__main__":
    run_service(NAME, Config, serve, PARSERS)
