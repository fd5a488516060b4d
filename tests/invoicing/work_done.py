"""What a statement really did, as Postgres tells it: rows that went through its plan, and tables that were read whole.

Not a time: the same on a busy machine. A nested loop over two long lists goes through their product.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.common.db import Connection
from services.invoicing.repository import SQL


@dataclass(frozen=True)
class Work:
    """Of one execution."""

    rows: float
    """Through all nodes of the plan, those that a filter took out included."""
    read_whole: frozenset[str]
    """Tables that were read from end to end."""
    plan: str


async def work_of(connection: Connection, name: str, values: Sequence[object], *, generic: bool) -> Work:
    """Runs a named query inside a transaction that is rolled back."""
    undone = connection.transaction()
    await undone.start()
    try:
        await connection.execute(f"SET LOCAL plan_cache_mode = force_{'generic' if generic else 'custom'}_plan")
        await connection.execute(f"PREPARE {name} AS {SQL[name]}")
        given = ", ".join(map(_literal, values))
        call = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE {name}" + (f" ({given})" if given else "")
        told = json.loads(await connection.fetchval(call))
    finally:
        await undone.rollback()
        await connection.execute(f"DEALLOCATE {name}")
    nodes = list(_nodes(told[0]["Plan"]))
    whole = frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan")
    return Work(sum(map(_rows, nodes)), whole, json.dumps(told, indent=1))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _rows(node: dict[str, Any]) -> float:
    removed = sum(float(value) for name, value in node.items() if re.match(r"Rows Removed by", name))
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list):
        return "'{" + ",".join(str(one).lower() if isinstance(one, bool) else str(one) for one in value) + "}'"
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return "'" + text.replace("'", "''") + "'"
