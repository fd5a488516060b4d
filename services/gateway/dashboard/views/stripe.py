"""The form for keys: what is wrong with it, never what was typed as a secret."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.common.errors import Fault


@dataclass(frozen=True, slots=True)
class KeyForm:
    """`problems` by field; `problem` where it is none of one field alone."""

    publishable_key: str = ""
    problem: str = ""
    problems: dict[str, str] = field(default_factory=dict)


_FIELDS = ("secret_key", "publishable_key")


def form_of(publishable_key: str = "", problem: str = "", faults: Sequence[Fault] = ()) -> KeyForm:
    problems = {fault.field: fault.problem for fault in faults if fault.field in _FIELDS}
    return KeyForm(publishable_key, "" if problems else problem, problems)
