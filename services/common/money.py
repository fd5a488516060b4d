"""Money: integers in minor units with an ISO 4217 currency. No float anywhere; formatted at the edge only."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, numbers
from iso4217 import Currency

_FUNDS: Final = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"})
"""ISO 4217 lists units of account beside the currencies: nobody can pay in them."""
_CURRENCIES: Final = {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}

_PROBES: Final = (0, 5, 42, 999, 1000, 9_999, 10_000, 99_999, 123_456, 1_234_567, 987_654_321, 1_000_000_000_000)


def is_currency(code: str) -> bool:
    """Whether this is the upper-case ISO 4217 code of a currency that has minor units and can be paid in."""
    return code in _CURRENCIES and code not in _FUNDS


def exponent(currency: str) -> int:
    """Decimal places of the currency's minor unit by ISO 4217: 0, 2, 3 (4 for the rare CLF and UYW)."""
    return _CURRENCIES[currency]


def format_decimal(amount: int, currency: str) -> str:
    """An amount in minor units for a program or a spreadsheet, for example `58.96`."""
    return f"{Decimal(amount).scaleb(-exponent(currency)):f}"


def format_money(amount: int, currency: str, locale: str = "en_US") -> str:
    """An amount in minor units for the reader, for example `£58.96`."""
    plain = _plainly_written(currency, locale)
    return plain.format(amount) if plain and amount >= 0 else _format(amount, currency, locale)


def _format(amount: int, currency: str, locale: str) -> str:
    reader, pattern = _written(currency, locale)
    value = Decimal(amount).scaleb(-exponent(currency))
    return str(pattern.apply(value, reader, currency=currency, currency_digits=False))


@dataclass(frozen=True, slots=True)
class _Plain:
    """Money with digits in threes between two fixed texts, as most languages write it. A plan names amounts by the ten
    thousand, and the library takes twenty times as long for each."""

    before: str
    group: str
    point: str
    after: str
    places: int

    def format(self, amount: int) -> str:
        whole, part = divmod(amount, 10**self.places)
        digits = f"{whole:,}".replace(",", self.group)
        fraction = f"{self.point}{part:0{self.places}}" if self.places else ""
        return f"{self.before}{digits}{fraction}{self.after}"


@lru_cache(maxsize=256)
def _plainly_written(currency: str, locale: str) -> _Plain | None:
    """How it is written where that is plain; None where the library's own way is longer: other digits, other groups."""
    places = exponent(currency)
    shown = re.fullmatch(
        rf"(\D*)1(\D*)234(\D*)567(\D*){'5' * places}(\D*)", _format(int("1234567" + "5" * places), currency, locale)
    )
    if shown is None:
        return None
    before, group, again, point, after = shown.groups()
    found = _Plain(before, group, point if places else "", after if places else point + after, places)
    same = group == again and all(found.format(one) == _format(one, currency, locale) for one in _PROBES)
    return found if same else None


@lru_cache(maxsize=256)
def _written(currency: str, locale: str) -> tuple[Locale, numbers.NumberPattern]:
    """Read once: a plan names amounts by the ten thousand."""
    places = exponent(currency)
    reader = Locale.parse(locale)
    pattern = numbers.parse_pattern(reader.currency_formats["standard"].pattern)
    pattern.frac_prec = (places, places)
    return reader, pattern
