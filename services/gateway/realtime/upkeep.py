"""What must be done from time to time: heartbeats, and closing the sockets of sessions that ended elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from services.common.db import Pool
from services.gateway.identity.sessions import IDLE
from services.gateway.queries import SQL
from services.gateway.realtime import messages
from services.gateway.realtime.hub import Hub

log = structlog.get_logger()

HEARTBEAT: Final = 20.0
RECHECK: Final = 10.0
SWEEP: Final = 3600.0
"""Seconds between two rounds."""


class Upkeep:
    """Runs beside the server."""

    def __init__(self, pool: Pool, hub: Hub, sweeps: Sequence[Callable[[], Awaitable[None]]] = ()) -> None:
        """`sweeps` remove what is over, hour by hour."""
        self._pool = pool
        self._hub = hub
        self._sweeps_due = sweeps

    async def run(self) -> None:
        """Until cancelled. A database that is away ends nothing and nobody's session."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._heartbeats())
            tasks.create_task(self._rechecks())
            tasks.create_task(self._sweeps())

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            self._hub.say_to_all(messages.ping())

    async def _rechecks(self) -> None:
        while True:
            await asyncio.sleep(RECHECK)
            try:
                await self.recheck()
            except Exception as error:  # noqa: BLE001  # outermost loop: sockets of ended sessions must not stay open
                log.warning("sessions not rechecked", error=str(error))

    async def _sweeps(self) -> None:
        while True:
            for sweep in self._sweeps_due:
                try:
                    await sweep()
                except Exception as error:  # noqa: BLE001  # as above: one that fails holds up no other
                    log.warning("not swept", error=str(error))
            await asyncio.sleep(SWEEP)

    async def recheck(self) -> None:
        """Closes the sockets of sessions and tokens that ended, on whatever replica."""
        held = {socket.credential_id for socket in self._hub}
        if not held:
            return
        rows = await self._pool.fetch(SQL["live_credentials"], sorted(held), IDLE)
        for ended in held - {str(row["id"]) for row in rows}:
            self._hub.end_credential(ended)
