"""Nobody can plant a session: what a browser brings along is never what it is signed in by."""

import asyncio
from typing import Any

import pytest

from services.common.addresses import BaseUrl
from services.gateway.proxies import parse_networks
from tests.conftest import DatabaseMaker
from tests.gateway.harness import PASSWORD, Answer, Gateway, Owner, running_gateway, session_line


def cookie_of(answer: Answer) -> tuple[str, str]:
    name, _, value = session_line(answer).split(";")[0].partition("=")
    return name, value


@pytest.mark.parametrize("path", ["/api/session", "/sign-in"])
async def test_signing_in_makes_a_token_that_nobody_had(gateway: Gateway, owner: Owner, path: str) -> None:
    planted = "__Host-showbill_session=" + "a" * 43
    body = {"email": owner.email, "password": PASSWORD}
    sent: dict[str, Any] = {"body": body} if path.startswith("/api") else {"data": body}
    answer = await gateway.client(Cookie=planted)("POST", path, **sent)
    assert cookie_of(answer)[1] not in ("", "a" * 43)
    assert (await gateway.client(Cookie=planted)("GET", "/api/session")).status == 401


async def test_signing_in_again_ends_the_session_before(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    attacker = await gateway.sign_in(other.email)
    victim = gateway.browser(attacker)  # who was made to carry the attacker's session
    answer = await victim("POST", "/api/session", {"email": owner.email, "password": PASSWORD})
    assert cookie_of(answer) != cookie_of(attacker)
    assert (await gateway.browser(attacker)("GET", "/api/session")).status == 401
    assert (await gateway.browser(answer)("GET", "/api/session")).json["user"]["email"] == owner.email


async def test_a_wrong_password_ends_nothing(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    assert (await browser("POST", "/api/session", {"email": owner.email, "password": "wrong"})).status == 401
    assert (await browser("GET", "/api/session")).status == 200


async def test_an_invitation_replaces_the_session_of_the_browser(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    _, token = await gateway.invite(owner)
    body = {"token": token, "name": "Ann", "password": PASSWORD}
    joined = await browser("POST", "/api/invitations/accept", body)
    assert joined.status == 200
    assert (await browser("GET", "/api/session")).status == 401


async def test_a_neighbours_cookie_is_not_taken_behind_tls(gateway: Gateway, owner: Owner) -> None:
    name, value = cookie_of(await gateway.sign_in(owner.email))
    assert name == "__Host-showbill_session"
    # The plain name can be set by any subdomain, and without TLS.
    assert (await gateway.client(Cookie=f"showbill_session={value}")("GET", "/api/session")).status == 401


async def test_tls_is_told_by_a_trusted_proxy_alone(database_maker: DatabaseMaker, nats: Any) -> None:
    database = await database_maker.make("gateway", migrated=True)
    settings = {"public_url": BaseUrl("http://showbill.internal"), "trusted_proxies": parse_networks("127.0.0.0/8")}
    async with running_gateway(database, nats.url, wants_events=False, **settings) as gateway:
        owner = await gateway.make_owner()
        body = {"email": owner.email, "password": PASSWORD}
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
        plain, secure = await asyncio.gather(
            gateway.client()("POST", "/api/session", body), gateway.client(**forwarded)("POST", "/api/session", body)
        )
        assert cookie_of(plain)[0] == "showbill_session"
        assert "Secure" not in session_line(plain)
        assert "Strict-Transport-Security" not in plain.headers
        assert cookie_of(secure)[0] == "__Host-showbill_session"
        assert "Secure" in session_line(secure)
        assert secure.headers["Strict-Transport-Security"]
        listed = await gateway.browser(plain)("GET", "/api/sessions")
        assert {one["address"] for one in listed.json["items"]} == {"127.0.0.1", "198.51.100.7"}
