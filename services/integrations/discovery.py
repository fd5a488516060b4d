"""Finds the adapters: each folder of `adapters` with a `factory.py` offers one."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

import msgspec

from services.integrations import adapters
from services.integrations.offers import Offer

T = TypeVar("T", bound=msgspec.Struct)


@cache
def offers() -> tuple[Offer, ...]:
    """All of them, in the hub's order."""
    folders = [found.name for found in pkgutil.iter_modules(adapters.__path__) if found.ispkg]
    found = [import_module(f"{adapters.__name__}.{folder}.factory").OFFER for folder in folders]
    return tuple(sorted(found, key=lambda offer: (offer.entry.place, offer.entry.provider)))


def with_settings(own: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The service's own settings and those of all adapters as one, so that all that is wrong is told at once."""
    kinds = (own, *(offer.settings for offer in offers()))

    def check(whole: msgspec.Struct) -> None:
        """Each kind's own checks. Raises ValueError for settings that do not go together."""
        for kind in kinds:
            part(kind, whole)

    return msgspec.defstruct(
        "Environment",
        [_defined(field) for kind in kinds for field in msgspec.structs.fields(kind)],
        namespace={"__post_init__": check},
        frozen=True,
        kw_only=True,
    )


def _defined(field: msgspec.structs.FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    return (field.name, field.type) if field.required else (field.name, field.type, field.default)


def part(kind: type[T], whole: msgspec.Struct) -> T:
    """The settings of one kind out of all of them."""
    return kind(**{field.name: getattr(whole, field.name) for field in msgspec.structs.fields(kind)})
