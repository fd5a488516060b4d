"""Holding an object against the table of what was recorded."""

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
Table = dict[str, str]

# Objects that are compared as a whole, because their keys are the caller's or vary.
_WHOLE = frozenset({"metadata"})


def load(name: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((FIXTURES / name).read_text())
    return table


def differences(shown: dict[str, Any], table: Table) -> list[str]:
    """What is missing, what is too much, and what has another type or value than was recorded."""
    flat = _flat(shown, table)
    found = [f"missing: {name}" for name in table if name not in flat]
    found += [f"not recorded: {name}" for name in flat if name not in table]
    found += [
        f"{name}: {flat[name]!r} is not {table[name]}"
        for name in table
        if name in flat and not any(_fits(flat[name], kind) for kind in table[name].split())
    ]
    return found


def _flat(shown: dict[str, Any], table: Table, parent: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in shown.items():
        name = f"{parent}{key}"
        if isinstance(value, dict) and key not in _WHOLE and name not in table:
            flat.update(_flat(value, table, f"{name}."))
        else:
            flat[name] = value
    return flat


def _fits(value: Any, kind: str) -> bool:
    kind = kind.removesuffix("*")
    if kind.startswith("="):
        return json.dumps(value).strip('"') == kind[1:]
    name, _, prefix = kind.partition(":")
    if name == "string" and prefix:
        return isinstance(value, str) and value.startswith(prefix)
    return _type_of(value) == name


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    kinds = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return kinds[type(value)]
