"""When a provider account may be called next, over all replicas: a generic cell rate bucket in one Postgres statement.

Two limits count: all calls of an account and mode, and those of each operation. A call takes the next free moment of
both and sleeps until it comes, so that any number of replicas together stay close under what the provider allows.
"""

import asyncio
import random
from pathlib import Path
from typing import Final

import structlog

from services.common.db import Pool, load_queries
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.offers import Rates

log = structlog.get_logger()

SQL: Final = load_queries(Path(__file__).parent / "sql")
_CLOSE_UNDER: Final = 0.99
"""The share of a limit that is used: below it, so that what was used at once comes back."""
AT_ONCE: Final = 0.5
"""Seconds' worth of calls that an idle account may make at once, so that a run needs no ramp. Providers count with a
bucket that holds a second's worth; the other half is for a network that bunches calls, and for the operator's own."""

_MISSED: Final = AT_ONCE / 2
"""Seconds after which a turn that was slept through is taken anew. A process that was held up for a moment would else
send all that waited in it at once: more than what is left of the provider's bucket."""
_MOST_MISSED: Final = 3
_LOOK_AGAIN: Final = 0.25
"""Seconds after which a call that yields looks again whether nobody waits."""


def intervals(rates: Rates, *, livemode: bool) -> tuple[float, float]:
    """Seconds between two calls: of the account, and of one operation."""
    account = rates.live if livemode else rates.test
    return 1 / (account * _CLOSE_UNDER), 1 / (rates.per_operation * _CLOSE_UNDER)


class Pacer:
    """The pace of one provider's accounts."""

    def __init__(self, pool: Pool, provider: str, rates: Rates) -> None:
        self._pool = pool
        self._provider = provider
        self._rates = rates

    async def wait(self, link: Link, operation: str, patience: float) -> None:
        """Sleeps until it is this call's turn. Raises AdapterError RATE_LIMITED when that is beyond `patience`."""
        clock = asyncio.get_running_loop().time
        for _ in range(_MOST_MISSED):
            wait = max(0.0, await self._take(link, operation, patience))
            due = clock() + wait
            if wait:
                await asyncio.sleep(wait)
            if clock() - due < _MISSED:
                return

    async def wait_idle(self, link: Link, operation: str, yielding: float, patience: float) -> None:
        """Takes a turn only when it has come already, which on a busy account it never has; after `yielding` seconds
        it queues up. So it costs a busy account one turn in that time, and is never put off for good."""
        account = (self._provider, link.account_id, link.livemode)
        between = intervals(self._rates, livemode=link.livemode)
        clock = asyncio.get_running_loop().time
        deadline = clock() + yielding
        while clock() < deadline:
            if await self._pool.fetchval(SQL["take_slot"], *account, operation, *between, 0.0, AT_ONCE) is not None:
                return
            await asyncio.sleep(_LOOK_AGAIN * random.uniform(0.5, 1.5))  # noqa: S311  # jitter, no secret
        await self.wait(link, operation, patience)

    async def _take(self, link: Link, operation: str, patience: float) -> float:
        """Seconds until the turn that was taken; below zero when it has come already."""
        account = (self._provider, link.account_id, link.livemode)
        between = intervals(self._rates, livemode=link.livemode)
        wait = await self._pool.fetchval(SQL["take_slot"], *account, operation, *between, patience, AT_ONCE)
        if wait is None:
            delay = await self._pool.fetchval(SQL["slot_delay"], *account, operation)
            raise AdapterError(
                Failure.RATE_LIMITED,
                "The provider takes only so many calls a second, and others are waiting. It goes on by itself.",
                retry_after=max(0.1, (delay or patience) - patience / 2),
            )
        return float(wait)

    async def hold(self, link: Link, operation: str | None, seconds: float) -> None:
        """The provider said too fast: what comes next comes later, over all replicas."""
        log.warning(
            "the provider asks for a slower pace", account=link.account_id, operation=operation, seconds=seconds
        )
        account = (self._provider, link.account_id, link.livemode)
        if operation is None:
            await self._pool.execute(SQL["hold_account"], *account, seconds)
        else:
            await self._pool.execute(SQL["hold_operation"], *account, seconds, operation)
