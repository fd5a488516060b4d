"""Tells the others which keys this process holds, and learns of new ones."""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from services.common.db import Pool, load_queries
from services.common.ids import new_id
from services.integrations.keyfile import FileKeyring
from services.integrations.keyring import Keyring

log = structlog.get_logger()

SQL: Final = load_queries(Path(__file__).parent / "sql")

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the file of keys."""
SAY_EVERY: Final = 5.0
GONE_AFTER: Final = 20.0
"""Seconds after which a process that was not heard of counts as gone."""


class Holding:
    """The keys of this process, as the others see them."""

    def __init__(self, pool: Pool, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring
        self._process = new_id()

    async def say(self) -> None:
        await self._pool.execute(SQL["hold_keys"], self._process, list(self._keyring.ids))

    async def run(self) -> None:
        """Until cancelled. A database that is away is no reason to end: what was read still opens."""
        clock = asyncio.get_running_loop().time
        due = clock() + SAY_EVERY
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                changed = isinstance(self._keyring, FileKeyring) and await self._keyring.refresh()
                if changed or clock() >= due:
                    await self.say()
                    due = clock() + SAY_EVERY
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
                log.warning("the keys could not be looked after", error=str(error))

    async def stop(self) -> None:
        """No longer waited for by whoever changes keys."""
        try:
            await self._pool.execute(SQL["release_keys"], self._process)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            log.info("the keys of this process are forgotten by themselves")
