"""E-mail addresses, as far as they can be checked without writing to them."""

from typing import Final

from services.common.errors import Fault

_LONGEST: Final = 320


def check_email(email: str, field: str = "email") -> list[Fault]:
    """What is wrong with an address."""
    name, _, domain = email.rpartition("@")
    fits = len(email) <= _LONGEST and email.isprintable() and " " not in email and "@" not in name
    if fits and name and domain:
        return []
    return [Fault(field, "The e-mail address is not one. Write it as name@domain.")]
