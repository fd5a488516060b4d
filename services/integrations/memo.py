"""The text on an invoice, from the connection's template."""

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\{(\w+)\}")


def render(template: str, values: Mapping[str, str]) -> str:
    """Puts the values in. A variable without a value leaves nothing behind."""
    text = _VARIABLE.sub(lambda found: values.get(found.group(1), ""), template)
    return text.strip(" ,;·-–")
