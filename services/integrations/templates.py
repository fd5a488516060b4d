"""The variables of the texts on an invoice and beside its link, and what is wrong with a template that uses others."""

import re
from collections.abc import Sequence
from typing import Final

from services.common.money import format_money

MEMO_VARIABLES: Final = ("buyer", "show_name", "show_date", "item_count", "total")
MESSAGE_VARIABLES: Final = (*MEMO_VARIABLES, "pay_link")
"""The link stands only once the invoice does: a memo cannot carry it."""

_BRACES: Final = re.compile(r"\{([^{}]*)\}|[{}]")


def sample_values(currency: str) -> dict[str, str]:
    """What a preview shows where no real invoice is given."""
    return {
        "buyer": "Maya K",
        "show_name": "Friday live",
        "show_date": "2026-11-20",
        "item_count": "3",
        "total": format_money(12_345, currency),
        "pay_link": "https://pay.example/p/3k9x",
    }


def problems(template: str, variables: Sequence[str]) -> list[str]:
    """A finished sentence for each brace that is no variable of these, with its place."""
    return [
        _problem(template, found, variables)
        for found in _BRACES.finditer(template)
        if found.group(1) is None or found.group(1) not in variables
    ]


def _problem(template: str, found: re.Match[str], variables: Sequence[str]) -> str:
    place = _place(template, found.start())
    if found.group(1) is None:
        return f"The brace at {place} has no partner. Write variables like {{buyer}}."
    if found.group(1) in MESSAGE_VARIABLES:
        return f"The variable {found.group()} at {place} cannot be used here: the link is made after the invoice."
    known = ", ".join(f"{{{name}}}" for name in variables)
    return f"There is no variable {found.group()[:60]} (at {place}). Use one of {known}."


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"character {column}" if "\n" not in text else f"line {line}, character {column}"
