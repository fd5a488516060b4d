"""A value that must never be seen: not printed, formatted, pickled, JSON-encoded or compared in variable time."""

import hmac
import re
from typing import Final, NoReturn


class Secret:
    """Holds a secret text. Only `reveal()` gives it out; call that at the last moment."""

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]  # a hash would leak equality and let secrets be dict keys

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        return self.__value

    @property
    def hint(self) -> str:
        """The last four characters, for the operator to recognise it; nothing of a short one."""
        return self.__value[-4:] if len(self.__value) >= 16 else ""

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled or copied out of its process.")


# Provider keys and webhook secrets (also as providers echo them, masked but for the tail), our API and service tokens,
# and passwords inside addresses. Publishable keys (pk_) are not secret. A long one is blanked in the middle of a word
# too: a printed line break before it, `\nsk_live_…`, ends in a letter.
_SHAPES: Final = (
    (re.compile(r"(\b(?:sk|rk)_(?:test|live)_)[A-Za-z0-9*_.]+"), r"\1***"),
    (re.compile(r"((?:sk|rk)_(?:test|live)_)[A-Za-z0-9*_.]{10,}"), r"\1***"),
    (re.compile(r"whsec_[A-Za-z0-9+/=*_-]+"), "whsec_***"),
    (re.compile(r"showbill_[A-Za-z0-9_-]{16,}"), "showbill_***"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), "***"),
    (re.compile(r"(://[^:/@\s]*):[^@\s]+@"), r"\1:***@"),
    (re.compile(r"://[^:/@\s]+@"), "://***@"),
)


def redact(text: str) -> str:
    """Blanks everything in a text that has the shape of a secret."""
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text
