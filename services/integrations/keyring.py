"""The key-encryption keys, by id: they seal the connections' data keys, and nothing else."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.common.secret import Secret
from services.integrations.sealing import SealBroken, open_sealed, seal

KEY_BYTES: Final = 32
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key, sealed under the key that `key_id` names."""

    key_id: str
    blob: bytes = field(repr=False)


class Keyring(Protocol):
    """Wraps data keys. The keys may live in this process or in a key management service.

    Whatever cannot be reached just now raises Unavailable: that is no reason to call a credential unreadable.
    """

    @property
    def ids(self) -> Sequence[str]:
        """The keys that open, the current one first."""

    async def wrap(self, data_key: bytes, context: bytes, key_id: str = "") -> WrappedKey:
        """Seals under the key of this id, or under the current one."""

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Raises KeyMissing or WrongKey."""


class UnreadableCredential(Exception):
    """A stored credential cannot be opened; the message says why and holds no secret."""


class KeyMissing(UnreadableCredential):
    """The key that sealed it is not here."""


class WrongKey(UnreadableCredential):
    """The key of this id is not the one that sealed it, or what was sealed was tampered with."""


class LocalKeyring(dict[str, AESGCM]):
    """Keys held in this process, by id. The first is the current one: what is sealed from now on is sealed with it."""

    @property
    def ids(self) -> Sequence[str]:
        return tuple(self)

    async def wrap(self, data_key: bytes, context: bytes, key_id: str = "") -> WrappedKey:
        key_id = key_id or next(iter(self))
        return WrappedKey(key_id, seal(self[key_id], data_key, context + key_id.encode()))

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        key = self.get(wrapped.key_id)
        if key is None:
            raise KeyMissing(f"The key-encryption key '{wrapped.key_id}' is not among the keys here.")
        try:
            return open_sealed(key, wrapped.blob, context + wrapped.key_id.encode())
        except (InvalidTag, SealBroken) as error:
            raise WrongKey(f"The key '{wrapped.key_id}' here is not the one that sealed this connection.") from error


def read_entries(text: str) -> dict[str, Secret]:
    """Reads `id=base64`, separated by commas or lines, lines that begin with # left out; the current key comes first.

    Raises ValueError naming the entry that is wrong.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    parts = [part.strip() for part in ",".join(lines).split(",")]
    entries: dict[str, Secret] = {}
    for entry in [part for part in parts if part] or [""]:
        key_id, _, encoded = entry.partition("=")
        if not _ID.fullmatch(key_id) or len(_decode(encoded)) != KEY_BYTES:
            # The id alone: were the form wrong, it could be the key that stands before the sign.
            name = key_id if _ID.fullmatch(key_id) else "?"
            raise ValueError(f"the entry '{name}' is not id=base64 of {KEY_BYTES} bytes")
        if key_id in entries:
            raise ValueError(f"the id '{key_id}' is there twice")
        entries[key_id] = Secret(encoded)
    return entries


def keyring_of(entries: Mapping[str, Secret]) -> LocalKeyring:
    return LocalKeyring({key_id: AESGCM(_decode(encoded.reveal())) for key_id, encoded in entries.items()})


def parse_keyring(text: str) -> LocalKeyring:
    """The keyring that a text says. Raises ValueError naming the entry that is wrong."""
    return keyring_of(read_entries(text))


def is_key_id(text: str) -> bool:
    """Up to 32 letters, digits, dots, dashes and underscores."""
    return _ID.fullmatch(text) is not None


def names(key_ids: Iterable[str]) -> str:
    """Ids for a sentence: 'a', 'b'."""
    return ", ".join(f"'{one}'" for one in key_ids)


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""
