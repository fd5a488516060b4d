"""How often somebody may ask, counted in Postgres and so by all replicas together.

Told in the headers of the IETF draft `RateLimit header fields for HTTP`. A database that is away limits nobody.
"""

import asyncio
import hashlib
import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from services.common.db import Pool
from services.gateway.queries import SQL

log = structlog.get_logger()

_AWAY: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
_PATIENCE: Final = 1.0
"""Seconds that counting may take; nobody waits longer for it."""
_FORGET_EVERY: Final = 600.0
"""Seconds between two clearings of windows that have passed, in each process."""


@dataclass(frozen=True, slots=True)
class Policy:
    """So many in so many seconds."""

    name: str
    most: int
    window: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left after a request was counted, by policy: requests, and whole seconds until the window ends."""

    left: Mapping[Policy, tuple[int, int]]

    @property
    def wait(self) -> int:
        """Seconds to wait; 0 when the request is within all limits."""
        return max((seconds for remaining, seconds in self.left.values() if remaining < 0), default=0)

    @property
    def headers(self) -> dict[str, str]:
        """The standard headers, with Retry-After when there is to be waited."""
        if not self.left:
            return {}
        limits = ", ".join(
            f'"{policy.name}";r={max(remaining, 0)};t={seconds}' for policy, (remaining, seconds) in self.left.items()
        )
        policies = ", ".join(f'"{policy.name}";q={policy.most};w={policy.window}' for policy in self.left)
        waiting = {"Retry-After": str(self.wait)} if self.wait else {}
        return {"RateLimit": limits, "RateLimit-Policy": policies, **waiting}


class Limits:
    """Counts requests."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._forgot_at = time.monotonic()

    async def take(self, what: str, keys: Mapping[Policy, str]) -> Taken:
        """Counts one request for `what` under the key of each policy."""
        hashed = {_key(what, policy.name, key): policy for policy, key in keys.items()}
        try:
            async with asyncio.timeout(_PATIENCE):
                windows = [policy.window for policy in hashed.values()]
                rows = await self._pool.fetch(SQL["count_requests"], list(hashed), windows)
                await self._forget_now_and_then()
        except _AWAY as error:
            log.warning("requests are not counted", what=what, error=str(error))
            return Taken({})
        counts = {row["counted_for"]: (row["requests"], math.ceil(row["seconds_left"])) for row in rows}
        return Taken({policy: (policy.most - counts[key][0], counts[key][1]) for key, policy in hashed.items()})

    async def _forget_now_and_then(self) -> None:
        if time.monotonic() - self._forgot_at > _FORGET_EVERY:
            self._forgot_at = time.monotonic()
            await self._pool.execute(SQL["forget_requests"])


def network_of(address: str) -> str:
    """Whom an address stands for: itself, and of IPv6 the network that one household or machine is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
