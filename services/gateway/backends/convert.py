"""Between protobuf and the JSON schemas."""

from datetime import datetime
from typing import Any

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from services.common.timestamps import from_proto


def enum_names(enum: EnumDescriptor, prefix: str) -> dict[int, Any]:
    """The lower-case names of an enum's values, without its prefix; the unspecified value is None."""
    return {value.number: value.name.removeprefix(prefix).lower() if value.number else None for value in enum.values}


def enum_numbers(enum: EnumDescriptor, prefix: str) -> dict[str, Any]:
    """The other way round, without the unspecified value."""
    return {name: number for number, name in enum_names(enum, prefix).items() if name}


def moment(stamp: Timestamp) -> datetime | None:
    return from_proto(stamp)
