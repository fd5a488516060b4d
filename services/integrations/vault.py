"""Envelope encryption: each connection's fields are sealed under its own random data key, which the keyring wraps.

A ciphertext is bound to workspace, connection and field: moved to another row or field it does not open. What is
wrapped is the data key and the names of the fields, so that one that was taken out of the table is noticed.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
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


Note = Callable[[str, str], Awaitable[None]]
"""Is told workspace and connection before their keys are opened."""


def context(workspace_id: str, integration_id: str, name: str = "") -> bytes:
    """What a field of a connection is bound to; without a name its data key."""
    return f"{workspace_id}|{integration_id}|{name}".encode()


class Vault:
    """Seals and opens credentials."""

    def __init__(self, keyring: Keyring, note: Note | None = None) -> None:
        self._keyring = keyring
        self._note = note

    async def seal(self, workspace_id: str, integration_id: str, credentials: Mapping[str, Secret]) -> Sealed:
        """Seals all fields under a new data key."""
        data_key = os.urandom(KEY_BYTES)
        cipher = AESGCM(data_key)
        fields = {
            name: seal(cipher, secret.reveal().encode(), context(workspace_id, integration_id, name))
            for name, secret in credentials.items()
        }
        inside = data_key + ",".join(sorted(fields)).encode()
        return Sealed(await self._keyring.wrap(inside, context(workspace_id, integration_id)), fields)

    async def open(self, workspace_id: str, integration_id: str, sealed: Sealed) -> dict[str, Secret]:
        """All fields. Raises UnreadableCredential."""
        await self.note_use(workspace_id, integration_id)
        cipher, names = await self._unwrap(workspace_id, integration_id, sealed.wrapped)
        if lost := names - set(sealed.fields):
            raise UnreadableCredential(f"The stored field '{min(lost)}' is missing.")
        return {
            name: _open(cipher, blob, context(workspace_id, integration_id, name))
            for name, blob in sealed.fields.items()
        }

    async def open_field(
        self, workspace_id: str, integration_id: str, wrapped: WrappedKey, name: str, blob: bytes
    ) -> Secret:
        """One field alone. Raises UnreadableCredential."""
        await self.note_use(workspace_id, integration_id)
        cipher, _ = await self._unwrap(workspace_id, integration_id, wrapped)
        return _open(cipher, blob, context(workspace_id, integration_id, name))

    async def note_use(self, workspace_id: str, integration_id: str) -> None:
        """Counts a use of keys, also of keys that were opened before."""
        if self._note is not None:
            await self._note(workspace_id, integration_id)

    async def _unwrap(self, workspace_id: str, integration_id: str, wrapped: WrappedKey) -> tuple[AESGCM, set[str]]:
        """The data key, and the names of the fields that were sealed under it."""
        inside = await self._keyring.unwrap(wrapped, context(workspace_id, integration_id))
        names = inside[KEY_BYTES:].decode()
        return AESGCM(inside[:KEY_BYTES]), set(names.split(",")) if names else set()


def _open(cipher: AESGCM, blob: bytes, bound_to: bytes) -> Secret:
    try:
        return Secret(open_sealed(cipher, blob, bound_to).decode())
    except (InvalidTag, SealBroken) as error:
        raise UnreadableCredential("A stored credential is damaged or does not belong to its connection.") from error
