"""Sign-in at an OpenID Connect provider: authorization code with PKCE, state and nonce.

What is agreed on before the browser leaves stands in Postgres under the hash of `state`, which the browser brings back
twice: in the address, and in a cookie that no other browser has.
"""

import asyncio
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.common.addresses import BaseUrl
from services.common.db import Pool
from services.common.errors import NotFound, Unauthenticated, Unavailable
from services.common.secret import Secret
from services.gateway.identity.credentials import fingerprint, new_session_token
from services.gateway.queries import SQL

log = structlog.get_logger()

CALLBACK: Final = "/sign-in/oidc/callback"
LIFETIME: Final = 600
"""Seconds that somebody may take at the provider."""
_SCOPE: Final = "openid email profile"
_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
"""Signatures with a key of the provider's own. Never none, and none that is made with the client's secret."""
_PATIENCE: Final = 10.0
_TLS: Final = httpx2.create_ssl_context()
"""One for all: reading the authorities takes longer than asking the provider."""
_KEPT: Final = 3600.0
"""Seconds that the provider's description and keys are kept."""
_REST: Final = 3.0
"""Seconds for which a provider that could not be read is not asked again: they who wait would each ask in turn."""
_LEEWAY: Final = 60
"""Seconds that clocks may differ."""


class OidcOff(NotFound):
    """Sign-in at a provider is not set up here. Sign in with e-mail address and password."""


class SignInLapsed(Unauthenticated):
    """This sign-in took too long, or was begun in another browser. Begin again."""

    reason = "OIDC_SIGN_IN_LAPSED"


class ProviderRefused(Unauthenticated):
    """Your sign-in provider did not confirm who you are. Begin again, or ask whoever runs it."""

    reason = "OIDC_REFUSED"


class ProviderAway(Unavailable):
    """Your sign-in provider cannot be reached just now. Try again in a moment."""

    reason = "OIDC_PROVIDER_AWAY"


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The provider, and who we are there."""

    issuer: str
    client_id: str
    client_secret: Secret
    name: str
    """As the button says it."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the provider says of a person, and what the sign-in was begun for."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    return_to: str
    invitation_token_hash: bytes | None


