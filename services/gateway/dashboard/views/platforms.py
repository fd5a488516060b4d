"""Where buyers are from: the platform's name as people write it, and its drawing."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Platform:
    """`symbol` is one of the sprite's."""

    name: str
    symbol: str


_KNOWN: Final = {
    "facebook": Platform("Facebook", "p-facebook"),
    "instagram": Platform("Instagram", "b-instagram"),
    "messenger": Platform("Messenger", "p-facebook"),
    "telegram": Platform("Telegram", "p-telegram"),
    "tiktok": Platform("TikTok", "b-tiktok"),
    "twitch": Platform("Twitch", "p-twitch"),
    "whatnot": Platform("Whatnot", "p-whatnot"),
    "whatsapp": Platform("WhatsApp", "p-whatsapp"),
    "youtube": Platform("YouTube", "b-youtube"),
}
_UNKNOWN: Final = "i-radio"


def platform_of(text: str) -> Platform:
    """One that we do not know is called as the claims call it."""
    return _KNOWN.get(text.lower()) or Platform(text[:1].upper() + text[1:], _UNKNOWN)
