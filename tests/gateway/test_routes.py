"""Every route of the application, and who may use it."""

from typing import Any

import aiohttp
import pytest

from services.common.errors import NotFound
from services.gateway.app import ROUTES
from services.gateway.identity.access import RULES, SOCKET, Rule
from services.gateway.identity.principal import Scope
from services.gateway.realtime.websocket import realtime
from services.gateway.webhooks import stripe
from tests.gateway.harness import Client, Gateway, Owner

GUARDED = sorted(route for route, rule in RULES.items() if rule.guarded)
PROTECTED = [route for route in GUARDED if route[1].startswith("/api/")]
PAGES = [route for route in GUARDED if not route[1].startswith("/api/")]
SCOPED = [route for route in GUARDED if RULES[route].scope is not None]
PEOPLES = [route for route in GUARDED if RULES[route] is Rule.PERSON]
WRITES = sorted(
    route for route, rule in RULES.items() if route[0] not in ("GET", SOCKET) and (rule.guarded or rule is Rule.SIGN_IN)
)
OWNERS_ONLY = [route for route in PROTECTED if RULES[route].owners_only]
OWNERS_PAGES = [route for route in PAGES if RULES[route].owners_only]


@pytest.fixture(scope="module")
async def resident(shared_gateway: Gateway) -> Owner:
    """An owner for all of these tests: none of them gets past the door."""
    return await shared_gateway.make_owner()


@pytest.fixture(scope="module")
async def lacking(shared_gateway: Gateway, resident: Owner) -> dict[Scope, Client]:
    """Callers with an owner's token that has every scope but one."""
    clients = {}
    for scope in Scope:
        others = [one.value for one in Scope if one is not scope]
        body = {"name": f"no {scope.value}", "role": "owner", "scopes": others}
        made = await resident.client("POST", "/api/tokens", body)
        clients[scope] = shared_gateway.bearer(made.json["token"])
    return clients


@pytest.fixture(scope="module")
async def lured(shared_gateway: Gateway, resident: Owner) -> Client:
    """The owner's browser, on the page of another site."""
    return await shared_gateway.signed_in(resident, Origin="https://evil.example", **{"Sec-Fetch-Site": "cross-site"})


@pytest.fixture(scope="module")
async def operating(shared_gateway: Gateway, resident: Owner) -> Client:
    return await shared_gateway.make_operator(resident)


def addressed(path: str) -> str:
    """A path with something in the place of each parameter."""
    return path.replace("{", "").replace("}", "")


def test_every_route_has_exactly_one_rule() -> None:
    found = (
        {
            (method, path.replace(":str", "").replace(":path", ""))
            for router in ROUTES
            for route in router.routes
            for handler in getattr(route, "route_handlers", [])
            for method in handler.http_methods
            for path in handler.paths
            if method != "OPTIONS"
        }
        | {(SOCKET, path) for path in realtime.paths}
        | {("POST", path) for path in stripe.PATHS}
    )
    assert found == set(RULES)


