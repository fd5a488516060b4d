"""Money and days as the reader's browser would have them."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.common.money import format_money
from services.gateway.dashboard.formats import locale_of
from services.gateway.reader import reader_of

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("header", "language", "money", "day"),
    [
        ("", "en", "£1,234.50", "November 24, 2026"),
        ("en-GB,en;q=0.9", "en-GB", "£1,234.50", "24 November 2026"),
        ("de-DE,de;q=0.9,en;q=0.5", "de-DE", "1.234,50\xa0£", "24. November 2026"),
        ("xx-YY, fr;q=0.8, en;q=0.9", "en", "£1,234.50", "November 24, 2026"),
        ("fr;q=0.4, nl;q=0.7", "nl", "£\xa01.234,50", "24 november 2026"),
        ("*", "en", "£1,234.50", "November 24, 2026"),
        ("de;q=0, en-GB;q=nonsense", "en", "£1,234.50", "November 24, 2026"),
    ],
)
def test_dearest_known_language_decides(header: str, language: str, money: str, day: str) -> None:
    reader = reader_of(header)
    assert (reader.language, reader.money(123_450, "GBP"), reader.day(DAY)) == (language, money, day)
    assert format_money(123_450, "GBP", locale_of({"accept-language": header})) == money


ODD = st.lists(
    st.sampled_from(["zh", "-Hant", "@", "i-klingon", "-x-foo", "_", "-u-nu-arab", ";q=", "1", ",", " ", "\0"])
)


@given(st.one_of(st.text(max_size=100), ODD.map("".join)))
@example("zh-Hant @i-klingon-x-foo")
@example("de@euro")
def test_no_header_is_too_odd(header: str) -> None:
    reader = reader_of(header)
    assert reader.money(1, "JPY")
    assert reader.day(DAY)
    assert format_money(1, "JPY", locale_of({"accept-language": header}))
