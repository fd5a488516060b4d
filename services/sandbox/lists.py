"""Pages of a list: newest first, cursors by id, the limit silently brought between 1 and 100."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from services.sandbox import errors
from services.sandbox.records import Json
from services.sandbox.schema import Parameters

DEFAULT_LIMIT = 10
MAX_LIMIT = 100


class Identified(Protocol):
    id: str


Item = TypeVar("Item", bound=Identified)


def page(
    items: Iterable[Item],
    params: Parameters,
    show: Callable[[Item], Any],
    *,
    noun: str,
    url: str,
) -> Json:
    """`items` newest first. An unknown cursor is refused with 400 and the noun, as Stripe does."""
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise errors.refused("Received both starting_after and ending_before parameters. Please pass in only one.")
    limit = min(max(params.get("limit", DEFAULT_LIMIT), 1), MAX_LIMIT)
    chosen, more = _backward(items, before, limit, noun) if before else _forward(items, after, limit, noun)
    return {"object": "list", "data": [show(item) for item in chosen], "has_more": more, "url": url}


def _forward(items: Iterable[Item], after: str | None, limit: int, noun: str) -> tuple[list[Item], bool]:
    chosen: list[Item] = []
    seen = after is None
    for item in items:
        if not seen:
            seen = item.id == after
        elif len(chosen) == limit:
            return chosen, True
        else:
            chosen.append(item)
    if not seen:
        raise errors.no_such(noun, str(after), "starting_after", status=400)
    return chosen, False


def _backward(items: Iterable[Item], before: str, limit: int, noun: str) -> tuple[list[Item], bool]:
    newer: list[Item] = []
    for item in items:
        if item.id == before:
            return newer[-limit:], len(newer) > limit
        newer.append(item)
    raise errors.no_such(noun, before, "ending_before", status=400)


def in_range(value: int | None, wanted: Any) -> bool:
    """`created` and its like: an exact time, or {gt, gte, lt, lte}."""
    if value is None:
        return False
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    return bool(
        value > wanted.get("gt", value - 1)
        and value >= wanted.get("gte", value)
        and value < wanted.get("lt", value + 1)
        and value <= wanted.get("lte", value)
    )
