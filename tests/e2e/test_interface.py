"""The interface against its own description: whatever is sent, nothing breaks and nothing unannounced comes back."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, checks
from schemathesis.core import NOT_SET
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.describe import description
from services.gateway.examples import PARAMETERS
from services.gateway.identity.access import RULES, SOCKET, Rule
from services.gateway.openapi import METHODS, camel
from tests.e2e.fixtures import PASSWORD, MakeWorkspace
from tests.e2e.stack import Stack
from tests.e2e.strays import make_stray
from tests.e2e.workspace import Workspace

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
DESCRIBED = schemathesis.openapi.from_dict(description())
FOUND = [found.ok() for found in DESCRIBED.get_all_operations() if isinstance(found, Ok)]
OPERATIONS = {f"{operation.method.upper()} {operation.path}": operation for operation in FOUND}
LAST = sorted(OPERATIONS, key=lambda name: ("DELETE" in name, "void" in name, "credentials" in name))
"""What destroys comes last."""
PERSONS = {
    f"{method} {'/'.join(map(camel, path.split('/')))}" for (method, path), rule in RULES.items() if rule is Rule.PERSON
}
REFUSED = {
    "POST /api/session": 401,
    "PUT /api/password": 400,
    "PUT /api/session/workspace": 404,
    "DELETE /api/sessions/{sessionId}": 404,
    "PATCH /api/members/{userId}": 409,
    "DELETE /api/members/{userId}": 409,
    "POST /api/invitations/accept": 404,
    "POST /api/integrations/stripe/connect": 400,
    "PUT /api/integrations/stripe/credentials": 400,
    "POST /api/integrations/{provider}/connect": 400,
    "PUT /api/integrations/{provider}/credentials": 400,
    "POST /api/shows/{showId}/start": 409,
    "POST /api/shows/{showId}/pause": 409,
    "POST /api/shows/{showId}/invoices/generate": 412,
    "POST /api/shows/{showId}/invoices/{invoiceId}/send": 409,
    "POST /api/shows/{showId}/invoices/{invoiceId}/update-draft": 409,
    "POST /api/shows/{showId}/invoices/{invoiceId}/void": 409,
}
"""Examples that cannot work: their keys, passwords and links are none, or their show, invoice or owner is past that."""
UNDESCRIBED = ("/api/openapi.json", "/api/asyncapi.json", "/api/docs")
"""They are the description."""
QUICK = settings(
    max_examples=5,  # of each operation, so that all of them take seconds
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Ground:
    """A workspace that these tests may ruin."""

    url: str
    workspace: Workspace
    ids: dict[str, str]
    """Of things that are there, by the parameter that names them."""

    async def credentials(self, name: str) -> dict[str, str]:
        """A token; for what is a person's own, a new session."""
        if name not in PERSONS:
            return {"Authorization": f"Bearer {self.workspace.token}"}
        keys = {"email": self.workspace.email, "password": PASSWORD}
        async with aiohttp.ClientSession() as client, client.post(self.url + "/api/session", json=keys) as answer:
            assert answer.status == 200
            (cookie,) = [line for line in answer.headers.getall("Set-Cookie") if "showbill_session=" in line]
            return {"Cookie": cookie.partition(";")[0], "Origin": self.url}

    def mine(self, value: object) -> Any:
        """An example with my ids in the place of its own."""
        text = json.dumps(value)
        for name, (_, example) in PARAMETERS.items():
            text = text.replace(example, self.ids.get(camel(name), example)) if "-" in example else text
        return json.loads(text)


@pytest.fixture(scope="module")
async def ground(stack: Stack, make_workspace: MakeWorkspace) -> Ground:
    workspace = await make_workspace()
    await workspace.connect()
    ids = await ids_of(workspace)
    return Ground(stack.url("gateway"), workspace, ids | {"paymentId": await make_stray(stack, ids["showId"])})


async def ids_of(workspace: Workspace) -> dict[str, str]:
    rest = workspace.rest
    show = await workspace.make_show(buyers=2)
    generation = await workspace.generate(show)
    invoice = (await workspace.invoices(show))[0]
    return {
        "showId": show,
        "itemNumber": "0",
        "buyerId": invoice["buyerId"],
        "invoiceId": invoice["id"],
        "generationId": generation["id"],
        "sendingId": (await rest.call("POST", f"/api/shows/{show}/invoices/send", {"channel": "manual"}))["id"],
        "userId": (await rest.call("GET", "/api/members"))["items"][0]["userId"],
        "invitationId": (await rest.call("POST", "/api/invitations", {"email": "friend@example.com"}))["id"],
        "tokenId": (await rest.call("POST", "/api/tokens", {"name": "to be revoked"}))["id"],
        "provider": "stripe",
        "table": "claims",
    }


def test_no_operation_is_left_out() -> None:
    described = {
        f"{method.upper()} {path}"
        for path, item in description()["paths"].items()
        for method in item
        if method in METHODS
    }
    routes = {
        f"{method} {'/'.join(map(camel, path.split('/')))}"
        for (method, path), rule in RULES.items()
        if path.startswith("/api/") and method != SOCKET and rule is not Rule.PROVIDER and path not in UNDESCRIBED
    }
    assert set(OPERATIONS) == described == routes


@pytest.mark.parametrize("name", LAST)
async def test_the_example_works_as_announced(ground: Ground, name: str) -> None:
    operation = OPERATIONS[name]
    headers = await ground.credentials(name)
    bodies = operation.definition.raw.get("requestBody", {}).get("content", {})
    media = next(iter(bodies), None)
    case = operation.Case(
        path_parameters={place: ground.ids.get(place, "unknown") for place in re.findall(r"{(\w+)}", operation.path)},
        body=ground.mine(bodies[media]["example"]) if media else NOT_SET,
        media_type=media,
    )
    response = await asyncio.to_thread(
        lambda: case.call_and_validate(base_url=ground.url, headers=headers, checks=CHECKS)
    )
    assert response.status_code < 300 or response.status_code == REFUSED.get(name), response.text


@pytest.mark.parametrize("name", LAST)
async def test_nothing_breaks_and_nothing_unannounced_comes_back(ground: Ground, name: str) -> None:
    operation, headers = OPERATIONS[name], await ground.credentials(name)
    fits = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    anything = fits
    if operation.path_parameters or operation.query or operation.headers or operation.body:
        anything = st.one_of(fits, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    @QUICK
    @given(case=anything, real=st.booleans())
    def holds(case: "Case[Any]", real: bool) -> None:
        if real:
            case.path_parameters |= {place: ground.ids[place] for place in case.path_parameters if place in ground.ids}
        case.call_and_validate(base_url=ground.url, headers=headers, checks=CHECKS)

    await asyncio.to_thread(holds)
