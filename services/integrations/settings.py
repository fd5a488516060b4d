"""Change the settings of a connection, and look at what a template makes. They apply to invoices made from then on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from services.common.errors import Fault, require
from services.common.money import is_currency
from services.common.secret import redact
from services.common.templates import message_text, render
from services.integrations.connection import Connection, Settings
from services.integrations.connection_values import Limits
from services.integrations.opening import NotConnected
from services.integrations.registry import Registry
from services.integrations.repository import Repository
from services.integrations.templates import MEMO_VARIABLES, MESSAGE_VARIABLES, problems, sample_values
from services.integrations.wording import counted

log = structlog.get_logger()

FIELDS: Final = Settings.__struct_fields__
TEXTS: Final = ("memo_template", "message_template", "footer", "payment_instructions")
LONGEST_MESSAGE: Final = 2000
LONGEST_INSTRUCTIONS: Final = 5000
LONGEST_TERM: Final = 365
_LONGEST_NAME: Final = 200
"""Characters of a buyer's or a show's name."""
_USUAL_CURRENCY: Final = "USD"
_VARIABLES: Final = {"memo_template": MEMO_VARIABLES, "message_template": MESSAGE_VARIABLES}
"""Of the settings that are templates."""


def faults_of(settings: Settings, fields: Sequence[str], limits: Limits) -> list[Fault]:
    """Everything that is wrong with these fields, each with a finished sentence."""
    found = {
        "default_currency": _currency(settings.default_currency),
        "memo_template": [
            *problems(settings.memo_template, MEMO_VARIABLES),
            *_too_long("memo", settings.memo_template, limits.longest_memo),
        ],
        "message_template": [
            *problems(settings.message_template, MESSAGE_VARIABLES),
            *_too_long("message", settings.message_template, LONGEST_MESSAGE),
        ],
        "days_until_due": []
        if 1 <= settings.days_until_due <= LONGEST_TERM
        else [f"An invoice can be due in 1 to {LONGEST_TERM} days."],
        "footer": _too_long("footer", settings.footer, limits.longest_footer),
        "payment_instructions": _too_long(
            "payment instructions", settings.payment_instructions, LONGEST_INSTRUCTIONS, plural=True
        ),
    }
    for field in TEXTS:
        found[field] += _secret(field.removesuffix("_template").replace("_", " "), getattr(settings, field))
    return [Fault(field, problem) for field in fields for problem in found.get(field, ())]


def _secret(name: str, text: str) -> list[str]:
    """Buyers read these texts."""
    if redact(text) == text:
        return []
    return [f"In the {name} there is what looks like a secret key or a password. Take it out, and change it."]


def _currency(code: str) -> list[str]:
    if not code or is_currency(code):
        return []
    return ["The default currency is not an ISO 4217 code. Write it in capitals, for example GBP."]


def _too_long(name: str, text: str, longest: int, *, plural: bool = False) -> list[str]:
    over = len(text) - longest
    verb = "are" if plural else "is"
    return [f"The {name} {verb} {counted(over, 'character')} too long; {longest} fit."] if over > 0 else []


def _cut(template: str, sample: Mapping[str, str], values: Mapping[str, str], longest: int) -> str:
    """A sentence where a template that is short enough becomes a text that is not: with these values, or with long
    names where none are given."""
    long_names = dict.fromkeys(("buyer", "show_name"), "x" * _LONGEST_NAME)
    for these, known in (("these values", sample), ("the longest names", {**sample, **long_names})):
        over = len(render(template, {**known, **values})) - longest
        if over > 0:
            return f"With {these} the text is {counted(over, 'character')} too long: its end is cut, {longest} fit."
    return ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A template with its values put in, and what else it could use."""

    text: str
    variables: Sequence[str]
    warning: str
    """A finished sentence where the end of the text would be cut; else empty."""
    longest: int
    """Characters that the template may have."""


class ChangingSettings:
    """The use cases."""

    def __init__(self, repository: Repository, registry: Registry) -> None:
        self._repository = repository
        self._registry = registry

    async def change(
        self, workspace_id: str, provider: str, given: Settings, fields: Sequence[str], expected: str
    ) -> Connection:
        """Changes these fields and no other; `expected` is the etag that was read, empty for any.

        Raises NotConnected, SettingsChanged, or InvalidRequest with every fault.
        """
        require([Fault("update_mask", f"There is no setting {name}.") for name in fields if name not in FIELDS])
        connection = await self._connected(workspace_id, provider)
        require(faults_of(given, fields, self._registry.adapter(provider).limits()))
        changes = {name: getattr(given, name) for name in fields}
        changed = await self._repository.change_settings(connection, changes, expected)
        if changed is None:
            raise NotConnected
        log.info("settings changed", provider=provider, integration_id=connection.id, fields=list(fields))
        return changed

    async def preview(
        self, workspace_id: str, provider: str, setting: str, template: str, values: Mapping[str, str]
    ) -> Preview:
        """`setting` is the template's; the message's when empty. Raises InvalidRequest, naming a variable's place."""
        known = not setting or setting in _VARIABLES
        require([] if known else [Fault("setting", f"The setting is none of {', '.join(_VARIABLES)}.")])
        variables = _VARIABLES[setting or "message_template"]
        longest = LONGEST_MESSAGE
        if setting == "memo_template":
            longest = self._registry.adapter(provider).limits().longest_memo
        require([Fault("template", problem) for problem in problems(template, variables)])
        require([Fault("template", one) for one in _too_long("template", template, longest)])
        connection = await self._repository.current(workspace_id, provider)
        currency = connection.settings.default_currency or connection.default_currency if connection else ""
        sample = sample_values(currency if is_currency(currency) else _USUAL_CURRENCY)
        filled = {**sample, **values}
        text = render(template, filled) if setting == "memo_template" else message_text(template, filled)
        require([Fault("template", one) for one in _secret("text", text)])
        warning = _cut(template, sample, values, longest) if setting == "memo_template" else ""
        return Preview(text, variables, warning, longest)

    async def _connected(self, workspace_id: str, provider: str) -> Connection:
        connection = await self._repository.current(workspace_id, provider)
        if connection is None or not connection.connected:
            raise NotConnected
        return connection
