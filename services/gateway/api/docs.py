"""The interface described: OpenAPI and AsyncAPI as JSON, and a page to read it that loads nothing from elsewhere."""

from typing import Any, Final

from litestar import Response, Router, get
from litestar.di import NamedDependency

from services.gateway.asyncapi import describe
from services.gateway.openapi import Description
from services.gateway.pages import filled, shown

_METHODS: Final = ("get", "post", "put", "patch", "delete")


@get("/api/openapi.json", include_in_schema=False)
async def get_openapi(description: NamedDependency[Description]) -> Response[bytes]:
    """OpenAPI 3.1."""
    return Response((await description.read()).json, media_type="application/vnd.oai.openapi+json")


@get("/api/asyncapi.json", include_in_schema=False)
async def get_asyncapi() -> Response[dict[str, Any]]:
    """AsyncAPI 3: the messages of the WebSocket."""
    return Response(describe(), media_type="application/vnd.aai.asyncapi+json")


@get("/api/docs", include_in_schema=False)
async def read_docs(description: NamedDependency[Description]) -> Response[bytes]:
    """Every route with its parameters, body and answer."""
    return shown((await description.read()).page)


def page_of(schema: dict[str, Any]) -> bytes:
    routes = [
        _route(path, method, operation, schema["components"]["responses"])
        for path, item in sorted(schema["paths"].items())
        for method, operation in item.items()
        if method in _METHODS
    ]
    tags = list(dict.fromkeys(route["tag"] for route in routes))
    schemas = {name: _fields(one) for name, one in sorted(schema["components"]["schemas"].items())}
    return filled("docs.html", {"info": schema["info"], "tags": tags, "routes": routes, "schemas": schemas})


def _route(path: str, method: str, operation: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    answers = {
        status: [_name(content.get("schema", {})) for content in _resolved(answer, shared).get("content", {}).values()]
        for status, answer in sorted(operation.get("responses", {}).items())
    }
    return {
        "path": path,
        "method": method.upper(),
        "tag": (operation.get("tags") or ["Other"])[0],
        "summary": operation.get("description") or operation.get("summary", ""),
        "parameters": [
            {"name": one["name"], "place": one["in"], "description": one.get("description", "")}
            for one in operation.get("parameters", [])
        ],
        "body": [_name(content.get("schema", {})) for content in body.values()],
        "answers": answers,
    }


def _resolved(answer: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    name = str(answer.get("$ref", "")).rpartition("/")[2]
    resolved: dict[str, Any] = shared[name] if name else answer
    return resolved


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    required = schema.get("required", [])
    fields = [
        {"name": name, "type": _name(one), "required": name in required, "description": one.get("description", "")}
        for name, one in schema.get("properties", {}).items()
    ]
    return {"description": schema.get("description", ""), "fields": fields}


def _name(schema: dict[str, Any]) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " or ".join(_name(one) for one in schema[choice])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_name(schema.get('items', {}))}"
    kind = schema.get("type", "anything")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


ROUTES: Final = Router("/", route_handlers=[get_openapi, get_asyncapi, read_docs])
