"""Slows down whoever guesses passwords: per account, per address and per both; counted in Postgres."""

import hashlib
from typing import Final

from services.common.db import Pool
from services.common.errors import Kind, ShowbillError
from services.gateway.identity.visitor import network_of
from services.gateway.queries import SQL

WINDOW: Final = 900
"""Seconds in which failures are counted."""
PER_ACCOUNT_AND_ADDRESS: Final = 10
"""Failures of one account from one address."""
PER_ACCOUNT: Final = 100
"""Failures of one account, from wherever: many addresses together guess no faster. High, for it locks out its owner."""
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
        both, account, network = _keys(email, address)
        limits = {both: PER_ACCOUNT_AND_ADDRESS, account: PER_ACCOUNT, network: PER_ADDRESS}
        rows = await self._pool.fetch(SQL["count_sign_in"], sorted(limits), WINDOW)
        waits = [row["seconds_left"] for row in rows if row["failures"] > limits[row["counted_for"]]]
        if waits:
            raise TooManyAttempts(minutes=max(1, round(max(waits) / 60)), retry_after=max(waits))

    async def forgive(self, email: str, address: str) -> None:
        """A sign-in succeeded: it was no failure."""
        both, account, network = _keys(email, address)
        await self._pool.execute(SQL["forgive_sign_in"], both, [account, network])

    async def forget(self) -> None:
        """Removes what no longer counts."""
        await self._pool.execute(SQL["forget_sign_ins"], WINDOW)


def _keys(email: str, address: str) -> tuple[bytes, bytes, bytes]:
    person, network = email.lower(), network_of(address)
    return _key("account", person, network), _key("account", person), _key("address", network)
