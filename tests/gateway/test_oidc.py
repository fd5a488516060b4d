"""Sign-in at a provider: who is confirmed comes in, and nothing that is forged, stale or another's does."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from joserfc.jwk import RSAKey

from services.common.addresses import BaseUrl, UrlPrefix
from services.common.config import ConfigError, load
from services.common.secret import Secret
from services.gateway.config import PARSERS, Config
from services.gateway.identity import oidc
from services.gateway.identity.oidc import Oidc, OidcSettings, ProviderAway
from tests.conftest import DatabaseMaker
from tests.gateway.fakes.provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider, shared_key
from tests.gateway.harness import PASSWORD, Answer, Client, Gateway, Owner, running_gateway
from tests.waiting import eventually, free_port


def settings_of(issuer: str) -> dict[str, Any]:
    secret = Secret(CLIENT_SECRET)
    return {"oidc_issuer": UrlPrefix(issuer), "oidc_client_id": CLIENT_ID, "oidc_client_secret": secret}


@pytest.fixture(scope="module")
async def shared_provider() -> AsyncIterator[Provider]:
    async with running_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
async def door(database_maker: DatabaseMaker, nats: Any, shared_provider: Provider) -> AsyncIterator[Gateway]:
    database = await database_maker.make("gateway", migrated=True)
    settings = settings_of(shared_provider.issuer) | {"oidc_name": "Shop ID"}
    async with running_gateway(database, nats.url, wants_events=False, **settings) as gateway:
        yield gateway


@pytest.fixture
def provider(shared_provider: Provider) -> Provider:
    shared_provider.reset()
    return shared_provider


@pytest.fixture
async def owner(door: Gateway, provider: Provider) -> Owner:
    """Whose address the provider confirms."""
    made = await door.make_owner()
    provider.claims["email"] = made.email
    return made


def state_of(answer: Answer) -> str:
    """The cookie that a browser brings back."""
    return str(answer.headers["Set-Cookie"].split(";")[0])


async def at_the_provider(address: str) -> str:
    """Where the provider sends the browser."""
    async with aiohttp.ClientSession() as browser, browser.get(address, allow_redirects=False) as answer:
        return answer.headers["Location"].removeprefix("https://showbill.example")


async def sign_in(door: Gateway, query: str = "") -> Answer:
    begun = await door.client()("GET", "/sign-in/oidc" + query)
    assert begun.status == 303, begun.text
    back = await at_the_provider(begun.headers["Location"])
    return await door.client(Cookie=state_of(begun))("GET", back)


def browser_of(door: Gateway, answer: Answer) -> Client:
    cookie = next(line for line in answer.headers.getall("Set-Cookie") if "showbill_session" in line)
    return door.client(Cookie=cookie.split(";")[0])


async def test_a_confirmed_person_comes_in(door: Gateway, provider: Provider, owner: Owner) -> None:
    page = await door.client()("GET", "/sign-in?next=/shows/new")
    assert "Sign in with Shop ID" in page.text
    answer = await sign_in(door, "?next=/shows/new")
    assert (answer.status, answer.headers["Location"]) == (303, "/shows/new")
    who = (await browser_of(door, answer)("GET", "/api/session")).json
    assert (who["user"]["email"], who["workspace"]["id"]) == (owner.email, owner.workspace_id)
    asked = provider.asked[-1]
    assert asked["redirect_uri"] == "https://showbill.example/sign-in/oidc/callback"
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert len(asked["state"]) >= 32
    assert len(asked["nonce"]) >= 32


async def test_a_person_is_known_by_subject_from_then_on(door: Gateway, provider: Provider, owner: Owner) -> None:
    await sign_in(door)
    provider.claims |= {"email": "renamed@example.org", "email_verified": False}
    answer = await sign_in(door)
    assert (await browser_of(door, answer)("GET", "/api/session")).json["user"]["email"] == owner.email


async def test_what_a_stranger_may_have_set_up_ends_with_the_link(
    door: Gateway, provider: Provider, owner: Owner
) -> None:
    before = await door.signed_in(owner)
    answer = await sign_in(door)
    assert (await before("GET", "/api/session")).status == 401
    assert (await door.sign_in(owner.email)).status == 401
    body = {"currentPassword": "", "newPassword": "a password of their own"}
    assert (await browser_of(door, answer)("PUT", "/api/password", body)).status == 204
    assert (await door.sign_in(owner.email, "a password of their own")).status == 200
    await sign_in(door)  # the second time nothing is linked, and nothing ends
    assert (await door.sign_in(owner.email, "a password of their own")).status == 200


async def test_an_invited_person_joins_without_a_password(door: Gateway, provider: Provider, owner: Owner) -> None:
    email, token = await door.invite(owner)
    provider.claims["email"] = email.upper()
    assert "Join with Shop ID" in (await door.client()("GET", f"/join/{token}")).text
    answer = await sign_in(door, f"?invitation={token}")
    who = (await browser_of(door, answer)("GET", "/api/session")).json
    assert (who["user"]["name"], who["role"], who["workspace"]["id"]) == ("Robin", "operator", owner.workspace_id)
    assert (await door.accept(token)).status == 404
    again = await sign_in(door)
    assert (await browser_of(door, again)("GET", "/api/session")).json["user"]["id"] == who["user"]["id"]


async def test_the_address_may_be_told_apart_from_the_token(door: Gateway, provider: Provider, owner: Owner) -> None:
    provider.userinfo_only = True
    assert (await sign_in(door)).status == 303


async def test_new_keys_of_the_provider_are_found(door: Gateway, provider: Provider, owner: Owner) -> None:
    assert (await sign_in(door)).status == 303
    provider.roll_keys()
    assert (await sign_in(door)).status == 303


@pytest.mark.parametrize(
    ("claims", "status", "says"),
    [
        ({"email_verified": False}, 403, "has not verified your e-mail address"),
        ({"email_verified": "true"}, 403, "has not verified your e-mail address"),
        ({"email": ""}, 403, "has not verified your e-mail address"),
        ({"email": "nobody@example.org"}, 403, "nobody@example.org belongs to no workspace here"),
    ],
)
async def test_who_is_not_invited_stays_outside(
    door: Gateway, provider: Provider, owner: Owner, claims: dict[str, Any], status: int, says: str
) -> None:
    provider.claims |= claims
    answer = await sign_in(door)
    assert answer.status == status
    assert says in answer.text
    assert "showbill_session" not in str(answer.headers)


async def test_an_invitation_is_for_the_address_it_names(door: Gateway, provider: Provider, owner: Owner) -> None:
    email, token = await door.invite(owner)
    provider.claims["email"] = "another@example.org"
    answer = await sign_in(door, f"?invitation={token}")
    assert answer.status == 403
    assert f"This invitation is for {email}" in answer.text
    assert (await door.accept(token)).status == 200


@pytest.mark.parametrize(
    ("letter", "alike"), [("i", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"), ("k", "\N{KELVIN SIGN}")]
)
async def test_an_address_that_looks_alike_is_anothers(
    door: Gateway, provider: Provider, owner: Owner, letter: str, alike: str
) -> None:
    """Either is a plain letter in lower case, and may be somebody else's mailbox."""
    email, token = await door.invite(owner, email=f"mike-{letter}@example.org")
    provider.claims["email"] = email.replace(letter, alike)
    refused = await sign_in(door, f"?invitation={token}")
    assert (refused.status, f"This invitation is for {email}" in refused.text) == (403, True)
    assert (await door.accept(token)).status == 200
    assert (await sign_in(door)).status == 403
    assert (await door.sign_in(email)).status == 200, "the account keeps its password"


