"""Rows as streams of batches bring them: what can be read of a batch, and why the rest cannot."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from services.common.errors import Fault, require
from services.common.ids import parse_id
from services.invoicing.feed import Batch, Rejection
from services.invoicing.parse import count_fault

M = TypeVar("M")
T = TypeVar("T")
MOST_IN_BATCH: Final = 5_000


class Request(Protocol):
    """A batch, beside its rows."""

    @property
    def show_id(self) -> str: ...
    @property
    def all_or_none(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Kind(Generic[M, T]):
    """How the rows of a stream are read."""

    field: str
    """Of the request, that holds them."""
    name: Callable[[M], str]
    """What a refused row is called."""
    read: Callable[[int, M], T | list[Fault]]
    """The row at a place, or what is wrong with it."""


def batch_of(request: Request, kind: Kind[M, T], first: int = 0) -> Batch[T]:
    """What can be read, and why the rest cannot; `first` is how many came before. Raises InvalidRequest."""
    messages: Sequence[M] = getattr(request, kind.field)
    require(count_fault(kind.field, messages, MOST_IN_BATCH))
    rows: list[T] = []
    rejections: list[Rejection] = []
    for index, message in enumerate(messages, first):
        row = kind.read(index, message)
        if isinstance(row, list):
            rejections.append(Rejection(index, kind.name(message), " ".join(fault.problem for fault in row)))
        else:
            rows.append(row)
    validate_only = bool(getattr(request, "validate_only", False))
    return Batch(parse_id(request.show_id, "show"), rows, rejections, request.all_or_none, validate_only)


async def batches_of(requests: AsyncIterator[Any], kind: Kind[M, T]) -> AsyncIterator[Batch[T]]:
    """Raises InvalidRequest at a batch that is none, or is of another show."""
    first, show_id = 0, ""
    async for request in requests:
        show_id = _same_show(show_id, request.show_id)
        batch = batch_of(request, kind, first)
        yield batch
        first += batch.size


def _same_show(before: str, show_id: str) -> str:
    problem = "The batch names another show than the one before. A stream is for one show; open another for the other."
    require([Fault("show_id", problem)] if before and show_id != before else [])
    return show_id
