"""A small OpenID Connect provider on a real socket: signs with keys of its own, insists on PKCE, lies when told to."""

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "showbill", "a secret between the two, of some length"


@dataclass
class Provider:
    """Whoever comes to it is the person that `claims` describe, and signs in without being asked."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    forged: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token that it puts in the place of the right ones."""
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256"})
    key: Any = None
    """What the ID token is signed with, where that is not the published key."""
    denies: bool = False
    userinfo_only: bool = False
    """Whether the address is told at the userinfo endpoint alone."""
    asked: list[dict[str, str]] = field(default_factory=list)
    redeemed: list[dict[str, Any]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _keys: KeySet = field(default_factory=lambda: KeySet([RSAKey.generate_key(2048, {"kid": "1"})]))

    def reset(self) -> None:
        self.claims = {"sub": secrets.token_hex(8), "email": "", "email_verified": True, "name": "Robin"}
        self.forged, self.header, self.key = {}, {"alg": "RS256", "kid": self._keys.keys[0].kid}, None
        self.denies = self.userinfo_only = False

    def roll_keys(self) -> None:
        self._keys = KeySet([RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})])
        self.header["kid"] = self._keys.keys[0].kid

    async def describe(self, _request: web.Request) -> web.Response:
        paths = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return web.json_response(
            {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
                **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in paths.items()},
            }
        )

    async def publish(self, _request: web.Request) -> web.Response:
        return web.json_response(self._keys.as_dict(private=False))

    async def authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        self.asked.append(asked)
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        said = {"error": "access_denied"} if self.denies else {"code": code, "iss": self.issuer}
        query = urlencode({**said, "state": asked["state"]})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{query}")

    async def redeem(self, request: web.Request) -> web.Response:
        form: dict[str, Any] = dict(await request.post())
        self.redeemed.append(form)
        asked = self._codes.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            request.headers["Authorization"]
            != f"Basic {base64.b64encode(f'{CLIENT_ID}:{CLIENT_SECRET}'.encode()).decode()}"
            or asked is None
            or challenge != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= {"sub": self.claims["sub"]} if self.userinfo_only else self.claims
        claims = {name: value for name, value in (claims | self.forged).items() if value is not None}
        algorithms = [self.header["alg"]]
        token = jwt.encode(self.header, claims, self.key or self._keys.keys[0], algorithms=algorithms)
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})

    async def tell(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer x"
        return web.json_response(self.claims)


def shared_key() -> OctKey:
    """A key that is no key pair: the client's secret."""
    return OctKey.import_key(CLIENT_SECRET)


@asynccontextmanager
async def running_provider() -> AsyncIterator[Provider]:
    provider = Provider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.describe)
    app.router.add_get("/keys", provider.publish)
    app.router.add_get("/authorize", provider.authorize)
    app.router.add_post("/token", provider.redeem)
    app.router.add_get("/userinfo", provider.tell)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    provider.issuer = f"http://{host}:{port}"
    provider.reset()
    yield provider
    await runner.cleanup()
