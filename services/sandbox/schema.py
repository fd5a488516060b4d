"""Stripe's bracket notation decoded, and checked against the parameters that the SDK's types name."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from services.sandbox import errors

PARAMETERS_FILE: Final = Path(__file__).with_name("parameters.json")

Schema = Mapping[str, Any]
Parameters = dict[str, Any]

_SEGMENT: Final = re.compile(r"\[([^\[\]]*)\]")
_MAX_METADATA_KEYS: Final = 50
_MAX_METADATA_KEY: Final = 40
_MAX_METADATA_VALUE: Final = 500

# Two refusals are recorded with their values in an order of their own; the others use the SDK's.
_RECORDED_ORDER: Final = {
    "status": "draft, open, void, paid, or uncollectible",
    "pending_invoice_items_behavior": "include or exclude",
}

_schemas: Final[dict[str, Schema]] = json.loads(PARAMETERS_FILE.read_text(encoding="utf-8"))


def decode(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """`a[b]=1&c[0][d]=2&e[]=3` as {"a": {"b": "1"}, "c": {"0": {"d": "2"}}, "e": {"0": "3"}}: all values are text."""
    decoded: Parameters = {}
    for name, value in pairs:
        bracket = name.find("[")
        path = [name] if bracket < 1 else [name[:bracket], *_SEGMENT.findall(name, bracket)]
        _place(decoded, path, value)
    return decoded


def _place(into: Parameters, path: list[str], value: str) -> None:
    for segment in path[:-1]:
        key = segment or str(len(into))
        inner = into.get(key)
        if not isinstance(inner, dict):
            inner = into[key] = {}
        into = inner
    into[path[-1] or str(len(into))] = value


def schema_of(operation: str) -> Schema:
    return _schemas[operation]


def check(operation: str, given: Parameters) -> Parameters:
    """The parameters with integers and booleans as such; raises Stripe's refusal of the first one at fault."""
    return _check_object(_schemas[operation], given, "")


def _named(parent: str, name: str) -> str:
    return f"{parent}[{name}]" if parent else name


def _check(schema: Schema, value: Any, name: str) -> Any:
    if value == "" and (schema.get("empty") or "map" in schema or "array" in schema):
        return ""
    if "any" in schema:
        return _check_any(schema["any"], value, name)
    if "object" in schema:
        return _check_object(schema, value, name) if isinstance(value, dict) else _refuse(name, "object")
    if "array" in schema:
        return _check_array(schema["array"], value, name)
    if "map" in schema:
        return _check_map(schema["map"], value, name)
    if isinstance(value, dict):
        return _refuse(name, "string")
    return _check_enum(schema["enum"], value, name) if "enum" in schema else _check_primitive(schema, value, name)


def _refuse(name: str, wanted: str) -> Any:
    raise errors.invalid_parameter(name, f"Invalid {wanted}", None if wanted == "object" else "parameter_invalid_type")


def _check_object(schema: Schema, value: Parameters, name: str) -> Parameters:
    fields: Schema = schema["object"]
    for key in value:
        if key not in fields:
            raise errors.unknown_parameter(_named(name, key))
    for key in schema.get("required", ()):
        if key not in value:
            raise errors.missing_parameter(_named(name, key))
    return {key: _check(fields[key], inner, _named(name, key)) for key, inner in value.items()}


def _check_array(schema: Schema, value: Any, name: str) -> list[Any]:
    if not isinstance(value, dict):
        raise errors.invalid_parameter(name, "Invalid array")
    indexed = sorted(value.items(), key=lambda item: _index(item[0], name))
    return [_check(schema, inner, _named(name, index)) for index, inner in indexed]


def _index(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise errors.unknown_parameter(_named(name, text))
    return int(text)


def _check_map(schema: Schema, value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise errors.invalid_parameter(name, "Invalid object")
    if len(value) > _MAX_METADATA_KEYS:
        raise errors.invalid_parameter(name, f"Metadata can have up to {_MAX_METADATA_KEYS} keys")
    for key, inner in value.items():
        if len(key) > _MAX_METADATA_KEY:
            raise errors.invalid_parameter(
                _named(name, key), f"Metadata keys can be up to {_MAX_METADATA_KEY} characters long"
            )
        if isinstance(inner, str) and len(inner) > _MAX_METADATA_VALUE:
            raise errors.invalid_parameter(
                _named(name, key), f"Metadata values can have up to {_MAX_METADATA_VALUE} characters"
            )
    return {key: _check(schema, inner, _named(name, key)) for key, inner in value.items()}


def _check_any(alternatives: list[Schema], value: Any, name: str) -> Any:
    wants_object = isinstance(value, dict)
    for schema in alternatives:
        if wants_object == any(kind in schema for kind in ("object", "array", "map")):
            return _check(schema, value, name)
    return _refuse(name, "object")


def _check_enum(values: list[str], value: str, name: str) -> str:
    if value in values:
        return value
    allowed = _RECORDED_ORDER.get(name) or _listed(values)
    raise errors.invalid_parameter(name, f"Invalid {name}: must be one of {allowed}")


def _listed(values: list[str]) -> str:
    if len(values) < 3:
        return " or ".join(values)
    return ", ".join(values[:-1]) + ", or " + values[-1]


def _check_primitive(schema: Schema, value: str, name: str) -> Any:
    kind = schema["type"]
    if kind == "string":
        return value
    if kind == "boolean":
        if value not in ("true", "false"):
            raise errors.invalid_parameter(name, f"Invalid boolean: {value}")
        return value == "true"
    if kind == "integer":
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise errors.invalid_integer(name, value)
        return int(value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise errors.invalid_parameter(name, f"Invalid decimal: {value}", "parameter_invalid_decimal") from None
    return float(number) if kind == "number" else value
