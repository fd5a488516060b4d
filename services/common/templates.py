"""Texts with variables in braces: the one place where values are put in."""

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\{(\w+)\}")


def render(template: str, values: Mapping[str, str]) -> str:
    """Puts the values in. A variable without a value leaves nothing behind; braces in a value stay what they are."""
    text = _VARIABLE.sub(lambda found: values.get(found.group(1), ""), template)
    return text.strip(" ,;·-–")
