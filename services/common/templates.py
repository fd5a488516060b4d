"""Texts with variables in braces: the one place where values are put in."""

import re
from collections.abc import Mapping
from typing import Final

USUAL_MESSAGE: Final = "Hi {buyer}, thank you for joining {show_name}! Your total is {total}. Pay here: {pay_link}"
_VARIABLE: Final = re.compile(r"\{(\w+)\}")
_NOTHING: Final = "\0"
_DANGLING: Final = re.compile(r"^(?:[ ,;·–-]*\0)+[ ,;·–-]*|[ ,;·–-]*(?:\0[ ,;·–-]*)+$")
"""What joins a value that is not there to the rest, at either end. A value itself is never cut: links end in dashes."""


def render(template: str, values: Mapping[str, str]) -> str:
    """Puts the values in. A variable without a value leaves nothing behind; braces in a value stay what they are."""
    text = _VARIABLE.sub(lambda found: values.get(found.group(1)) or _NOTHING, template)
    return _DANGLING.sub("", text).replace(_NOTHING, "").strip()


def message_text(template: str, values: Mapping[str, str]) -> str:
    """The message that carries a pay link: the usual sentence where the template is empty. Never without the link."""
    text, link = render(template.strip() or USUAL_MESSAGE, values), values["pay_link"]
    return text if link in text else f"{text}\n{link}"
