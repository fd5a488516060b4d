"""The interface described."""

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from services.gateway import openapi
from services.gateway.describe import description, written
from services.gateway.identity.access import RULES, SOCKET
from services.gateway.openapi import camel
from tests.gateway.harness import Gateway
from tests.waiting import eventually

COPY = Path(__file__).parents[2] / "docs" / "openapi.json"
RULED = {(method, "/".join(camel(step) for step in path.split("/"))): rule for (method, path), rule in RULES.items()}
"""As the description has the addresses."""


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return description()


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


async def test_openapi_describes_every_route_of_the_interface(gateway: Gateway) -> None:
    answer = await gateway.client()("GET", "/api/openapi.json")
    schema = answer.json
    assert schema["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in schema["paths"].items() for method in item}
    assert {(method, path) for method, path in described} == {
        (method, path)
        for method, path in RULED
        if method != SOCKET
        and path.startswith("/api/")
        and path not in ("/api/openapi.json", "/api/asyncapi.json", "/api/docs")
        if "/webhooks/" not in path
    }
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert operation["description"].endswith((".", "`")), (method, path)
            broken = operation["responses"]["500"]["$ref"].rpartition("/")[2]
            assert schema["components"]["responses"][broken]["content"].keys() == {"application/problem+json"}


async def test_the_description_is_made_once_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a second or two, in which webhooks and sockets are served."""
    made, free = 0, threading.Event()

    def slow(*_: object) -> dict[str, Any]:
        nonlocal made
        made += 1
        assert free.wait(30)
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(openapi, "describe", slow)
    description = openapi.Description((), {}, lambda schema: b"a page")
    asking = [asyncio.create_task(description.read()) for _ in range(5)]
    await eventually(lambda: made == 1)  # the event loop goes on
    asking[0].cancel()
    free.set()
    for one in asking[1:]:
        assert (await one).page == b"a page"
    assert ((await description.read()).json, made) == (b'{"openapi":"3.1.0"}', 1)


async def test_problems_are_described_as_they_come(gateway: Gateway) -> None:
    schema = (await gateway.client()("GET", "/api/openapi.json")).json
    operation = schema["paths"]["/api/shows/{showId}/invoices/generate"]["post"]
    assert {"202", "400", "401", "403", "404", "409", "503", "504"} <= operation["responses"].keys()
    assert operation["requestBody"]["required"] is False
    assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    problem = await gateway.client()("GET", "/api/shows")
    assert set(schema["components"]["schemas"]["Problem"]["required"]) <= problem.json.keys()


async def test_the_reader_page_loads_nothing_from_elsewhere(gateway: Gateway) -> None:
    page = await gateway.client()("GET", "/api/docs")
    assert page.status == 200
    assert "/api/shows/{showId}/invoices/generate" in page.text
    assert not re.findall(r"(?:src|href)=\"(?!/|#)", page.text)
    assert "<script" not in page.text
    sheet = await gateway.client()("GET", "/static/docs.css")
    assert (sheet.status, sheet.headers["Content-Type"].split(";")[0]) == (200, "text/css")
    tag = sheet.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"another", {tag}'):
        again = await gateway.client()("GET", "/static/docs.css", headers={"If-None-Match": known})
        assert (again.status, again.text) == (304, "")
    for name in ("nothing.css", "..%2fapp.py", "__init__.py"):
        assert (await gateway.client()("GET", f"/static/{name}")).status == 404


async def test_every_post_takes_a_key_and_every_route_is_limited(gateway: Gateway) -> None:
    schema = (await gateway.client()("GET", "/api/openapi.json")).json
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if RULED[method.upper(), path].guarded:
                assert "429" in operation["responses"], (method, path)
                names = [parameter["name"] for parameter in operation.get("parameters", [])]
                wanted = method == "post" and "/imports/" not in path
                assert names.count("Idempotency-Key") == wanted, (method, path)


def test_the_copy_in_the_repository_is_what_is_served() -> None:
    assert COPY.read_text(encoding="utf-8") == written(), (
        "The interface changed. If that is meant, run `make openapi`, and look at what changed in docs/openapi.json: "
        "a field or address that went away breaks those who use it."
    )


def contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the body, and of the answers that are no problem."""
    answers = [answer for status, answer in operation["responses"].items() if status < "300"]
    return [
        content for part in (operation.get("requestBody", {}), *answers) for content in part.get("content", {}).values()
    ]


def test_every_body_and_answer_has_an_example_that_fits(described: dict[str, Any]) -> None:
    shared = described["components"]["responses"].values()
    every = [(name, content) for name, operation in operations(described) for content in contents(operation)]
    every += [(answer["description"], content) for answer in shared for content in answer["content"].values()]
    for name, content in every:
        schema = {**content["schema"], "components": described["components"]}
        faults = list(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(content["example"]))
        assert faults == [], name


def test_names_are_camel_case_and_pages_are_alike(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(described)]
    assert len(names) == len(set(names))
    for name, operation in operations(described):
        parameters = {one["name"]: one for one in operation.get("parameters", [])}
        assert all(re.fullmatch(r"[a-z][a-zA-Z]*|[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)+", one) for one in parameters), name
        assert ("pageSize" in parameters) == ("pageToken" in parameters) == answers_in_pages(described, operation), name
        assert all(one.get("description") for one in parameters.values()), name
    for name, schema in described["components"]["schemas"].items():
        assert all(re.fullmatch(r"[a-z][a-zA-Z]*", field) for field in schema.get("properties", {})), name


def answers_in_pages(described: dict[str, Any], operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    name = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    return "nextPageToken" in described["components"]["schemas"].get(name, {}).get("properties", {})
