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
        ours, theirs = (one.encode("utf-8", "surrogatepass") for one in (self.__value, other.__value))
        return hmac.compare_digest(ours, theirs)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __dir__(self) -> list[str]:
        return ["hint", "reveal"]  # whoever walks over an object's attributes does not come to the value

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("A secret cannot be pickled, copied or written out of its process.")

    __reduce__ = __reduce_ex__ = __getstate__ = __setstate__ = __copy__ = __deepcopy__ = _refuse


# Provider keys, of accounts and of organisations, and webhook secrets (also as providers echo them, masked but for the
# tail), our API and service tokens, passwords inside addresses, and 32 bytes in base64, our own keys. Publishable keys
# (pk_) are not secret.
# A long one is blanked in the middle of a word too: a printed line break before it, `\nsk_live_…`, ends in a letter.
_SHAPES: Final = (
    (re.compile(r"(?<![A-Za-z0-9])((?:sk|rk)_(?:org_)?(?:test|live)_)[A-Za-z0-9*_.…•]*[A-Za-z0-9*_…•]"), r"\1***"),
    (re.compile(r"((?:sk|rk)_(?:org_)?(?:test|live)_)[A-Za-z0-9*_.…•]{9,}[A-Za-z0-9*_…•]"), r"\1***"),
    (re.compile(r"whsec_[A-Za-z0-9+/=*_.…•-]*[A-Za-z0-9+/=*_…•-]"), "whsec_***"),
    (re.compile(r"showbill_[A-Za-z0-9_-]{16,}"), "showbill_***"),
    (re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="), "***"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), "***"),
    (re.compile(r"(://[^:/@\s]*):[^@\s]+@"), r"\1:***@"),
    (re.compile(r"://[^:/@\s]+@"), "://***@"),
)


def redact(text: str) -> str:
    """Blanks everything in a text that has the shape of a secret."""
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text
