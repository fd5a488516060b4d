"""Files as spreadsheets and people write them: encodings, separators, names of columns, quotes, prices."""

import io
import itertools
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.cells import marked, plain
from services.common.money import exponent
from services.gateway.imports import items as item_imports
from services.gateway.imports.claims import COLUMNS as CLAIM_COLUMNS
from services.gateway.imports.claims import parse_claim
from services.gateway.imports.columns import BadHeader
from services.gateway.imports.items import COLUMNS, parse_item
from services.gateway.imports.prices import decimal_price
from services.gateway.imports.repeats import repeats
from services.gateway.imports.report import Unfit
from services.gateway.imports.rows import Row, Sheet, open_sheet

HEADER = "item_number,title,price\n"
ROWS = 'item_number;title;price\r\nA;"two\nlines; Größe";5\r\n\r\n;;\r\nB; spaced ;;;\r\n'
TAKEN = [
    (2, {"item_number": "A", "title": "two\nlines; Größe", "price": "5"}),
    (6, {"item_number": "B", "title": "spaced", "price": ""}),
]


async def sheet(content: bytes) -> Sheet:
    return await open_sheet(io.BytesIO(content), COLUMNS)


async def read(content: bytes) -> list[Row]:
    return [row async for batch in (await sheet(content)).batches(2) for row in batch]


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
async def test_encodings_and_separators_are_found_out(codec: str, name: str, separator: str) -> None:
    content = ROWS.replace("; G", "\0").replace(";", separator).replace("\0", "; G").encode(codec)
    found = await sheet(content)
    assert (found.encoding.name, found.separator) == (name, separator)
    assert [(row.line, row.fields, row.problem) for row in await read(content)] == [(*one, "") for one in TAKEN]


async def test_what_a_spreadsheet_writes_before_the_header_is_no_row() -> None:
    (row,) = await read(b"sep=|\r\n\r\nitem_number|title|price\r\nA|b|1\r\n")
    assert (row.line, row.fields["title"]) == (4, "b")


@pytest.mark.parametrize(
    "header",
    ["Item Number,TITLE,Price", "itemNumber,Name,price-minor", "#,Description,Price (minor)", "SKU;title;PRICE_CENTS"],
)
async def test_usual_names_of_columns_are_understood(header: str) -> None:
    if "(" in header:
        with pytest.raises(BadHeader, match="Price \\(minor\\) is not known"):
            await sheet(f"{header}\n".encode())
    else:
        assert (await sheet(f"{header}\n".encode())).names == ("item_number", "title", "price")


async def test_the_header_alone_is_an_empty_file() -> None:
    assert await read(HEADER.encode()) == []
    for nothing in (b"", b"\n", b"\xff\xfe"):
        with pytest.raises(BadHeader):
            await sheet(nothing)


async def test_a_line_that_is_no_text_spoils_only_itself() -> None:
    rows = await read(b"item_number,title,price\nA,caf\xe9,1\nB,caf\xc3\xa9,2\nC,nul\0,3\nD,\xe2\x82\xac,4\n")
    assert [bool(row.problem) for row in rows] == [True, False, True, False]
    assert "UTF-8" in rows[0].problem
    assert rows[1].fields["title"] == "café"
    undefined = await read(b"item_number,title,price\nA,caf\xe9,1\nB,\x81,2\n")
    assert [bool(row.problem) for row in undefined] == [False, True]


