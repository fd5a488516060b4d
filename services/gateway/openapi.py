"""The description of the REST interface: what the routes say, and what is common to all of them."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, Final

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from services.gateway import refusals
from services.gateway.examples import FILES, PARAMETERS, VIEWS
from services.gateway.identity.access import RULES, Rule
from services.gateway.identity.cookies import COOKIE, SECURE_COOKIE
from services.gateway.schemas.base import Body, View

METHODS: Final = ("get", "post", "put", "patch", "delete")
_PROBLEM: Final = {
    "type": "object",
    "description": "What went wrong (RFC 9457), in a sentence for a person. docs/problems.md lists every type.",
    "required": ["type", "title", "status", "detail", "requestId"],
    "properties": {
        "type": {"type": "string", "description": "Stable.", "pattern": "^urn:showbill:problem:[a-z0-9-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "requestId": {"type": "string", "description": "Name it when you ask for help."},
        "planHash": {"type": "string", "description": "With `plan-outdated`: the plan as it is now."},
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
_SETS_COOKIE: Final = frozenset({"signIn", "acceptInvitation", "changePassword", "switchWorkspace", "signOut"})
_PLACE: Final = re.compile(r"\{(\w+)\}")
_MODELS: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Described:
    """The description, ready to be sent."""

    json: bytes
    page: bytes


class Description:
    """The description, made once, when it is first asked for: beside the event loop, for it takes a second or two."""

    def __init__(
        self, routes: Sequence[Router], dependencies: Mapping[str, Provide], page: Callable[[dict[str, Any]], bytes]
    ) -> None:
        """`page` makes the page that people read of it."""
        self._routes = routes
        self._dependencies = dependencies
        self._page = page
        self._making: asyncio.Task[Described] | None = None

    async def read(self) -> Described:
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._make))
        return await asyncio.shield(self._making)  # whoever asked first may leave

    def _make(self) -> Described:
        schema = describe(self._routes, self._dependencies)
        return Described(msgspec.json.encode(schema), self._page(schema))


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
    described["components"] |= refusals.components()
    for path, item in described["paths"].items():
        tagged = any(_takes(operation, "If-Match") for operation in item.values())
        for method in METHODS:
            if method in item:
                _complete(path, method, item[method], RULES[method.upper(), path], tagged=tagged)
    described["paths"] = {_PLACE.sub(_camel_place, path): item for path, item in described["paths"].items()}
    return described


def _camel_place(found: "re.Match[str]") -> str:
    return "{" + camel(found[1]) + "}"


def camel(name: str) -> str:
    """`show_id` as the interface says it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _subclasses(kind: type) -> set[type]:
    found: set[type] = set(kind.__subclasses__())
    return found.union(*(_subclasses(one) for one in found))


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Showbill",
        version="1",
        description="Turns the claims of a live sale into paid invoices. Amounts are in minor units of the currency, "
        "times in RFC 3339. A text is never null: empty means that there is none. A list that comes in pages takes "
        "`pageSize` and `pageToken`, and names the next page in `nextPageToken`, which is empty on the last.",
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _method, _path: camel(handler.handler_name.rpartition(".")[2]),
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


def _complete(path: str, method: str, operation: dict[str, Any], rule: Rule, *, tagged: bool) -> None:
    operation["summary"] = operation["description"].partition(".")[0].partition(":")[0].replace("\n", " ")
    if rule in (Rule.OPEN, Rule.SIGN_IN):
        operation["security"] = []
    if "/imports/" in path:
        operation["requestBody"] = _file(operation["operationId"])
    elif rule.guarded and method == "post" and not _takes(operation, _KEY["name"]):
        operation.setdefault("parameters", []).append(_KEY)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            about, example = PARAMETERS[parameter["name"]]
            parameter |= {"name": camel(parameter["name"]), "description": about, "example": example}
        parameter["schema"] = _without_null(parameter["schema"])
    body = operation.get("requestBody", {})
    if body and any({"type": "null"} in one["schema"].get("oneOf", ()) for one in body["content"].values()):
        body["required"] = False
    _illustrate(body.get("content", {}))
    for status, answer in operation["responses"].items():
        if status == "204":
            answer.pop("content", None)
        _illustrate(answer.get("content", {}))
        answer["headers"] = _headers(operation, method, rule, tagged=tagged)
    for code in refusals.refusals(path, method, operation, rule):
        operation["responses"][str(code)] = {"$ref": f"#/components/responses/{refusals.ANSWERS[code][0]}"}
    if path == "/api/health":  # which says the same when it is not well
        operation["responses"]["503"] = operation["responses"]["200"] | {"description": "The database is away"}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What is left out of an address or a header is not null, but not there."""
    choices = [choice for choice in schema.get("oneOf", ()) if choice != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in ("oneOf", "description")}
    return rest | choices[0] if len(choices) == 1 else {**rest, **({"oneOf": choices} if choices else {})}


def _takes(operation: Mapping[str, Any], name: object) -> bool:
    return any(one["name"] == name for one in operation.get("parameters", ()))


def _headers(operation: Mapping[str, Any], method: str, rule: Rule, *, tagged: bool) -> dict[str, Any]:
    names = ["X-Request-Id"]
    if rule.guarded:
        names += ["RateLimit", "RateLimit-Policy"]
    if _takes(operation, _KEY["name"]):
        names.append("Idempotency-Replayed")
    if tagged and method in ("get", "patch"):
        names.append("ETag")
    if operation["operationId"] in _SETS_COOKIE:
        names.append("Set-Cookie")
    if operation["operationId"] == "exportFile":
        names.append("Content-Disposition")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _illustrate(contents: dict[str, Any]) -> None:
    """Each content that is one of our types shows one."""
    for kind, content in contents.items():
        schema = content["schema"]
        name = str(schema.get("$ref") or schema.get("oneOf", [{}])[0].get("$ref", "")).removeprefix(_MODELS)
        if name:
            content["example"] = VIEWS[name]
        elif "additionalProperties" in schema:  # the credentials of whatever provider
            content["example"] = VIEWS["StripeKeys"]
        elif kind == "text/csv":
            content.setdefault("example", FILES["exportFile"])
            content["schema"] = {"type": "string"}
        elif kind == "application/x-ndjson":
            content["example"] = FILES["followVerification"]
            content["schema"] = {"type": "string"}
        elif kind == "text/plain":
            content["example"] = "ok"


def _file(operation_id: str) -> dict[str, Any]:
    """A file as the whole body, or as the field of a form."""
    text = FILES[operation_id]
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "contentMediaType": "text/csv"}},
    }
    return {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": text},
            "multipart/form-data": {"schema": form, "example": {"file": text}},
        },
    }
