"""Everything that is wrong with a body, at once: decoding alone stops at the first fault. Places are JSON pointers."""

import re
from collections.abc import Iterator
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin

import msgspec

from services.common.errors import Fault
from services.common.secret import redact

_MOST: Final = 100
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LENGTH: Final = re.compile(r"Expected `str` of length ([<>])= (\d+)")
_MISSING: Final = re.compile(r"Object missing required field `(.+)`")
_PLACE: Final = re.compile(r" - at `(?:\$\.?)?([^`]*)`$")
Place: TypeAlias = tuple[str | int, ...]
"""The names and indices that lead to a value."""


def faults_of(body: bytes, expected: Any) -> list[Fault]:
    """The first hundred faults of a JSON body against the type that it should have; none when it fits."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return [Fault("", f"The body is not JSON: {error}.")]
    except UnicodeDecodeError:
        return [Fault("", "The body is not JSON: it is not encoded in UTF-8.")]
    except RecursionError:
        return [Fault("", "The body is not usable: one thing stands within another too many times.")]
    found = islice(_walk(value, expected, ()), _MOST)
    # The names of unknown fields come from the caller: a key that was pasted in the wrong place is not said again.
    return [Fault(redact(fault.field), redact(fault.problem)) for fault in found]


def sentence_of(error: msgspec.ValidationError) -> str:
    """What a decoder found, as a finished sentence."""
    place = _PLACE.search(str(error))
    return _sentence(place[1] if place else "", str(error))


def column_sentence_of(error: msgspec.ValidationError) -> str:
    """The same of a line of a file, whose columns have the names of fields as people write them."""
    return re.sub(
        r"^The field (\w+)", lambda found: f"The column {_HUMP.sub('_', found[1]).lower()}", sentence_of(error)
    )


def _walk(value: object, expected: Any, place: Place) -> Iterator[Fault]:
    try:
        msgspec.convert(value, expected, strict=False)
    except msgspec.ValidationError as error:
        own = Fault(_pointer(place), _sentence(_spoken(place), str(error)))
    else:
        return
    inner = _inner(value, _bare(expected), place)
    first = next(inner, None)
    yield first or own
    yield from inner


def _inner(value: object, kind: Any, place: Place) -> Iterator[Fault]:
    """Faults of the parts, where the value has parts."""
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for name in value.keys() - fields.keys():
            yield Fault(_pointer((*place, name)), f"There is no field {name} here. Remove it, or correct its name.")
        for name, field in fields.items():
            if name in value:
                yield from _walk(value[name], field.type, (*place, name))
            elif field.required:
                yield Fault(_pointer((*place, name)), f"The field {name} is missing.")
    elif isinstance(value, list) and get_origin(kind) is list:
        for index, item in enumerate(value):
            yield from _walk(item, get_args(kind)[0], (*place, index))


def _bare(expected: Any) -> Any:
    """The type without constraints, and without the choice of null or nothing."""
    if get_origin(expected) is Annotated:
        return _bare(get_args(expected)[0])
    if get_origin(expected) in (Union, UnionType):
        real = [choice for choice in get_args(expected) if choice not in (NoneType, msgspec.UnsetType)]
        return _bare(real[0]) if len(real) == 1 else expected
    return expected


def _pointer(place: Place) -> str:
    """As RFC 6901 has it: a name that the caller made up may hold anything."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


def _spoken(place: Place) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")


def _sentence(place: str, message: str) -> str:
    what = f"The field {place}" if place else "The body"
    told = _PLACE.sub("", message)
    if limit := _LENGTH.fullmatch(told):
        bound = int(limit[2])
        if limit[1] == ">" and bound == 1:
            return f"{what} is empty."
        return f"{what} has {'more' if limit[1] == '<' else 'fewer'} than {bound:,} characters."
    if missing := _MISSING.fullmatch(told):
        return f"The field {f'{place}.' if place else ''}{missing[1]} is missing."
    return f"{what} is not usable: {told[:1].lower()}{told[1:]}."
