"""Every route of the application, and who may use it."""

from typing import Any

import aiohttp
import pytest

from services.gateway.app import ROUTES
from services.gateway.identity.access import RULES, SOCKET, Rule
from services.gateway.realtime.websocket import realtime
from tests.gateway.harness import Gateway, Owner

PROTECTED = sorted(route for route, rule in RULES.items() if rule in (Rule.MEMBER, Rule.OWNER))
OWNERS_ONLY = sorted(route for route, rule in RULES.items() if rule is Rule.OWNER)


def addressed(path: str) -> str:
    """A path with something in the place of each parameter."""
    return path.replace("{", "").replace("}", "")


def test_every_route_has_exactly_one_rule() -> None:
    found = {
        (method, path.replace(":str", ""))
        for router in ROUTES
        for route in router.routes
        for handler in getattr(route, "route_handlers", [])
        for method in handler.http_methods
        for path in handler.paths
        if method != "OPTIONS"
    } | {(SOCKET, path) for path in realtime.paths}
    assert found == set(RULES)


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


@pytest.mark.parametrize("route", OWNERS_ONLY, ids=" ".join)
async def test_an_operator_gets_403_on_owners_routes(gateway: Gateway, owner: Owner, route: tuple[str, str]) -> None:
    operator = await gateway.make_operator(owner)
    answer = await operator(route[0], addressed(route[1]))
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


async def test_every_answer_carries_strict_headers(gateway: Gateway, owner: Owner) -> None:
    answers: list[Any] = [
        await owner.client("GET", "/api/session"),
        await gateway.client()("GET", "/api/shows"),
        await gateway.client()("GET", "/api/docs"),
        await gateway.client()("GET", "/p/unknown"),
        await gateway.client()("GET", "/static/pay.css"),
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
