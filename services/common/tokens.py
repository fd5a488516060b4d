"""Service tokens: short-lived, signed with the calling service's own Ed25519 key: no service can pose as another.

Claims: `iss` the calling service, `aud` the called one, `ws` the workspace (absent when service-wide), `sub` the actor,
`plan`, `iat`, `exp`.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.common.context import Identity
from services.common.errors import Unauthenticated
from services.common.secret import Secret

LIFETIME: Final = 120
"""Seconds that a token is valid."""
_REUSE: Final = 60
_SKEW: Final = 10
"""Seconds by which the clocks of two machines may differ."""
_REMEMBERED: Final = 4096


class BadServiceToken(Unauthenticated):
    """The call carries no valid service token. Services sign one with their own key for each call."""

    reason = "BAD_SERVICE_TOKEN"


class Signer:
    """Mints tokens in the name of one service."""

    def __init__(self, service: str, seed: Secret) -> None:
        """`seed` is the base64 of the raw 32 bytes of the service's Ed25519 key."""
        self._service = service
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed.reveal(), validate=True))
        self._minted: dict[tuple[str, Identity], tuple[float, str]] = {}

    def mint(self, audience: str, identity: Identity) -> str:
        """A token for a call to `audience`; the same one again while it is fresh."""
        now = time.time()
        until, token = self._minted.get((audience, identity), (0.0, ""))
        if now < until:
            return token
        claims: dict[str, object] = {
            "iss": self._service,
            "aud": audience,
            "sub": identity.actor,
            "plan": identity.plan,
            "iat": int(now),
            "exp": int(now) + LIFETIME,
        }
        if identity.workspace_id:
            claims["ws"] = identity.workspace_id
        token = jwt.encode(claims, self._key, algorithm="EdDSA")
        if len(self._minted) >= _REMEMBERED:
            self._minted.clear()
        self._minted[audience, identity] = (now + _REUSE, token)
        return token


@dataclass(frozen=True, slots=True)
class Caller:
    """What a verified token says."""

    service: str
    identity: Identity
    expires: float


class Verifier:
    """Checks tokens that are addressed to one service."""

    def __init__(self, audience: str, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._audience = audience
        self._keys = keys
        self._verified: dict[str, Caller] = {}

    def verify(self, token: str) -> Caller:
        """Raises BadServiceToken for a token that is malformed, expired, meant for another, or signed by a stranger."""
        known = self._verified.get(token)
        if known is not None and time.time() < known.expires:
            return known
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
            claims = jwt.decode(
                token,
                self._keys[issuer],
                algorithms=["EdDSA"],
                audience=self._audience,
                leeway=_SKEW,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.InvalidTokenError, KeyError, TypeError) as error:
            raise BadServiceToken from error
        identity = Identity(str(claims.get("ws", "")), str(claims["sub"]), str(claims.get("plan", "free")))
        caller = Caller(issuer, identity, float(claims["exp"]))
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[token] = caller
        return caller


class SigningKey(Secret):
    """The base64 of the raw 32 bytes of a service's own Ed25519 key."""

    __slots__ = ()


def parse_signing_key(text: str) -> SigningKey:
    """Raises ValueError, without the key, for what is no key."""
    key = SigningKey(text)
    try:
        public_key_of(key)
    except ValueError:
        raise ValueError("it must be the base64 of 32 bytes, as `openssl rand -base64 32` prints them") from None
    return key


class PublicKeys(dict[str, Ed25519PublicKey]):
    """The public keys of all services that may call, by name."""


def parse_public_keys(text: str) -> PublicKeys:
    """Reads `name=base64,name=base64`. Raises ValueError naming the entry that is wrong."""
    keys = PublicKeys()
    for entry in text.split(","):
        name, _, encoded = entry.strip().partition("=")
        try:
            keys[name] = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded, validate=True))
        except ValueError as error:
            raise ValueError(f"the entry '{name}' is not name=base64 of a raw Ed25519 public key") from error
    return keys


def public_key_of(seed: Secret) -> str:
    """The base64 of the raw public key that belongs to a seed, as SERVICE_PUBLIC_KEYS wants it."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed.reveal(), validate=True))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