@pytest.mark.parametrize(
    "bad",
    [
        'A,"never closed,1',
        'A,"x"y,1',
        "A," + "x" * 131_073 + ",1",
        "A," + "x" * 300_000 + ",1",
        "A,b",
        "A,b,1,2",
        'A,"',
    ],
    ids=["open", "behind", "field", "line", "short", "long", "end"],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
async def test_a_broken_line_does_not_take_others_with_it(bad: str, ends: str) -> None:
    lines = [HEADER.strip(), "1,a,1", bad, '2,"b ""quoted"", with comma",2', '3,"two' + ends + 'lines",3', "4,d,"]
    rows = await read(ends.join(lines).encode())
    assert [row.line for row in rows if row.problem] == [3]
    assert [(row.line, row.fields["item_number"]) for row in rows if not row.problem] == [
        (2, "1"),
        (4, "2"),
        (5, "3"),
        (7, "4"),
    ]
    assert all(row.problem.endswith(".") for row in rows if row.problem)


@given(st.lists(st.text(st.sampled_from("\",;\n\r\tx1é\0|'= "), max_size=12), max_size=6), st.integers(0, 6))
@settings(max_examples=150, deadline=None)
async def test_a_good_line_is_kept_whatever_stands_around_it(junk: list[str], place: int) -> None:
    """Junk that leaves a quote open may swallow the lines up to the next quote, but not this one, which has some."""
    good = 'good,"the ""title""",12'
    before, after = "\n".join(junk[:place]), "\n".join(junk[place:])
    rows = await read(f"{HEADER}{before}\n{good}\n{after}".encode())
    kept = [row for row in rows if not row.problem and row.fields["item_number"] == "good"]
    if before.count('"') % 2 == 0:
        assert [row.fields["title"] for row in kept] == ['the "title"']
    assert [row.line for row in rows] == sorted({row.line for row in rows})


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
async def test_no_bytes_break_the_reader(content: bytes) -> None:
    for prefix in (b"", HEADER.encode(), "\ufeff".encode("utf-16-le") + HEADER.encode("utf-16-le")):
        try:
            rows = await read(prefix + content)
        except BadHeader:
            continue
        with repeats() as known:
            for row in rows:
                if not row.problem:
                    try:
                        parse_item(row, "GBP", known)
                    except Unfit as error:
                        assert str(error).endswith(".")  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "GBP", 1250),
        ("12,50", "GBP", 1250),
        ("12", "GBP", 1200),
        ("12.5", "GBP", 1250),
        (".5", "GBP", 50),
        ("1,234.50", "GBP", 123450),
        ("1.234,50", "GBP", 123450),
        ("1 234,5", "EUR", 123450),
        ("1\u202f234", "EUR", 123400),
        ("1'234.05", "CHF", 123405),
        ("1.234.567", "EUR", 123456700),
        ("£3.99", "GBP", 399),
        ("3,99 €", "EUR", 399),
        ("GBP 3.99", "GBP", 399),
        ("1200", "JPY", 1200),
        ("1.2345", "KWD", None),
        ("0.125", "KWD", 125),
        ("1.25000", "GBP", 125),
        ("1,234", "GBP", None),
        ("1.234", "KWD", None),
        ("1,000", "JPY", None),
        ("12.345,678.9", "GBP", None),
        ("1,23,456", "GBP", None),
        ("-5.00", "GBP", None),
        ("5e3", "GBP", None),
        ("٣.٠٠", "GBP", None),
        ("$3.99", "GBP", None),
        ("", "GBP", None),
        ("1" * 50, "GBP", None),
    ],
)
def test_prices_are_exact_or_refused(text: str, currency: str, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(Unfit, match=r"\.$"):
            decimal_price(text, currency)
    else:
        assert decimal_price(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "mark", "minor"),
    [("1.250", ".", 1250), ("1,250", ",", 1250), ("1,250.500", ".", 1_250_500), ("1.250", ",", None)],
)
def test_all_decimals_of_a_dinar_are_no_thousands_to_who_writes_them_so(
    text: str, mark: str, minor: int | None
) -> None:
    if minor is None:
        with pytest.raises(Unfit, match="can mean"):
            decimal_price(text, "KWD", mark=mark)
    else:
        assert decimal_price(text, "KWD", mark=mark) == minor


@given(st.integers(0, 10**9), st.sampled_from(["GBP", "JPY", "KWD"]), st.sampled_from([",.", ".,", " ,", "'."]))
def test_a_price_with_its_minor_units_beside_it_reads_as_it_was(minor: int, currency: str, marks: str) -> None:
    places = exponent(currency)
    told = f"{Decimal(minor).scaleb(-places):,.{places}f}".translate({ord(","): marks[0], ord("."): marks[1]})
    assert decimal_price(told, currency, minor) == minor
    with pytest.raises(Unfit, match="differ"):
        decimal_price(told, currency, minor * 1000 + 1)


def item(fields: dict[str, str], currency: str = "GBP") -> int | None:
    with repeats() as known:
        return parse_item(Row(2, {"item_number": "A", "title": "", **fields}), currency, known).price


def test_columns_of_prices_must_agree() -> None:
    assert item({"price": "1250", "price_decimal": "12.50"}) == 1250
    assert item({"price": "", "price_decimal": "12.50"}) == 1250
    assert item({"price": "", "price_decimal": ""}) is None
    assert item({"price": "1250", "currency": "gbp"}) == 1250
    for fields in ({"price": "12", "price_decimal": "12.00"}, {"price": "12", "currency": "USD"}, {"price": "12.50"}):
        with pytest.raises(Unfit):
            item(fields)


async def test_a_wish_makes_the_price_column_decimal() -> None:
    found = await open_sheet(io.BytesIO(b"item,name,Price\nA,b,12.50\n"), item_imports.DECIMAL)
    assert found.names == ("item_number", "title", "price_decimal")


@given(st.text())
def test_a_cell_is_never_a_formula_and_comes_back_as_it_was(text: str) -> None:
    assert not marked(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", " "))
    assert plain(marked(text)) == text


@pytest.mark.parametrize(
    "text", [f"{quotes}{sign}x" for quotes, sign in itertools.product(("", "'", "''"), "=+-@\t\r")]
)
def test_formulas_are_marked(text: str) -> None:
    assert marked(text) == "'" + text
    assert plain(marked(text)) == text


def test_other_people_s_quotes_stay() -> None:
    assert plain("'Tis the season") == "'Tis the season"
    assert marked("'Tis the season") == "'Tis the season"


def test_claim_columns_are_all_known_to_the_body() -> None:
    fields = dict.fromkeys((*CLAIM_COLUMNS.required, *CLAIM_COLUMNS.optional), "1")
    fields |= {"status": "winner", "claimed_at": "2026-11-01T10:00:00Z"}
    claim = parse_claim(Row(2, fields))
    assert (claim.sequence, claim.quantity, claim.display_name) == (1, 1, "1")


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-12:00", "01/02/2026", "yesterday", "2026-13-01"])
def test_times_that_are_none_are_told(text: str) -> None:
    fields = dict.fromkeys(CLAIM_COLUMNS.required, "1") | {"status": "winner", "claimed_at": text}
    with pytest.raises(Unfit, match="cannot be read"):
        parse_claim(Row(2, fields))
