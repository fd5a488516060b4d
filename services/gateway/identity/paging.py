"""Pages of the lists of this part, by the id of the last entry."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import asyncpg

from services.common.errors import Fault, InvalidRequest
from services.common.paging import decode_token, encode_token, page_size

T = TypeVar("T")

_USUAL: Final = 100
_LARGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some entries, and what asks for those after them; empty when there are none."""

    items: list[T]
    next_page_token: str


def after(page_token: str) -> str | None:
    """The id that the page before ended with. Raises InvalidRequest for a token that we did not make."""
    key = decode_token(page_token, (str,))
    if key is None:
        return None
    try:
        return str(uuid.UUID(str(key[0])))
    except ValueError as error:
        fault = Fault("page_token", "The page token is not one of ours. Start again without it.")
        raise InvalidRequest(fault.problem, faults=[fault]) from error


async def page_of(
    asked: int,
    fetch: Callable[[int], Awaitable[Sequence[asyncpg.Record]]],
    read: Callable[[asyncpg.Record], T],
    key: Callable[[T], str],
) -> Page[T]:
    """`fetch` takes the most rows that it may answer; one more than wanted tells whether there is a next page."""
    size = page_size(asked, _USUAL, _LARGEST)
    found = [read(row) for row in await fetch(size + 1)]
    more = len(found) > size
    return Page(found[:size], encode_token(key(found[size - 1])) if more else "")
