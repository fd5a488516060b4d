"""Runs the integrations service: `python -m services.integrations`."""

import asyncio
from pathlib import Path

from services.common.bus import Bus
from services.common.db import open_pool
from services.common.migrate import migrate
from services.common.process import run_service
from services.integrations.config import PARSERS, Config
from services.integrations.wiring import Service

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Serves until told to stop."""
    await migrate(config.database_url, MIGRATIONS)
    pool = await open_pool(config.database_url, "integrations", largest=20)
    bus = Bus(config.nats_url, "integrations")
    bus.start()
    service = Service(config, pool, bus)
    publishing = asyncio.create_task(service.outbox.run())
    await service.server.start()
    await stop.wait()
    await service.server.stop()
    publishing.cancel()
    await service.registry.close()
    await bus.close()
    await pool.close()


if __name__ == "__main__":
    run_service("integrations", Config, serve, PARSERS)
