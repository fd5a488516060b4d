"""Runs watched by whoever wants to, on any replica: read from the database, once for all who watch the same one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import asyncpg

from services.common.context import Identity
from services.invoicing.generate import Generations

_EVERY: Final = 0.5
"""Seconds between two readings of a run."""


class Watching:
    """The use case. Nothing runs here but the next reading of runs that somebody waits for."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._readings: dict[tuple[str, str], asyncio.Task[asyncpg.Record]] = {}

    async def watch(self, identity: Identity, generation_id: str) -> AsyncIterator[asyncpg.Record]:
        """The run at once, then each further reading, the last when it is over. Raises GenerationNotFound."""
        run = await self._generations.get(identity.workspace_id, generation_id)
        yield run
        while run["finished_at"] is None:
            run = await asyncio.shield(self._next(identity.workspace_id, generation_id))
            yield run

    def _next(self, workspace_id: str, generation_id: str) -> "asyncio.Task[asyncpg.Record]":
        """One reading for all: it goes on when one of them leaves, and ends by itself when all have."""
        key = (workspace_id, generation_id)
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = asyncio.create_task(self._read(*key))
            reading.add_done_callback(lambda done: self._read_by_all(key, done))
        return reading

    async def _read(self, workspace_id: str, generation_id: str) -> asyncpg.Record:
        await asyncio.sleep(_EVERY)
        return await self._generations.get(workspace_id, generation_id)

    def _read_by_all(self, key: tuple[str, str], done: "asyncio.Task[asyncpg.Record]") -> None:
        del self._readings[key]
        if not done.cancelled():
            done.exception()  # whoever waited for it has it; when nobody did any more, it is nobody's