class Oidc:
    """The provider that the settings name, if any."""

    def __init__(self, pool: Pool, settings: OidcSettings | None, base_url: BaseUrl) -> None:
        self._pool = pool
        self._settings = settings
        self._redirect_uri = base_url + CALLBACK
        self._provider: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._away_until = 0.0
        self._reading = asyncio.Lock()

    @property
    def name(self) -> str:
        """Empty where there is none."""
        return self._settings.name if self._settings else ""

    async def begin(self, return_to: str, invitation_token: str | None) -> tuple[str, Secret]:
        """The address at the provider, and the `state` for the browser's cookie. Raises OidcOff, ProviderAway."""
        provider = await self._read_provider()
        state, nonce, verifier = (new_session_token() for _ in range(3))
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                provider["authorization_endpoint"],
                state=state.reveal(),
                code_verifier=verifier.reveal(),
                nonce=nonce.reveal(),
            )
        invited = fingerprint(invitation_token) if invitation_token else None
        await self._pool.execute(
            SQL["begin_oidc"],
            *(fingerprint(state.reveal()), nonce.reveal(), verifier.reveal(), return_to, invited, LIFETIME),
        )
        return str(address), state

    async def finish(self, answer: Mapping[str, str], state: str) -> Confirmed:
        """`answer` is the query that the browser comes back with, `state` what its cookie carries.

        Raises SignInLapsed, ProviderRefused, ProviderAway, OidcOff.
        """
        provider = await self._read_provider()
        if not state or not hmac.compare_digest(state.encode(), answer.get("state", "").encode()):
            raise SignInLapsed
        begun = await self._pool.fetchrow(SQL["end_oidc"], fingerprint(state))
        if begun is None:
            raise SignInLapsed
        if answer.get("iss", provider["issuer"]) != provider["issuer"] or not answer.get("code"):
            log.info("sign-in refused by the provider", error=answer.get("error", "")[:100])
            raise ProviderRefused
        claims = await self._redeem(provider, answer["code"], begun["code_verifier"], begun["nonce"])
        return Confirmed(
            issuer=provider["issuer"],
            subject=str(claims["sub"]),
            email=str(claims.get("email") or ""),
            email_verified=claims.get("email_verified") is True,
            name=str(claims.get("name") or "")[:200],
            return_to=begun["return_to"],
            invitation_token_hash=begun["invitation_token_hash"],
        )

    async def sweep(self) -> None:
        await self._pool.execute(SQL["forget_oidc"])

    def _client(self) -> Any:
        if self._settings is None:
            raise OidcOff
        return AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret.reveal(),
            token_endpoint_auth_method=_way_to_prove(self._provider),
            scope=_SCOPE,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=_PATIENCE,
            verify=_TLS,
        )

    async def _redeem(self, provider: dict[str, Any], code: str, verifier: str, nonce: str) -> dict[str, Any]:
        """The claims of the person that the code stands for, each checked."""
        try:
            async with self._client() as client:
                tokens = await client.fetch_token(
                    provider["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
                )
                claims = await self._check(provider, tokens, nonce)
                if "email" not in claims and "userinfo_endpoint" in provider:
                    told = (await client.get(provider["userinfo_endpoint"])).raise_for_status().json()
                    claims |= told if told.get("sub") == claims["sub"] else {}
        except httpx2.TransportError as error:
            raise ProviderAway from error
        except (AuthlibBaseError, JoseError, httpx2.HTTPStatusError, KeyError, TypeError, ValueError) as error:
            log.warning("the provider's answer is not good", problem=type(error).__name__)
            raise ProviderRefused from error
        return claims

    async def _check(self, provider: dict[str, Any], tokens: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Signature, issuer, audience, times, nonce and access token hash of the ID token."""
        assert self._settings is not None
        try:
            token = jwt.decode(tokens["id_token"], await self._read_keys(), algorithms=_ALGORITHMS)
        except JoseError:  # it may have new keys
            token = jwt.decode(tokens["id_token"], await self._read_keys(anew=True), algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider["issuer"]},
                "aud": {"essential": True, "value": self._settings.client_id},
            },
            params={
                "nonce": nonce,
                "client_id": self._settings.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(leeway=_LEEWAY)
        return dict(claims)

    async def _read_provider(self) -> dict[str, Any]:
        """The provider's description of itself, kept for an hour."""
        if self._settings is None:
            raise OidcOff
        async with self._reading:
            if not self._provider or time.monotonic() > self._read_at + _KEPT:
                if time.monotonic() < self._away_until:
                    raise ProviderAway
                try:
                    found = await _read(f"{self._settings.issuer}/.well-known/openid-configuration")
                except ProviderAway:
                    self._away_until = time.monotonic() + _REST
                    raise
                if found.get("issuer", "").rstrip("/") != self._settings.issuer:
                    log.error("the provider names another issuer", issuer=str(found.get("issuer"))[:200])
                    raise ProviderAway
                self._provider, self._keys, self._read_at = found, None, time.monotonic()
        return self._provider

    async def _read_keys(self, *, anew: bool = False) -> KeySet:
        async with self._reading:
            if self._keys is None or anew:
                self._keys = KeySet.import_key_set(await _read(self._provider["jwks_uri"]))
            return self._keys


async def _read(address: str) -> Any:
    try:
        async with httpx2.AsyncClient(timeout=_PATIENCE, verify=_TLS) as client:
            return (await client.get(address)).raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        log.warning("the sign-in provider cannot be read", problem=type(error).__name__)
        raise ProviderAway from error


def _way_to_prove(provider: dict[str, Any]) -> str:
    """How we prove to be ourselves at the token endpoint; the header, where the provider does not say."""
    ways = provider.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
