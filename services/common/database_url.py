"""The address of a Postgres database, checked before any driver sees it: what drivers say of a wrong one quotes it."""

import re
from typing import Final, NoReturn
from urllib.parse import parse_qs, urlsplit

from services.common.errors import CannotStart
from services.common.secret import Secret

FORM: Final = "postgres://user:password@host:port/name, with what is no letter, digit or one of - . _ ~ written as %XX"

_TEXT: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
_HOST: Final = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*)(?::[0-9]{1,5})?"
_URL: Final = re.compile(
    rf"postgres(?:ql)?://(?:{_TEXT}(?::{_TEXT})*@)?(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/{_TEXT})?(?:\?[^\s#@]*)?"
)
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_PORT: Final = re.compile(r":([0-9]+)(?=,|$)")


class DatabaseUrl(Secret):
    """A secret that has the form of such an address."""

    __slots__ = ()


class UnusableDatabaseUrl(CannotStart):
    """The driver does not take the address. The message repeats nothing of it."""


def parse_database_url(text: str) -> DatabaseUrl:
    """Raises ValueError with nothing of the text in it."""
    found = _URL.fullmatch(text)
    if found is None:
        raise ValueError(f"it must be {FORM}")
    if any(not 0 < int(port) <= 65535 for port in _PORT.findall(found["hosts"])):
        raise ValueError(f"its port must be a number from 1 to 65535, and it must be {FORM}")
    if any(mode not in _SSL_MODES for mode in parse_qs(urlsplit(text).query).get("sslmode", ())):
        raise ValueError(f"its sslmode must be one of {', '.join(_SSL_MODES)}, and it must be {FORM}")
    return DatabaseUrl(text)


def refuse_database_url() -> NoReturn:
    """For what only a driver finds wrong: an unknown parameter, a file that it names. Raises UnusableDatabaseUrl."""
    raise UnusableDatabaseUrl(
        f"DATABASE_URL is not usable: the driver does not take its parameters. It must be {FORM}."
    ) from None
