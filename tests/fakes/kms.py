"""A key management service: keys that wrap and unwrap far away and never leave it, and a keyring that asks it."""

import asyncio
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.common.errors import Unavailable
from services.integrations.keyring import KeyMissing, WrappedKey, WrongKey


class KeyManagement:
    """The far side. Its keys cannot be read by anybody; `away` and `calls` are for tests."""

    def __init__(self, *ids: str) -> None:
        self.__keys = {one: AESGCM(AESGCM.generate_key(256)) for one in ids}
        self.away = False
        self.calls = 0

    @property
    def ids(self) -> Sequence[str]:
        return tuple(self.__keys)

    def make_current(self, key_id: str) -> None:
        """A new key, first from now on."""
        self.__keys = {key_id: AESGCM(AESGCM.generate_key(256)), **self.__keys}

    def destroy(self, key_id: str) -> None:
        del self.__keys[key_id]

    async def encrypt(self, key_id: str, plain: bytes, context: bytes) -> bytes:
        key = await self._reach(key_id)
        nonce = os.urandom(12)
        return nonce + key.encrypt(nonce, plain, context)

    async def decrypt(self, key_id: str, sealed: bytes, context: bytes) -> bytes:
        return (await self._reach(key_id)).decrypt(sealed[:12], sealed[12:], context)

    async def _reach(self, key_id: str) -> AESGCM:
        self.calls += 1
        await asyncio.sleep(0.001)
        if self.away:
            raise ConnectionRefusedError
        return self.__keys[key_id]


class KmsKeyring:
    """See keyring.Keyring. Holds ids, and no key."""

    def __init__(self, service: KeyManagement) -> None:
        self._service = service

    @property
    def ids(self) -> Sequence[str]:
        return self._service.ids

    async def wrap(self, data_key: bytes, context: bytes, key_id: str = "") -> WrappedKey:
        key_id = key_id or self.ids[0]
        try:
            return WrappedKey(key_id, await self._service.encrypt(key_id, data_key, context))
        except OSError as error:
            raise Unavailable from error

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        try:
            return await self._service.decrypt(wrapped.key_id, wrapped.blob, context)
        except OSError as error:
            raise Unavailable from error
        except KeyError as error:
            raise KeyMissing(f"The key '{wrapped.key_id}' is not in the key management service.") from error
        except InvalidTag as error:
            raise WrongKey(f"The key '{wrapped.key_id}' did not seal this.") from error
