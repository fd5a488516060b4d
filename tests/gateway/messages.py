"""Messages of the services with something in every field, so that a field that is forgotten shows."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp


def filled(message: Any) -> Any:
    """Fills every field of a message: texts with their name, numbers with their place."""
    for place, field in enumerate(message.DESCRIPTOR.fields, start=1):
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            _fill_message(message, field, place)
        elif field.is_repeated:
            getattr(message, field.name).append(_value(field, place))
        else:
            setattr(message, field.name, _value(field, place))
    return message


def _fill_message(message: Any, field: FieldDescriptor, place: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return
    target = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
    if isinstance(target, Timestamp):
        target.FromSeconds(1_800_000_000 + place)
    else:
        filled(target)


def _value(field: FieldDescriptor, place: int) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return f"{field.name}!"
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    if field.enum_type is not None:
        return 1
    return place
