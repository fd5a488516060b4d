"""How many requests a caller may send: counted in windows of a minute, over all replicas together.

A replica takes a few requests' worth out of the window at once, so that most requests cost no question to the database.
Together the replicas never let through more than the quota; what one took and did not use lapses with the window.

While the database is away, each replica counts for itself, so that together they let through a multiple: a buyer who
wants to pay is worth more than an exact count.
"""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog

from services.common.db import Pool
from services.common.errors import Kind, ShowbillError
from services.gateway.queries import SQL

log = structlog.get_logger()

WINDOW: Final = 60
"""Seconds."""
_PORTIONS: Final = 50
"""In which a quota is taken."""
_NOTED: Final = "showbill.standing"
_PATIENCE: Final = 2.0
"""Seconds for the answer of the database."""
_ALONE: Final = 5.0
"""Seconds for which a database that was away is not asked."""
_DATABASE_AWAY: Final = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(OSError, TimeoutError),
)
_MOST_KEPT: Final = 10_000
"""Callers, before those whose window is over are forgotten; more, where more of them come within a window."""


@dataclass(slots=True)
class Standing:
    """Where a caller stands in the present window."""

    quota: int
    ends: float
    """By this process's own clock."""
    left: int = 0
    """Of what this replica took."""
    elsewhere: int = 0
    """What nobody had taken when this replica last asked."""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """As the IETF's draft on RateLimit headers has them."""
        seconds = max(0, round(self.ends - time.monotonic()))
        return [
            (b"ratelimit-policy", f'"requests";q={self.quota};w={WINDOW}'.encode()),
            (b"ratelimit", f'"requests";r={self.left + self.elsewhere};t={seconds}'.encode()),
        ]


class TooManyRequests(ShowbillError):
    """You have sent too many requests in a minute. Wait {seconds} seconds, then go on."""

    kind = Kind.RATE_LIMITED
    reason = "TOO_MANY_REQUESTS"
    standing: Standing | None = None


def note(scope: Any, standing: Standing | None) -> None:
    """For the answer's headers."""
    if standing is not None:
        scope[_NOTED] = standing


def headers_of(scope: Any) -> list[tuple[bytes, bytes]]:
    """The headers that tell the caller where it stands; none where nothing is counted."""
    standing = scope.get(_NOTED)
    return standing.headers() if isinstance(standing, Standing) else []


class Limits:
    """Counts the requests of callers."""

    def __init__(self, pool: Pool, *, known: int, anonymous: int, pay_links: int = 0) -> None:
        """Requests a minute of one session or token, of one address that is neither, and for pay links of everybody
        together; 0 for no limit.
        """
        self._pool = pool
        self._quotas = {"known": known, "address": anonymous, "pay links": pay_links, "opening": 1}
        self._standings: dict[bytes, Standing] = {}
        self._swept_beyond = _MOST_KEPT
        self._alone_until = 0.0
        """When the database is to be asked again; 0 while it answers."""

    async def take(self, kind: str, caller: str) -> Standing | None:
        """Counts a request of a `known` credential, of an `address`, for `pay links`, or an `opening` of one by an
        address; None where there is no limit.

        Raises TooManyRequests.
        """
        quota = self._quotas[kind]
        if not quota:
            return None
        key = hashlib.sha256(f"{kind}\0{caller}".encode()).digest()
        standing = self._standings.get(key)
        if standing is None or standing.ends <= time.monotonic() or (not standing.left and standing.elsewhere):
            standing = await self._ask_or_count_alone(key, quota)
        if not standing.left:
            wait = max(1.0, standing.ends - time.monotonic())
            refused = TooManyRequests(seconds=round(wait), retry_after=wait)
            refused.standing = standing
            raise refused
        standing.left -= 1
        return standing

    async def _ask_or_count_alone(self, key: bytes, quota: int) -> Standing:
        if self._alone_until <= time.monotonic():
            try:
                async with asyncio.timeout(_PATIENCE):
                    standing = await self._ask(key, quota)
            except _DATABASE_AWAY as error:
                if not self._alone_until:
                    log.warning("requests are counted by this replica alone", error=type(error).__name__)
                self._alone_until = time.monotonic() + _ALONE
            else:
                self._alone_until = 0.0
                return standing
        return self._keep(key, Standing(quota, time.monotonic() + WINDOW, left=quota))

    def _keep(self, key: bytes, standing: Standing) -> Standing:
        if len(self._standings) >= self._swept_beyond:
            self._forget_those_over()
        self._standings[key] = standing
        return standing

    def _forget_those_over(self) -> None:
        now = time.monotonic()
        self._standings = {one: kept for one, kept in self._standings.items() if kept.ends > now}
        self._swept_beyond = max(_MOST_KEPT, 2 * len(self._standings))  # else each newcomer would look at all

    async def _ask(self, key: bytes, quota: int) -> Standing:
        portion = max(1, quota // _PORTIONS)
        row = await self._pool.fetchrow(SQL["take_requests"], key, portion, WINDOW)
        assert row is not None
        before = row["taken"] - portion
        granted = max(0, min(portion, quota - before))
        now = time.monotonic()
        standing = self._standings.get(key)
        if standing is None or standing.ends <= now:
            standing = self._keep(key, Standing(quota, now + row["seconds_left"]))
        standing.left += granted
        standing.elsewhere = max(0, quota - before - granted)
        return standing

    async def sweep(self) -> None:
        await self._pool.execute(SQL["forget_requests"])
