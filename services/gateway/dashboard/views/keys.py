"""The form for a provider's keys: what is wrong with them, never what was typed as a secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from services.common.errors import Fault
from services.common.secret import redact
from services.common.status import RemoteError
from services.gateway.schemas.integrations import ConnectFieldView, ListedIntegrationView, PermissionView

State = Literal["granted", "missing", "unknown"]
_PERMISSION_MISSING: Final = "PERMISSION_MISSING"


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission, as the list shows it."""

    name: str
    """What to tick at the provider: the resource."""
    level: str
    purpose: str
    required: bool
    state: State


@dataclass(frozen=True, slots=True)
class KeyForm:
    """`problems` by field; `problem` where it is none of one field alone."""

    fields: Sequence[ConnectFieldView]
    permissions: Sequence[Permission]
    values: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


def empty_form(listed: ListedIntegrationView) -> KeyForm:
    return KeyForm(listed.connect_fields, permissions_of(listed.permissions, known=False))


def refused_form(listed: ListedIntegrationView, typed: Mapping[str, str], error: RemoteError) -> KeyForm:
    """With what may be shown again, and with the permissions that were found to be missing."""
    names = [one.name for one in listed.connect_fields]
    problems = {fault.field: fault.problem for fault in _of(error.faults, names)}
    return KeyForm(
        listed.connect_fields,
        _examined(listed.permissions, error),
        {one.name: typed[one.name] for one in listed.connect_fields if _may_return(one, typed.get(one.name, ""))},
        "" if problems else error.message,
        problems,
    )


def permissions_of(permissions: Sequence[PermissionView], *, known: bool = True) -> list[Permission]:
    """`known`: whether somebody asked the provider for them."""
    return [_permission(one, ("granted" if one.granted else "missing") if known else "unknown") for one in permissions]


def _examined(permissions: Sequence[PermissionView], error: RemoteError) -> list[Permission]:
    """What a refusal tells: the required ones are all there but those that it names."""
    if error.reason != _PERMISSION_MISSING:
        return permissions_of(permissions, known=False)
    missing = error.details.get("permission", "").split(", ")
    return [
        _permission(one, "missing" if one.name in missing else "granted" if one.required else "unknown")
        for one in permissions
    ]


def _permission(one: PermissionView, state: State) -> Permission:
    name, _, level = one.name.partition(": ")
    return Permission(name, level, one.purpose, one.required, state)


def _of(faults: Sequence[Fault], names: Sequence[str]) -> list[Fault]:
    return [fault for fault in faults if fault.field in names]


def _may_return(one: ConnectFieldView, typed: str) -> bool:
    """A secret that was pasted into the wrong field may not."""
    return not one.hidden and bool(typed) and redact(typed) == typed