FORGERIES: dict[str, Callable[[Provider], None]] = {
    "another nonce": lambda p: p.forged.update(nonce="x" * 43),
    "no nonce": lambda p: p.forged.update(nonce=None),
    "another audience": lambda p: p.forged.update(aud="somebody else"),
    "another party": lambda p: p.forged.update(azp="somebody else"),
    "another issuer": lambda p: p.forged.update(iss="https://evil.example"),
    "run out": lambda p: p.forged.update(exp=int(time.time()) - 3600),
    "made tomorrow": lambda p: p.forged.update(iat=int(time.time()) + 86_400),
    "no subject": lambda p: p.forged.update(sub=None),
    "another key": lambda p: setattr(p, "key", RSAKey.generate_key(2048)),
    "our own secret": lambda p: (setattr(p, "key", shared_key()), p.header.update(alg="HS256"))[0],  # type: ignore[func-returns-value]
    "a wrong access token hash": lambda p: p.forged.update(at_hash="AAAA"),
    "refusal": lambda p: setattr(p, "denies", True),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_nothing_forged_lets_in(door: Gateway, provider: Provider, owner: Owner, forgery: str) -> None:
    FORGERIES[forgery](provider)
    answer = await sign_in(door)
    assert answer.status == 401
    assert "did not confirm who you are" in answer.text
    assert "showbill_session" not in str(answer.headers)


async def test_an_unsigned_token_is_refused(door: Gateway, provider: Provider, owner: Owner) -> None:
    provider.header = {"alg": "none"}
    assert (await sign_in(door)).status == 401
    assert (
        await door.pool.fetchval("SELECT count(*) FROM user_identities WHERE subject = $1", provider.claims["sub"]) == 0
    )


@pytest.mark.parametrize("way", ["no cookie", "another browser's", "another state", "twice", "too late"])
async def test_a_callback_belongs_to_the_browser_that_began(
    door: Gateway, provider: Provider, owner: Owner, way: str
) -> None:
    begun, other = [await door.client()("GET", "/sign-in/oidc") for _ in range(2)]
    back = await at_the_provider(begun.headers["Location"])
    cookie = {"no cookie": "", "another browser's": state_of(other)}.get(way, state_of(begun))
    if way == "another state":
        back = back.replace("state=", "state=x")
    elif way == "twice":
        assert (await door.client(Cookie=cookie)("GET", back)).status == 303
    elif way == "too late":
        await door.pool.execute("UPDATE oidc_sign_ins SET expires_at = now()")
    answer = await door.client(**({"Cookie": cookie} if cookie else {}))("GET", back)
    assert answer.status == 401
    assert "begun in another browser" in answer.text
    assert "showbill_session" not in str(answer.headers)


async def test_a_code_needs_the_verifier_of_its_sign_in(door: Gateway, provider: Provider, owner: Owner) -> None:
    """A code that was caught on its way is of no use under a sign-in of the thief."""
    theirs, own = [await door.client()("GET", "/sign-in/oidc") for _ in range(2)]
    caught = parse_qs(urlsplit(await at_the_provider(theirs.headers["Location"])).query)["code"][0]
    back = await at_the_provider(own.headers["Location"])
    own_code = parse_qs(urlsplit(back).query)["code"][0]
    answer = await door.client(Cookie=state_of(own))("GET", back.replace(own_code, caught))
    assert answer.status == 401


async def test_only_paths_of_ours_are_returned_to(door: Gateway, provider: Provider, owner: Owner) -> None:
    answer = await sign_in(door, "?next=//evil.example")
    assert answer.headers["Location"] == "/shows"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_link_elsewhere_leads_to_the_invitation_and_not_past_it(door: Gateway, owner: Owner, site: str) -> None:
    """Else a click on it would bring whoever the provider knows into a workspace that they never looked at."""
    _, token = await door.invite(owner)
    elsewhere = door.client(**{"Sec-Fetch-Site": site})
    led = await elsewhere("GET", f"/sign-in/oidc?invitation={token}")
    assert (led.status, led.headers["Location"]) == (303, f"/join/{token}")
    assert "Set-Cookie" not in led.headers
    assert (await elsewhere("GET", "/sign-in/oidc?invitation=/%C3%A9%0a")).headers["Location"] == "/join/%2F%C3%A9%0A"
    ours = await door.client(**{"Sec-Fetch-Site": "same-origin"})("GET", f"/sign-in/oidc?invitation={token}")
    assert ours.headers["Location"].startswith("http")


async def test_a_provider_that_is_away_is_told(database_maker: DatabaseMaker, nats: Any) -> None:
    database = await database_maker.make("gateway", migrated=True)
    settings = settings_of(f"http://127.0.0.1:{free_port()}")
    async with running_gateway(database, nats.url, wants_events=False, **settings) as gateway:
        answer = await gateway.client()("GET", "/sign-in/oidc")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert "cannot be reached just now" in answer.text
        owner = await gateway.make_owner()
        assert (await gateway.sign_in(owner.email, PASSWORD)).status == 200


async def test_a_provider_that_hangs_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes meanwhile is told with the first, and does not wait for the whole time once more."""
    settings = OidcSettings("https://provider.example", "us", Secret("secret"), "Provider")
    door, asked, answer = Oidc(cast(Any, None), settings, BaseUrl("https://showbill.example")), 0, asyncio.Event()

    async def hang(_address: str) -> Any:
        nonlocal asked
        asked += 1
        await answer.wait()
        raise ProviderAway

    monkeypatch.setattr(oidc, "_read", hang)
    coming = [asyncio.create_task(door.begin("/shows", None)) for _ in range(20)]
    await eventually(lambda: asked == 1)
    answer.set()
    told = await asyncio.gather(*coming, return_exceptions=True)
    assert [type(one) for one in told] == [ProviderAway] * 20
    assert asked == 1
    monkeypatch.setattr(door, "_away_until", 0.0)
    with pytest.raises(ProviderAway):
        await door.begin("/shows", None)
    assert asked == 2


async def test_without_a_provider_there_is_no_such_page(gateway: Gateway) -> None:
    assert "or</p>" not in (await gateway.client()("GET", "/sign-in")).text
    for path in ("/sign-in/oidc", "/sign-in/oidc/callback?code=x&state=y"):
        answer = await gateway.client()("GET", path)
        assert (answer.status, "not set up here" in answer.text) == (404, True)


def test_half_a_provider_is_refused_at_start() -> None:
    environment = {
        "DATABASE_URL": "postgres://x@y/z",
        "NATS_URL": "nats://x",
        "SERVICE_SIGNING_KEY": "A" * 43 + "=",
        "INTEGRATIONS_ADDRESS": "x:1",
        "INVOICING_ADDRESS": "x:2",
        "OIDC_ISSUER": "https://id.example.com",
    }
    with pytest.raises(ConfigError, match="Set all three, or none"):
        load(Config, environment, PARSERS)


async def test_a_provider_that_others_wrote_lets_in(database_maker: DatabaseMaker, nats: Any) -> None:
    port = free_port()
    command = (
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        "true",
    )
    claims = '{"sub": "s1", "email": "first@example.com", "email_verified": true}'
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, "--user-claims", claims, stdout=quiet, stderr=quiet)
    issuer = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as browser:

            async def answers() -> bool:
                try:
                    async with browser.get(issuer + "/.well-known/openid-configuration") as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    return False

            await eventually(answers, timeout=30, why="the provider did not come up")
            database = await database_maker.make("gateway", migrated=True)
            async with running_gateway(database, nats.url, wants_events=False, **settings_of(issuer)) as gateway:
                owner = await gateway.make_owner()
                _, token = await gateway.invite(owner, email="first@example.com")
                begun = await gateway.client()("GET", f"/sign-in/oidc?invitation={token}")
                async with browser.post(begun.headers["Location"], data={"sub": "s1"}, allow_redirects=False) as answer:
                    back = answer.headers["Location"].removeprefix("https://showbill.example")
                joined = await gateway.client(Cookie=state_of(begun))("GET", back)
                who = (await browser_of(gateway, joined)("GET", "/api/session")).json
                assert (who["user"]["email"], who["role"]) == ("first@example.com", "operator")
    finally:
        process.terminate()
        await process.wait()
