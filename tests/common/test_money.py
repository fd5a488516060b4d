import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common import money
from services.common.money import exponent, format_money, is_currency


@pytest.mark.parametrize(("currency", "places"), [("GBP", 2), ("JPY", 0), ("BHD", 3), ("ALL", 2), ("CLP", 0)])
def test_exponents_come_from_the_iso_table(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize("code", ["gbp", "XXX", "ZZZ", "", "POUND", "BOV", "USN", "CLF", "CHW"])
def test_only_upper_case_codes_with_minor_units_are_currencies(code: str) -> None:
    assert not is_currency(code)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (5_896_079, "GBP", "en_GB", "£58,960.79"),
        (60, "JPY", "en_US", "¥60"),
        (1, "BHD", "en_US", "BHD0.001"),
        (-1050, "EUR", "de_DE", "-10,50\u00a0€"),
        (0, "USD", "en_US", "$0.00"),
    ],
)
def test_money_is_formatted_for_the_reader(amount: int, currency: str, locale: str, text: str) -> None:
    assert format_money(amount, currency, locale) == text


@given(st.integers(-(10**15), 10**15), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_no_digit_is_lost_in_formatting(amount: int, currency: str) -> None:
    digits = "".join(character for character in format_money(amount, currency, "en_US") if character.isdigit())
    assert int(digits) == abs(amount)


@given(
    st.integers(-(10**15), 10**15),
    st.sampled_from(["GBP", "JPY", "KWD", "INR", "CLF"]),
    st.sampled_from(
        ["en_US", "de_CH", "fr_FR", "es_ES", "pl_PL", "en_IN", "hi_IN", "ar_EG", "fa_IR", "sv_SE", "ja_JP"]
    ),
)
def test_short_way_writes_what_the_library_writes(amount: int, currency: str, locale: str) -> None:
    assert format_money(amount, currency, locale) == money._format(amount, currency, locale)


def test_short_way_is_taken_where_digits_stand_in_threes() -> None:
    assert money._plainly_written("GBP", "en_US")
    assert money._plainly_written("GBP", "en_IN") is None
