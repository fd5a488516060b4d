"""The whole interface against its own description: whatever is sent, nothing breaks and nothing unannounced comes back."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.describe import description
from services.gateway.identity.access import RULES
from services.gateway.openapi import camel
from tests.e2e.fixtures import PASSWORD, MakeWorkspace
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
DESCRIBED = schemathesis.openapi.from_dict(description())
OPERATIONS = {f"{found.ok().method.upper()} {found.ok().path}": found.ok() for found in DESCRIBED.get_all_operations()}
RULED = {f"{method} {'/'.join(map(camel, path.split('/')))}": rule for (method, path), rule in RULES.items()}
EXAMPLES = 4
"""Of each operation and kind, so that all of them take seconds."""
GENERATED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@dataclass
class Ground:
    """A workspace that these tests may ruin."""

    url: str
    token: str
    ids: dict[str, str]
    email: str


@pytest.fixture(scope="module")
async def ground(stack: Stack, make_workspace: MakeWorkspace) -> Ground:
    workspace = await make_workspace()
    await workspace.connect()
    return Ground(stack.url("gateway"), workspace.token, await ids_of(workspace), workspace.email)


async def ids_of(workspace: Workspace) -> dict[str, str]:
    """Of things that are there."""
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


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
async def test_nothing_breaks_and_nothing_unannounced_comes_back(
    ground: Ground, mode: GenerationMode, name: str
) -> None:
    operation = OPERATIONS[name]

    @GENERATED
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    def holds(case: Case, real: bool) -> None:
        if real:
            case.path_parameters |= {place: ground.ids[place] for place in case.path_parameters if place in ground.ids}
        case.call_and_validate(base_url=ground.url, headers=credentials(ground, name), checks=CHECKS)

    await asyncio.to_thread(holds)


def credentials(ground: Ground, name: str) -> dict[str, Any]:
    return {"Authorization": f"Bearer {ground.token}"}
