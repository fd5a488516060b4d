"""Slows down whoever guesses passwords: per account and address, and per address; counted in Postgres."""

import hashlib
from typing import Final

from services.common.db import Pool
from services.common.errors import Kind, ShowbillError
from services.gateway.queries import SQL

WINDOW: Final = 900
"""Seconds in which failures are counted."""
PER_ACCOUNT: Final = 10
"""Failures of one account from one address."""
PER_ADDRESS: Final = 100
"""Failures from one address, whatever the account."""


class TooManyAttempts(ShowbillError):
    """There were too many failed sign-ins. Wait {minutes} minutes, then try again."""

    kind = Kind.RATE_LIMITED
    reason = "TOO_MANY_ATTEMPTS"


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


class Throttle:
    """Counts failed sign-ins."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def count(self, email: str, address: str) -> None:
        """Counts an attempt. Raises TooManyAttempts when there were too many."""
        limits = {_key("account", email.lower(), address): PER_ACCOUNT, _key("address", address): PER_ADDRESS}
        rows = await self._pool.fetch(SQL["count_sign_in"], sorted(limits), WINDOW)
        waits = [row["seconds_left"] for row in rows if row["failures"] > limits[row["counted_for"]]]
        if waits:
            raise TooManyAttempts(minutes=max(1, round(max(waits) / 60)), retry_after=max(waits))

    async def forgive(self, email: str, address: str) -> None:
        """A sign-in succeeded: it was no failure."""
        await self._pool.execute(
            SQL["forgive_sign_in"], _key("account", email.lower(), address), _key("address", address)
        )

    async def forget(self) -> None:
        """Removes what no longer counts."""
        await self._pool.execute(SQL["forget_sign_ins"], WINDOW)
