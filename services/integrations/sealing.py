"""The one form of everything sealed: version byte, 12 random bytes of nonce, AES-256-GCM ciphertext with its tag."""

import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = b"\x01"
_NONCE: Final = 12


class SealBroken(Exception):
    """The bytes are not of the sealed form."""


def seal(key: AESGCM, plain: bytes, context: bytes) -> bytes:
    """`context` is authenticated, not stored: the same one is needed to open."""
    nonce = os.urandom(_NONCE)
    return VERSION + nonce + key.encrypt(nonce, plain, VERSION + context)


def open_sealed(key: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """Raises InvalidTag for a wrong key or context, SealBroken for an unknown form."""
    if sealed[:1] != VERSION or len(sealed) < 1 + _NONCE:
        raise SealBroken("The sealed bytes are of an unknown version.")
    return key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], VERSION + context)
