"""The description of the REST interface: what the routes say, and what is common to all of them."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from inspect import cleandoc
from typing import Any, Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from services.common.errors import Kind
from services.common.problem import HTTP_STATUS
from services.gateway.errors import PROBLEM_JSON
from services.gateway.identity.access import RULES, Rule
from services.gateway.identity.cookies import COOKIE, SECURE_COOKIE
from services.gateway.schemas.base import Body, View

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_PROBLEM: Final = {
    "type": "object",
    "description": "What went wrong (RFC 9457), in a sentence for a person.",
    "required": ["type", "title", "status", "detail", "requestId"],
    "properties": {
        "type": {"type": "string", "description": "Stable: urn:showbill:problem:…"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "requestId": {"type": "string", "description": "Name it when you ask for help."},
        "errors": {
            "type": "array",
            "description": "Everything that is wrong with the request, each with its place.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Of the caller's choice: the same request under the same key answers what was answered, for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_CSV: Final = {
    "required": True,
    "content": {
        "text/csv": {"schema": {"type": "string"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "contentMediaType": "text/csv"}},
            }
        },
    },
}


class Description:
    """The description, made when it is first asked for."""

    def __init__(self, routes: Sequence[Router], dependencies: Mapping[str, Provide]) -> None:
        self._routes = routes
        self._dependencies = dependencies

    @cached_property
    def schema(self) -> dict[str, Any]:
        return describe(self._routes, self._dependencies)


def describe(routes: Sequence[Router], dependencies: Mapping[str, Provide]) -> dict[str, Any]:
    """OpenAPI 3.1 of the routes that are part of the interface."""
    # An application of its own: one that serves its description brings routes that nobody asked for.
    app = Litestar(
        route_handlers=list(routes), dependencies=dict(dependencies), openapi_config=_config(), logging_config=None
    )
    described: dict[str, Any] = app.openapi_schema.to_schema()
    schemas = described["components"]["schemas"]
    for kind in _subclasses(Body) | _subclasses(View):
        if kind.__name__ in schemas:
            schemas[kind.__name__].setdefault("description", cleandoc(kind.__doc__ or ""))
    schemas["Problem"] = _PROBLEM
    for path, item in described["paths"].items():
        for method in _METHODS:
            if method in item:
                _complete(path, method, item[method], RULES[method.upper(), path])
    return described


def _subclasses(kind: type) -> set[type]:
    found: set[type] = set(kind.__subclasses__())
    return found.union(*(_subclasses(one) for one in found))


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Showbill",
        version="1",
        description="Turns the claims of a live sale into paid invoices. Amounts are in minor units of the currency, "
        "times in RFC 3339. A text is never null: empty means that there is none.",
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer", description="An API token."),
                "session": SecurityScheme(
                    type="apiKey",
                    security_scheme_in="cookie",
                    name=SECURE_COOKIE,
                    description=f"A person's session. Without TLS the cookie is called `{COOKIE}`.",
                ),
            }
        ),
        security=[{"token": []}, {"session": []}],
    )


def _take_keys(operation: dict[str, Any]) -> None:
    """Every POST takes an Idempotency-Key, whether or not its route asks for it by name."""
    parameters = operation.setdefault("parameters", [])
    if not any(one["name"] == _KEY["name"] for one in parameters):
        parameters.append(_KEY)
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation["responses"]["422"] = {"description": "The Idempotency-Key came with another body", "content": content}


def _complete(path: str, method: str, operation: dict[str, Any], rule: Rule) -> None:
    if rule in (Rule.OPEN, Rule.SIGN_IN):
        operation["security"] = []
    if "/imports/" in path:
        operation["requestBody"] = _CSV
    body = operation.get("requestBody", {})
    if body and any({"type": "null"} in one["schema"].get("oneOf", ()) for one in body["content"].values()):
        body["required"] = False
    if rule.guarded and method == "post" and "/imports/" not in path:
        _take_keys(operation)
    for kind in _kinds(path, operation, rule):
        status, title = HTTP_STATUS[kind]
        content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"][str(status)] = {"description": title, "content": content}


def _kinds(path: str, operation: dict[str, Any], rule: Rule) -> list[Kind]:
    """The kinds of problem that an operation may answer."""
    kinds = [Kind.INTERNAL]
    if operation.get("parameters") or operation.get("requestBody"):
        kinds.append(Kind.INVALID)
    if rule.guarded:
        kinds += [Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.RATE_LIMITED, Kind.UNAVAILABLE, Kind.TIMED_OUT]
        kinds.append(Kind.CONFLICT)
    if rule is Rule.SIGN_IN:
        kinds += [Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.RATE_LIMITED, Kind.UNAVAILABLE]
    if "{" in path or "stripe" in path:
        kinds.append(Kind.NOT_FOUND)
    if rule.guarded and ("{" in path or "stripe" in path):
        kinds += [Kind.FAILED_PRECONDITION, Kind.OUTDATED]
    return kinds
