"""Money: integers in minor units with an ISO 4217 currency. No float anywhere; formatted at the edge only."""

from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, numbers
from iso4217 import Currency

_CURRENCIES: Final = {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}


def is_currency(code: str) -> bool:
    """Whether this is the upper-case ISO 4217 code of a currency that has minor units."""
    return code in _CURRENCIES


def exponent(currency: str) -> int:
    """Decimal places of the currency's minor unit by ISO 4217: 0, 2, 3 (4 for the rare CLF and UYW)."""
    return _CURRENCIES[currency]


def format_decimal(amount: int, currency: str) -> str:
    """An amount in minor units for a program or a spreadsheet, for example `58.96`."""
    return f"{Decimal(amount).scaleb(-exponent(currency)):f}"


@lru_cache(maxsize=4096)
def format_money(amount: int, currency: str, locale: str = "en_US") -> str:
    """An amount in minor units for the reader, for example `£58.96`."""
    reader, pattern = _written(currency, locale)
    value = Decimal(amount).scaleb(-exponent(currency))
    return str(pattern.apply(value, reader, currency=currency, currency_digits=False))


@lru_cache(maxsize=256)
def _written(currency: str, locale: str) -> tuple[Locale, numbers.NumberPattern]:
    """Read once: a plan names amounts by the ten thousand."""
    places = exponent(currency)
    reader = Locale.parse(locale)
    pattern = numbers.parse_pattern(reader.currency_formats["standard"].pattern)
    pattern.frac_prec = (places, places)
    return reader, pattern
