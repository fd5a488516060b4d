"""The reader's habits: how money and days are written where the browser says it is from. The words stay English."""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError, dates

from services.common.money import format_money

_MOST: Final = 12
"""Languages of a header that are looked at."""
_USUAL: Final = Locale("en")
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}")
"""A language as BCP 47 writes it. Babel takes more, such as modifiers, and then has no data for it."""


class Reader:
    """Somebody who reads amounts and days in one way."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        self.locale = str(locale)
        """As Babel names it."""
        self.language = self.locale.replace("_", "-")
        """As HTML names it."""

    def money(self, amount: int, currency: str) -> str:
        return format_money(amount, currency, self.locale)

    def day(self, day: date) -> str:
        return dates.format_date(day, format="long", locale=self._locale)


@lru_cache(maxsize=256)
def reader_of(accept_language: str) -> Reader:
    """The reader whom an Accept-Language header speaks of; English where it names nothing that we know."""
    return Reader(next(filter(None, map(locale_named, _tags(accept_language[:500]))), _USUAL))


def locale_named(tag: str) -> Locale | None:
    """The locale of a language tag; None where we know none."""
    if not _TAG.fullmatch(tag):
        return None
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return None


def _tags(header: str) -> Iterator[str]:
    """The languages of a header, the dearest first."""
    weighed = []
    for place, part in enumerate(header.split(",")[:_MOST]):
        tag, _, rest = part.strip().partition(";")
        weight = _weight(rest)
        if tag and tag != "*" and weight > 0:
            weighed.append((-weight, place, tag.strip()))
    return (tag for _, _, tag in sorted(weighed))


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
