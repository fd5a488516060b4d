"""Envelope encryption: each connection's fields are sealed under its own random data key, which the keyring wraps.

A ciphertext is bound to workspace, connection and field: moved to another row or field it does not open.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.common.secret import Secret
from services.integrations.keyring import KEY_BYTES, Keyring, UnreadableCredential, WrappedKey
from services.integrations.sealing import SealBroken, open_sealed, seal


@dataclass(frozen=True, slots=True)
class Sealed:
    """A connection's credentials as they are stored."""

    wrapped: WrappedKey = field(repr=False)
    fields: Mapping[str, bytes] = field(repr=False)


def _context(workspace_id: str, integration_id: str, name: str) -> bytes:
    return f"{workspace_id}|{integration_id}|{name}".encode()


class Vault:
    """Seals and opens credentials."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def seal(self, workspace_id: str, integration_id: str, credentials: Mapping[str, Secret]) -> Sealed:
        """Seals all fields under a new data key."""
        data_key = os.urandom(KEY_BYTES)
        cipher = AESGCM(data_key)
        fields = {
            name: seal(cipher, secret.reveal().encode(), _context(workspace_id, integration_id, name))
            for name, secret in credentials.items()
        }
        return Sealed(await self._keyring.wrap(data_key, _context(workspace_id, integration_id, "")), fields)

    async def open(self, workspace_id: str, integration_id: str, sealed: Sealed) -> dict[str, Secret]:
        """Raises UnreadableCredential."""
        data_key = await self._keyring.unwrap(sealed.wrapped, _context(workspace_id, integration_id, ""))
        cipher = AESGCM(data_key)
        try:
            return {
                name: Secret(open_sealed(cipher, blob, _context(workspace_id, integration_id, name)).decode())
                for name, blob in sealed.fields.items()
            }
        except (InvalidTag, SealBroken) as error:
            raise UnreadableCredential(
                "A stored credential is damaged or does not belong to its connection."
            ) from error
