"""Passwords for tests, which give the same one to many people."""

from typing import ClassVar

from services.common.secret import Secret
from services.gateway.identity import passwords
from services.gateway.identity.passwords import Passwords


class OneHash(Passwords):
    """Spares the tests the time of hashing the same password again; each hash takes some 0.2 s of a processor."""

    _known: ClassVar[dict[tuple[str, object], str]] = {}

    async def hash(self, password: Secret) -> str:
        key = (password.reveal(), passwords._hasher)  # its costs are lowered for some tests
        if key not in OneHash._known:
            OneHash._known[key] = await super().hash(password)
        return OneHash._known[key]
