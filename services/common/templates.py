"""Texts with variables in braces: the one place where values are put in."""

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\{(\w+)\}")
_NOTHING: Final = "\0"
_DANGLING: Final = re.compile(r"^(?:[ ,;·–-]*\0)+[ ,;·–-]*|[ ,;·–-]*(?:\0[ ,;·–-]*)+$")
"""What joins a value that is not there to the rest, at either end. A value itself is never cut: links end in dashes."""


def render(template: str, values: Mapping[str, str]) -> str:
    """Puts the values in. A variable without a value leaves nothing behind; braces in a value stay what they are."""
    text = _VARIABLE.sub(lambda found: values.get(found.group(1)) or _NOTHING, template)
    return _DANGLING.sub("", text).replace(_NOTHING, "").strip()
