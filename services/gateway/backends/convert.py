"""Between protobuf and the JSON schemas."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.common.timestamps import from_proto

Row = TypeVar("Row")
Request = TypeVar("Request")

STREAM: Final = 900.0
"""Seconds for a stream."""


def enum_names(enum: EnumDescriptor, prefix: str) -> dict[int, Any]:
    """The lower-case names of an enum's values, without its prefix; the unspecified value is None."""
    return {value.number: value.name.removeprefix(prefix).lower() if value.number else None for value in enum.values}


def enum_numbers(enum: EnumDescriptor, prefix: str) -> dict[str, Any]:
    """The other way round, without the unspecified value."""
    return {name: number for number, name in enum_names(enum, prefix).items() if name}


def moment(stamp: Timestamp) -> datetime | None:
    return from_proto(stamp)


def seconds(span: Duration) -> float | None:
    """None for no time at all, which is what an unset field reads as."""
    return span.seconds + span.nanos / 1e9 or None


async def requests_of(
    batches: AsyncIterator[Sequence[Row]], request: Callable[[Sequence[Row]], Request]
) -> AsyncIterator[Request]:
    """Made beside the event loop."""
    async for batch in batches:
        yield await asyncio.to_thread(request, batch)
