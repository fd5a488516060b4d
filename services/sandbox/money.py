"""Currencies: decimals, minimum charges and the largest amount, as Stripe documents them."""

from decimal import Decimal
from typing import Final

from services.sandbox import errors

_SUPPORTED: Final = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf"
    " clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr"
    " ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr"
    " mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd"
    " shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar"
    " zmw"
)
_CURRENCIES: Final = frozenset(_SUPPORTED.split())
ZERO_DECIMAL: Final = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMAL: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_UNITS_ONLY: Final = frozenset({"isk", "ugx"})

# In minor units. Currencies that are missing have no documented minimum of their own: none is applied.
_MINIMUM: Final = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "hrk": 50, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip

_MAXIMUM: Final = 99_999_999
_MAXIMUM_OF: Final = {"idr": 999_999_999_999}


def checked_currency(currency: str, param: str = "currency") -> str:
    lowered = currency.lower()
    if lowered not in _CURRENCIES:
        supported = _SUPPORTED.replace(" ", ", ")
        message = f"Invalid currency: {currency}. Stripe currently supports these currencies: {supported}"
        raise errors.refused(message, param)
    return lowered


def checked_amount(amount: int, currency: str, param: str) -> int:
    if abs(amount) > _MAXIMUM_OF.get(currency, _MAXIMUM):
        largest = shown(_MAXIMUM_OF.get(currency, _MAXIMUM), currency)
        raise errors.refused(f"Amount must be no more than {largest}", param, "amount_too_large")
    if currency in THREE_DECIMAL and amount % 10:
        raise errors.refused(f"Invalid amount: the last digit of an amount in {currency} must be 0.", param)
    if currency in WHOLE_UNITS_ONLY and amount % 100:
        raise errors.refused(f"Invalid amount: an amount in {currency} must be divisible by 100.", param)
    return amount


def minimum_charge(currency: str) -> int:
    """In minor units; 0 where none is documented."""
    return _MINIMUM.get(currency, 0)


def decimals(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def shown(amount: int, currency: str) -> str:
    """`1234` and `gbp` as `GBP 12.34`: for the sandbox's pages."""
    places = decimals(currency)
    return f"{currency.upper()} {Decimal(amount).scaleb(-places):,.{places}f}"