async def test_a_route_without_a_rule_lets_nobody_in(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(RULES, ("GET", "/api/shows"))
    answer = await owner.client("GET", "/api/shows")
    assert (answer.status, answer.json["type"]) == (403, "urn:showbill:problem:forbidden")
    assert answer.json["detail"] == "You are not allowed to do this. Ask an owner of the workspace."
    assert not gateway.invoicing.calls


@pytest.mark.parametrize("route", PROTECTED, ids=" ".join)
@pytest.mark.parametrize("token", ["", "showbill_" + "x" * 43, "Basic"])
async def test_anonymous_and_strangers_get_401(gateway: Gateway, route: tuple[str, str], token: str) -> None:
    method, path = route
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = gateway.client(**headers)
    if method == SOCKET:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.listen()
        assert refused.value.status == 401
        return
    answer = await client(method, addressed(path))
    assert (answer.status, answer.json["status"]) == (401, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not gateway.invoicing.calls
    assert not gateway.integrations.calls


@pytest.mark.parametrize("route", PAGES, ids=" ".join)
@pytest.mark.parametrize("cookie", ["", "__Host-showbill_session=" + "x" * 43])
async def test_anonymous_on_a_page_goes_to_sign_in(gateway: Gateway, route: tuple[str, str], cookie: str) -> None:
    method, path = route
    client = gateway.client(**({"Cookie": cookie} if cookie else {}))
    page = await client(method, addressed(path))
    assert (page.status, page.headers["Location"].split("?")[0]) == (303, "/sign-in")
    part = await client(method, addressed(path), headers={"HX-Request": "true"})
    assert (part.status, part.headers["HX-Redirect"]) == (200, "/sign-in")
    assert not gateway.invoicing.calls
    assert not gateway.integrations.calls


@pytest.mark.parametrize("route", WRITES, ids=" ".join)
async def test_a_write_from_another_site_is_refused(gateway: Gateway, lured: Client, route: tuple[str, str]) -> None:
    answer = await lured(route[0], addressed(route[1]))
    assert answer.status == 403
    assert "This request came from another site." in answer.text
    assert "Set-Cookie" not in answer.headers
    assert not gateway.invoicing.calls
    assert not gateway.integrations.calls


@pytest.mark.parametrize("route", SCOPED, ids=" ".join)
async def test_a_token_without_the_scope_gets_403(
    gateway: Gateway, lacking: dict[Scope, Client], route: tuple[str, str]
) -> None:
    method, path = route
    wanted = RULES[route].scope
    assert wanted is not None
    client = lacking[wanted]
    if method == SOCKET:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.listen()
        assert refused.value.status == 403
        return
    answer = await client(method, addressed(path))
    assert answer.status == 403
    assert f"it lacks the scope {wanted.value}." in answer.text
    assert not gateway.invoicing.calls
    assert not gateway.integrations.calls


@pytest.mark.parametrize("route", PEOPLES, ids=" ".join)
async def test_what_is_a_persons_own_no_token_may_do(gateway: Gateway, resident: Owner, route: tuple[str, str]) -> None:
    answer = await resident.client(route[0], addressed(route[1]))
    assert answer.status == 403
    assert "An API token cannot do this. Sign in with your own account." in answer.text


def test_routes_without_a_scope_are_known_by_name() -> None:
    free = {route for route in GUARDED if RULES[route] is Rule.KNOWN}
    assert free == {("GET", "/api/session"), ("DELETE", "/api/session"), ("POST", "/sign-out"), ("GET", "/")}


async def test_an_operator_who_signed_in_gets_403_on_every_owners_route(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    for method, path in [*OWNERS_ONLY, *OWNERS_PAGES]:
        answer = await member.browser(method, addressed(path))
        assert (method, path, answer.status) == (method, path, 403)
        assert "Only an owner of the workspace may do this. Ask an owner." in answer.text
    assert not gateway.integrations.calls


@pytest.mark.parametrize("route", OWNERS_PAGES, ids=" ".join)
async def test_an_operator_reads_who_may_do_it(gateway: Gateway, operating: Client, route: tuple[str, str]) -> None:
    answer = await operating(route[0], addressed(route[1]))
    assert answer.status == 403
    assert "Only an owner of the workspace may do this. Ask an owner." in answer.text
    assert not gateway.integrations.calls


@pytest.mark.parametrize("route", OWNERS_ONLY, ids=" ".join)
async def test_an_operator_gets_403_on_owners_routes(
    gateway: Gateway, operating: Client, route: tuple[str, str]
) -> None:
    answer = await operating(route[0], addressed(route[1]))
    assert answer.status == 403
    assert answer.json["detail"] == "Only an owner of the workspace may do this. Ask an owner."
    assert not gateway.integrations.calls


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/nothing", 404, "no-such-route"),
        ("DELETE", "/api/shows", 405, "method-not-allowed"),
        ("OPTIONS", "/api/shows", 401, "unauthenticated"),
        ("GET", "/api/nothing/../shows", 401, "unauthenticated"),
    ],
)
async def test_refusals_of_the_web_layer_are_problems(
    gateway: Gateway, method: str, path: str, status: int, kind: str
) -> None:
    answer = await gateway.client()(method, path)
    assert answer.status == status
    assert answer.json["type"] == f"urn:showbill:problem:{kind}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/api/session", "/api/health/live", "/sign-in", "/p/unknown", "/static/pay.css"])
async def test_head_answers_what_get_answers_without_its_body(gateway: Gateway, owner: Owner, path: str) -> None:
    """Chat apps and those who watch whether we are up ask so."""
    gateway.invoicing.script("ResolvePayLink", NotFound(what="pay link"))
    whole, head = await owner.client("GET", path), await owner.client("HEAD", path)
    assert (head.status, head.text) == (whole.status, "")
    for name in ("Content-Type", "Content-Length", "Cache-Control", "Content-Security-Policy"):
        assert head.headers[name] == whole.headers[name]
    assert (await gateway.client()("HEAD", "/api/shows")).status == 401


async def test_every_answer_carries_strict_headers(gateway: Gateway, owner: Owner) -> None:
    answers: list[Any] = [
        await owner.client("GET", "/api/session"),
        await gateway.client()("GET", "/api/shows"),
        await gateway.client()("GET", "/api/docs"),
        await gateway.client()("GET", "/p/unknown"),
        await gateway.client()("GET", "/static/pay.css"),
        await gateway.client()("GET", "/sign-in"),
        await gateway.client()("GET", "/nowhere"),
        await gateway.client()("GET", "/nowhere", headers={"Accept": "text/html"}),
        await gateway.client()("PUT", "/static/pay.css"),
        await gateway.client()("GET", "/static/nothing.css"),
        await gateway.client()("GET", "/api/webhooks/stripe"),
        await gateway.client()("POST", "/api/webhooks/stripe/x", data=b"{}"),
        await gateway.client()("POST", "/api/session", data=b"{", headers={"Content-Type": "application/json"}),
        await owner.client("POST", "/api/shows", {"name": "x" * 2_000_000, "currency": "GBP"}),
        await gateway.client()("GET", "/api/realtime"),
        await gateway.client()("GET", "/shows"),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age")
        assert "Server" not in answer.headers
    assert answers[0].headers["Cache-Control"] == "no-store"


async def test_callers_request_id_travels_to_services(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("GET", "/api/shows", headers={"X-Request-Id": "my-request-17"})
    assert answer.headers["X-Request-Id"] == "my-request-17"
    assert gateway.invoicing.calls["ListShows"][0].request_id == "my-request-17"


async def test_workspace_and_actor_travel_in_the_token(gateway: Gateway, owner: Owner) -> None:
    await owner.client("GET", "/api/shows")
    browser = await gateway.signed_in(owner)
    await browser("GET", "/api/shows")
    by_token, by_session = (call.identity for call in gateway.invoicing.calls["ListShows"])
    assert by_token.workspace_id == by_session.workspace_id == owner.workspace_id
    assert by_token.actor.startswith("token:")
    assert by_session.actor.startswith("user:")
