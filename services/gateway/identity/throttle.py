"""Slows down whoever guesses passwords; counted in Postgres.

Strangers are counted by account and address, by address, and by account from wherever they come, so that many addresses
together guess no faster. That last count must not lock the owner out: on a device or from a network where they signed
in before it is not looked at. A known device has a count of its own, which only somebody with its cookie can fill: once
it is full the device counts as one that is not known, so that nobody who shares it locks another out.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.common.db import Pool
from services.common.errors import Kind, ShowbillError
from services.gateway.identity.places import Places
from services.gateway.identity.visitor import Visitor, network_of
from services.gateway.queries import SQL

WINDOW: Final = 900
"""Seconds in which failures are counted."""
PER_ACCOUNT_AND_PLACE: Final = 10
"""Failures of one account from one address, or on one device that it is known on."""
PER_ACCOUNT: Final = 50
"""Failures of one account from all places together where it is not known."""
PER_ADDRESS: Final = 100
"""Failures from one address, whatever the account."""


class TooManyAttempts(ShowbillError):
    """There were too many failed sign-ins. Wait {minutes} minutes, then try again."""

    kind = Kind.RATE_LIMITED
    reason = "TOO_MANY_ATTEMPTS"


class AccountGuessedAt(TooManyAttempts):
    """Too many sign-ins to this account failed. Sign in on a device where you did before, or in {minutes} minutes."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt was counted for."""

    own: bytes
    """Cleared when it succeeds."""
    shared: tuple[bytes, ...] = ()
    """With others' attempts: only this one is taken back."""


class Throttle:
    """Counts failed sign-ins."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._places = Places(pool)

    async def count(self, email: str, visitor: Visitor) -> Attempt:
        """Counts an attempt. Raises TooManyAttempts when there were too many."""
        known, network = await self._places.known(email, visitor), network_of(visitor.address)
        person = known.person
        if known.device:
            on_device = Attempt(_key("device", person, visitor.device or ""))
            if not await self._waits(on_device, {}):
                return on_device
        by_address, by_account = _key("address", network), _key("account", person)
        shared = (by_address,) if known.network else (by_address, by_account)
        limits = {by_address: PER_ADDRESS, by_account: PER_ACCOUNT}
        attempt = Attempt(_key("account", person, network), shared)
        if waits := await self._waits(attempt, limits):
            by_strangers = set(waits) == {by_account} and not known.device
            raise _too_many(waits, AccountGuessedAt if by_strangers else TooManyAttempts)
        return attempt

    async def count_signed_in(self, user_id: str) -> Attempt:
        """Counts an attempt of somebody who is signed in, and shows the password once more: no stranger can."""
        attempt = Attempt(_key("signed in", user_id))
        if waits := await self._waits(attempt, {}):
            raise _too_many(waits, TooManyAttempts)
        return attempt

    async def _waits(self, attempt: Attempt, limits: Mapping[bytes, int]) -> dict[bytes, float]:
        """Counts the attempt; answers in how many seconds each count that is full begins anew."""
        limits = {**limits, attempt.own: PER_ACCOUNT_AND_PLACE}
        rows = await self._pool.fetch(SQL["count_sign_in"], sorted((attempt.own, *attempt.shared)), WINDOW)
        return {row["counted_for"]: row["seconds_left"] for row in rows if row["failures"] > limits[row["counted_for"]]}

    async def forgive(self, attempt: Attempt) -> None:
        """It succeeded: it was no failure."""
        await self._pool.execute(SQL["forgive_sign_in"], attempt.own, list(attempt.shared))

    async def forget(self) -> None:
        """Removes what no longer counts."""
        await self._pool.execute(SQL["forget_sign_ins"], WINDOW)


def _too_many(waits: Mapping[bytes, float], error: type[TooManyAttempts]) -> TooManyAttempts:
    longest = max(waits.values())
    return error(minutes=max(1, round(longest / 60)), retry_after=longest)


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
