"""Values as the reader reads them: money and numbers of their locale, times, initials."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from zlib import adler32

from babel import dates, numbers
from jinja2 import pass_context
from jinja2.runtime import Context

from services.common.money import exponent, format_decimal, format_money
from services.gateway.reader import reader_of

DEFAULT_LOCALE: Final = "en_US"
_HUES: Final = 6


def locale_of(headers: Mapping[str, str]) -> str:
    """The dearest language of Accept-Language that we know."""
    return reader_of(headers.get("accept-language", "")).locale


def _locale(context: Context) -> str:
    return str(context.get("locale") or DEFAULT_LOCALE)


@pass_context
def money(context: Context, amount: int, currency: str) -> str:
    """Minor units with their currency."""
    return format_money(amount, currency, _locale(context))


@pass_context
def readers(context: Context, sentence: str, currency: str) -> str:
    """A sentence of the services, which name amounts in one way for all, with its amounts as the reader has them."""

    def written(found: re.Match[str]) -> str:
        return money(context, int(found[1].replace(",", "").replace(".", "")), currency)

    return _amounts(currency).sub(written, sentence)


@lru_cache(maxsize=256)
def _amounts(currency: str) -> re.Pattern[str]:
    places, sign = exponent(currency), re.escape(format_money(0, currency).rstrip("0.,"))
    return re.compile(sign + r"(\d+(?:,\d+)*" + (rf"[.]\d{{{places}}})" if places else ")"))


def currency_name(code: str) -> str:
    """`GBP, British Pound`, in the words of the page."""
    return f"{code}, {numbers.get_currency_name(code, locale=DEFAULT_LOCALE)}"


@pass_context
def decimal(context: Context, amount: int, currency: str) -> str:
    """Minor units as the reader types them: `0,85`."""
    return format_decimal(amount, currency).replace(".", decimal_mark(_locale(context)))


def decimal_mark(locale: str) -> str:
    """What stands before decimals, a point or a comma."""
    mark = str(numbers.get_decimal_symbol(locale))
    return mark if mark in ".," else "."


@pass_context
def number(context: Context, value: float) -> str:
    return str(numbers.format_decimal(value, locale=_locale(context)))


@pass_context
def percent(context: Context, value: int) -> str:
    """Of a hundred."""
    return str(numbers.format_percent(value / 100, locale=_locale(context)))


@pass_context
def day(context: Context, at: datetime) -> str:
    """The day in UTC; the page's script puts it into the reader's own time."""
    return str(dates.format_date(at, format="medium", locale=_locale(context)))


def ago(at: datetime, now: datetime | None = None) -> str:
    """How long ago, in a word or two."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    for limit, size, unit in ((60, 1, ""), (3600, 60, "min"), (86_400, 3600, "h"), (30 * 86_400, 86_400, "d")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit} ago" if unit else "just now"
    return at.strftime("%Y-%m-%d")


def plural(count: int, word: str, words: str = "") -> str:
    """`item` or `items`, after the number that was asked about."""
    return word if count == 1 else words or f"{word}s"


def lead(text: str) -> tuple[str, str]:
    """The first sentence, and what follows it."""
    first, _, rest = text.partition(". ")
    return (f"{first}.", rest) if rest else (text, "")


def initials(name: str) -> str:
    """Up to two letters for an avatar."""
    words = [word for word in "".join(char if char.isalnum() else " " for char in name).split() if word]
    if not words:
        return "?"
    return (words[0][0] + (words[1][0] if len(words) > 1 else words[0][1:2])).upper()


def hue(text: str) -> int:
    """Which of the avatars' colours, the same for the same text."""
    return adler32(text.encode()) % _HUES


FILTERS: Final[dict[str, Any]] = {
    "money": money,
    "readers": readers,
    "decimal": decimal,
    "number": number,
    "percent": percent,
    "places": exponent,
    "currency_name": currency_name,
    "day": day,
    "ago": ago,
    "plural": plural,
    "lead": lead,
    "initials": initials,
    "hue": hue,
}
