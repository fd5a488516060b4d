"""Runs the integrations service: `python -m services.integrations`."""

import asyncio
from pathlib import Path

import msgspec

from services.common.bus import Bus
from services.common.db import Pool, open_pool
from services.common.migrate import migrate
from services.common.process import run_service
from services.integrations.config import PARSERS, Config
from services.integrations.discovery import part, with_settings
from services.integrations.wiring import Service, open_keyring

PATIENCE = 3.0
"""Seconds that queries under way have at the end."""

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"


async def serve(environment: msgspec.Struct, stop: asyncio.Event) -> None:
    """Serves until told to stop, or until what runs beside the server fails for good."""
    config = part(Config, environment)
    await migrate(config.database_url, MIGRATIONS)
    pool = await open_pool(config.database_url, "integrations", largest=20)
    keyring = await open_keyring(config, pool)
    bus = Bus(config.nats_url, "integrations")
    bus.start()
    service = Service(config, environment, pool, bus, keyring)
    await service.holding.say()
    working = [asyncio.create_task(run()) for run in (service.outbox.run, service.uses.run, service.holding.run)]
    stopped = asyncio.create_task(stop.wait())
    await service.server.start()
    await asyncio.wait({stopped, *working}, return_when=asyncio.FIRST_COMPLETED)
    await service.server.stop()
    for task in (stopped, *working):
        task.cancel()
    await asyncio.wait(working)  # each ends what it has begun; the error of one is told when it is dropped
    await service.holding.stop()
    await service.registry.close()
    await bus.close()
    await _close(pool)


async def _close(pool: Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), PATIENCE)
    except TimeoutError:
        pool.terminate()


if __name__ == "__main__":
    run_service("integrations", with_settings(Config), serve, PARSERS)
