"""Where a seller writes to a buyer: the address of the chat, where a platform has one, else of the profile."""

import re
from dataclasses import dataclass
from typing import Final, Literal

_NAME: Final = re.compile(r"@?([A-Za-z0-9._-]{1,60})")
_DIGITS: Final = re.compile(r"\+?([0-9]{6,20})")


@dataclass(frozen=True, slots=True)
class Chat:
    """A page of the platform."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class _Place:
    """`{}` is the name in the handle, or the digits of the platform's own id."""

    url: str
    label: str
    known_by: Literal["handle", "id"] = "handle"


_PLACES: Final = {
    "instagram": _Place("https://ig.me/m/{}", "Open chat"),
    "facebook": _Place("https://www.facebook.com/messages/t/{}", "Open chat", "id"),
    "messenger": _Place("https://www.facebook.com/messages/t/{}", "Open chat", "id"),
    "whatsapp": _Place("https://wa.me/{}", "Open chat", "id"),
    "telegram": _Place("https://t.me/{}", "Open chat"),
    "tiktok": _Place("https://www.tiktok.com/@{}", "Open profile"),
    "youtube": _Place("https://www.youtube.com/@{}", "Open channel"),
}


def chat_of(platform: str, handle: str, user_id: str) -> Chat | None:
    """None where the platform has no such page, or what we know of the buyer does not name one."""
    place = _PLACES.get(platform.lower())
    if place is None:
        return None
    found = _NAME.fullmatch(handle.strip()) if place.known_by == "handle" else _DIGITS.fullmatch(user_id.strip())
    return Chat(place.url.format(found.group(1)), place.label) if found else None
