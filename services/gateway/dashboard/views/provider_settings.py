"""The form for a provider's settings: what stands, what was typed, and what somebody else saved meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.common.errors import Fault
from services.gateway.schemas.integrations import IntegrationSettingsChange, IntegrationSettingsView

TEMPLATES: Final = ("memo_template", "message_template")
LABELS: Final = {
    "default_currency": "Default currency",
    "days_until_due": "Payment due",
    "memo_template": "Memo on every invoice",
    "message_template": "Message that carries the link",
    "footer": "Footer of the invoice",
    "automatic_sending": "Send each link as soon as its invoice is ready",
    "payment_instructions": "How buyers pay",
}
"""By the setting's name; what is not named here is not on the page."""
LONGEST: Final = 10_000
_MOST_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Preview:
    """A template with a sample put in, or what is wrong with it."""

    setting: str
    text: str
    variables: Sequence[str]
    problem: str = ""
    warning: str = ""
    """That the end would be cut."""
    count: int = 0
    """Characters of the template."""
    longest: int = 0
    """Those that it may have; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """Values as the fields hold them; a tick is `on` or empty."""

    names: Sequence[str]
    values: Mapping[str, str]
    etag: str
    previews: Mapping[str, Preview]
    problem: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    theirs: Sequence[tuple[str, str]] = ()
    """What somebody else saved meanwhile where it differs: label and value."""


def names_of(offered: Sequence[str]) -> list[str]:
    """Of the settings that have an effect, those that we have a field for, in our order."""
    return [name for name in LABELS if name in offered]


def values_of(settings: IntegrationSettingsView) -> dict[str, str]:
    values = {name: getattr(settings, name) for name in LABELS}
    return {name: ("on" if one else "") if isinstance(one, bool) else str(one) for name, one in values.items()}


def change_of(names: Sequence[str], values: Mapping[str, str]) -> IntegrationSettingsChange:
    """The change that the form asks for. A term that is no number is 0 days, which the service refuses."""
    change: dict[str, str | int | bool] = {name: values[name] for name in names}
    if "days_until_due" in change:
        digits = values["days_until_due"].strip()
        readable = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
        change["days_until_due"] = int(digits) if readable else 0
    if "automatic_sending" in change:
        change["automatic_sending"] = bool(values["automatic_sending"])
    return IntegrationSettingsChange(**change)  # type: ignore[arg-type]  # fields of it, by name


def problems_of(faults: Sequence[Fault]) -> dict[str, str]:
    """Everything that is wrong, by field."""
    told: dict[str, str] = {}
    for fault in faults:
        name = fault.field.removeprefix("settings.")
        told[name] = f"{told[name]} {fault.problem}" if name in told else fault.problem
    return told


def differences(names: Sequence[str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the other one saved where I typed something else."""
    return [(LABELS[name], _shown(name, theirs[name])) for name in names if mine[name].strip() != theirs[name].strip()]


def _shown(name: str, value: str) -> str:
    if name == "automatic_sending":
        return "On" if value else "Off"
    if name == "days_until_due":
        return f"{value} days after sending"
    return value or "Empty"
