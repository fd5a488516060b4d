"""Prices as people and spreadsheets write them: exact, and refused where they could mean two amounts."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from babel import Locale

from services.common.money import exponent
from services.gateway.imports.report import Unfit, whole_number

_SPACES: Final = " \u00a0\u202f\u2009"
_MARKS: Final = ".,"
_LONGEST: Final = 40
_NUMBER: Final = re.compile(rf"[0-9][0-9.,'’{_SPACES}]*|[.,][0-9]+")


def minor_price(text: str) -> int:
    """Minor units as they stand. Raises Unfit."""
    if re.fullmatch(r"\d+[.,]\d+", text):
        raise Unfit(
            f"The price '{text[:_LONGEST]}' is not in minor units. Write 1250 for 12.50. "
            "Where all prices are decimal, name the column price_decimal."
        )
    return whole_number(text, "price")


def decimal_price(text: str, currency: str, minor: int | None = None, *, what: str = "price", mark: str = "") -> int:
    """Minor units of `£1,234.50`, `1.234,50` or `1 234,5`; `what` is how people call it.

    Where it can be read in two ways, the one in minor units beside it decides. What stands behind the reader's `mark`
    is decimals where they are as many as the currency has: 1.250 of a dinar. Raises Unfit.
    """
    number, told = _without_currency(text, currency), text[:_LONGEST]
    whole = mark and mark in number and len(number.rpartition(mark)[2]) == exponent(currency)
    amounts = readings(number, mark if whole else _MARKS)
    if not amounts:
        raise Unfit(f"The {what} '{told}' is no amount. Write it as 1234.50.")
    exact = [amount.scaleb(exponent(currency)) for amount in amounts]
    fitting = [int(amount) for amount in exact if amount == int(amount)]
    if minor is not None:
        if minor not in fitting:
            raise Unfit(
                f"The {what} '{told}' and the {what} {minor} in minor units differ. Correct one, or leave it out."
            )
        return minor
    if len(amounts) > 1:
        raise Unfit(
            f"The {what} '{told}' can mean {' or '.join(f'{a:f}' for a in amounts)}. Write it with its decimals."
        )
    if not fitting:
        raise Unfit(f"The {what} '{told}' has more decimals than {currency} has.")
    return fitting[0]


def readings(number: str, marks: str = _MARKS) -> list[Decimal]:
    """All that a number can mean, in order, with one of the marks before its decimals; nothing where it is none."""
    return sorted(set(_readings(number, marks))) if _NUMBER.fullmatch(number) and len(number) <= _LONGEST else []


def _without_currency(text: str, currency: str) -> str:
    """The number, without the currency's code or sign before or behind it."""
    symbol = Locale("en").currency_symbols.get(currency, currency)
    for sign in (currency, symbol):
        if text.upper().startswith(sign):
            return text[len(sign) :].strip()
        if text.upper().endswith(sign):
            return text[: -len(sign)].strip()
    return text


def _readings(number: str, marks: str) -> Iterator[Decimal]:
    """What it can mean: with a point or a comma before the decimals, and with any separator of thousands."""
    for mark in marks:
        whole, found, decimals = number.partition(mark)
        digits = _grouped(whole, mark)
        if digits is not None and (decimals.isdecimal() or not found):
            yield Decimal(f"{digits}.{decimals or '0'}")


def _grouped(whole: str, mark: str) -> str | None:
    """The digits of a whole number, whose thousands may be set apart by one separator other than the decimal mark."""
    if not whole or whole.isdecimal():
        return whole or "0"
    for separator in {".", ",", "'", "’", *_SPACES} - {mark}:
        if re.fullmatch(rf"[1-9][0-9]{{0,2}}({re.escape(separator)}[0-9]{{3}})+", whole):
            return whole.replace(separator, "")
    return None
