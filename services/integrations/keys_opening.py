"""The installation whose keys are changed: its database opened, its running services waited for, what goes on said."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from services.common.db import Pool, open_pool
from services.integrations import rewrap
from services.integrations.keys_place import Complaint, Place, place_of
from services.integrations.wording import counted

_POLL: Final = 0.3
_PATIENCE: Final = 5.0
"""Seconds that connections have to end in peace."""
_FAILURES: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def say(text: str) -> None:
    print(text, flush=True)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Place, Pool]]:
    """Of the environment. Raises Complaint, also for whatever the database answers meanwhile."""
    place = place_of(os.environ)
    try:
        pool = await open_pool(place.database_url, "keys", largest=3)
    except _FAILURES as error:
        raise Complaint(
            f"The database of integrations cannot be reached: {type(error).__name__}. Is it running?"
        ) from error
    try:
        yield place, pool
    except asyncpg.UndefinedTableError as error:
        raise Complaint(
            "The database is of an older version. Start the integrations service of this one first."
        ) from error
    except _FAILURES as error:
        raise Complaint(
            f"The database of integrations failed meanwhile: {type(error).__name__}. Nothing is lost: give the command"
            " again, it goes on from there."
        ) from error
    finally:
        await _close(pool)


async def _close(pool: Pool) -> None:
    """A connection that hangs holds nobody up: what was to be said is said."""
    try:
        await asyncio.wait_for(pool.close(), _PATIENCE)
    except _FAILURES:
        pool.terminate()


async def until(pool: Pool, holds: Callable[[Sequence[str]], bool], wait: float, what: str) -> None:
    """Waits until every running service does it. Raises Complaint when one does not."""
    deadline = time.monotonic() + wait
    while lagging := [keys for keys in await rewrap.holders(pool) if not holds(keys)]:
        if time.monotonic() > deadline:
            these = counted(len(lagging), "running integrations service", ("does", "do"))
            raise Complaint(
                f"{these} not {what} yet. Nothing is lost. Give every service the same keys (or start it anew), then"
                " give this command again: it goes on from there."
            )
        await asyncio.sleep(_POLL)
    count = len(await rewrap.holders(pool))
    verb, _, rest = what.partition(" ")
    all_of_them = (
        f"The one running integrations service {verb}s"
        if count == 1
        else f"All {count} running integrations services {verb}"
    )
    say(f"{all_of_them} {rest}." if count else "No integrations service runs now.")
