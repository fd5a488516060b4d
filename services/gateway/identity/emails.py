"""E-mail addresses and names, as far as they can be checked without asking anybody."""

from typing import Final

from services.common.errors import Fault

_LONGEST: Final = 320


def check_name(name: str, missing: str) -> list[Fault]:
    """What is wrong with what somebody or something is to be called; `missing` says it where that is nothing."""
    if not name.strip():
        return [Fault("name", missing)]
    return [Fault("name", "The name holds a zero character, which no text may hold.")] if "\0" in name else []


def check_email(email: str, field: str = "email") -> list[Fault]:
    """What is wrong with an address."""
    name, _, domain = email.rpartition("@")
    fits = len(email) <= _LONGEST and email.isprintable() and " " not in email and "@" not in name
    if fits and name and domain:
        return []
    return [Fault(field, "The e-mail address is not one. Write it as name@domain.")]
