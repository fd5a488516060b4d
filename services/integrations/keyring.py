"""The key-encryption keys, by id: they seal the connections' data keys, and nothing else."""

import base64
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.integrations.sealing import SealBroken, open_sealed, seal

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key, sealed under the key that `key_id` names."""

    key_id: str
    blob: bytes


class Keyring(Protocol):
    """Wraps data keys. The keys may live in this process or in a key management service."""

    async def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        """Seals under the current key."""

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Raises UnreadableCredential."""


class UnreadableCredential(Exception):
    """A stored credential cannot be opened; the message says why and holds no secret."""


class LocalKeyring(dict[str, AESGCM]):
    """Keys held in this process, by id. The first is the current one: what is sealed from now on is sealed with it."""

    async def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        key_id = next(iter(self))
        return WrappedKey(key_id, seal(self[key_id], data_key, context + key_id.encode()))

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        key = self.get(wrapped.key_id)
        if key is None:
            raise UnreadableCredential(f"The key-encryption key '{wrapped.key_id}' is not in CREDENTIAL_KEYS.")
        try:
            return open_sealed(key, wrapped.blob, context + wrapped.key_id.encode())
        except (InvalidTag, SealBroken) as error:
            raise UnreadableCredential(
                f"The key '{wrapped.key_id}' in CREDENTIAL_KEYS is not the one that sealed this connection."
            ) from error


def parse_keyring(text: str) -> LocalKeyring:
    """Reads `id=base64,id=base64`, the current key first. Raises ValueError naming the entry that is wrong."""
    keyring = LocalKeyring()
    for entry in text.split(","):
        key_id, _, encoded = entry.strip().partition("=")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id or len(key) != KEY_BYTES:
            # The id alone: were the form wrong, it could be the key that stands before the sign.
            name = key_id if 0 < len(key_id) <= 32 else "?"
            raise ValueError(f"the entry '{name}' is not id=base64 of {KEY_BYTES} bytes")
        if key_id in keyring:
            raise ValueError(f"the id '{key_id}' is there twice")
        keyring[key_id] = AESGCM(key)
    return keyring
