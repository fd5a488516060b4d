"""Passwords: argon2id, computed beside the event loop, never more than a few at once."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.common.errors import Fault, InvalidRequest
from services.common.secret import Secret

SHORTEST: Final = 10
LONGEST: Final = 1024
_AT_ONCE: Final = 2
"""Each takes 64 MiB and a core for some 50 ms."""

_hasher = PasswordHasher()  # the parameters that RFC 9106 recommends


class PasswordNotFit(InvalidRequest):
    """The password must have at least {shortest} characters. Choose a longer one."""

    reason = "PASSWORD_NOT_FIT"


def faults_of_password(password: Secret, field: str = "password") -> list[Fault]:
    """What is wrong with a password that an account is to have from now on."""
    if SHORTEST <= len(password.reveal()) <= LONGEST:
        return []
    return [Fault(field, PasswordNotFit(shortest=SHORTEST).message)]


def check_fit(password: Secret, field: str = "password") -> None:
    """Raises PasswordNotFit for a password that an account must not have from now on."""
    if faults := faults_of_password(password, field):
        raise PasswordNotFit(faults[0].problem, faults=faults)


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobody = ""

    async def hash(self, password: Secret) -> str:
        async with self._turns:
            return await asyncio.to_thread(_hasher.hash, password.reveal())

    async def matches(self, password: Secret, password_hash: str | None) -> bool:
        """Takes as long for an account that does not exist (None) as for one that does."""
        if password_hash is None:
            self._nobody = self._nobody or await self.hash(Secret("nobody has this password"))
        async with self._turns:
            matched = await asyncio.to_thread(_verify, password_hash or self._nobody, password.reveal())
        return matched and password_hash is not None

    async def prepare(self) -> None:
        """Makes the hash that unknown accounts are checked against: the first such check takes no longer."""
        await self.matches(Secret("somebody"), None)

    @staticmethod
    def outdated(password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return _hasher.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
