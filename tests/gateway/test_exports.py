"""CSV files of a show: whole, in pieces, safe to open, and fit to be imported again."""

import asyncio
import csv
import io
from typing import Any

import aiohttp
import pytest

from services.common.errors import NotFound, Unavailable
from services.common.money import format_decimal
from services.gateway.exports.files import PAGE, file_name
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Answer, Gateway, Owner
from tests.gateway.messages import filled

LISTS = {"items": "ListItems", "claims": "ListClaims", "buyers": "ListBuyers", "invoices": "ListInvoices"}


def script_show(gateway: Gateway, name: str = "Friday", currency: str = "GBP") -> None:
    show = pb.Show(id="s", name=name, currency=currency, state=pb.SHOW_STATE_ENDED)
    gateway.invoicing.script("GetShow", pb.GetShowResponse(show=show))


def rows(answer: Answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


@pytest.mark.parametrize("table", LISTS)
async def test_every_column_of_every_table_is_filled(gateway: Gateway, owner: Owner, table: str) -> None:
    script_show(gateway)
    message: Any = filled(getattr(pb, f"{LISTS[table]}Response")())
    message.next_page_token = ""
    for invoice in message.invoices if table == "invoices" else ():
        invoice.currency = "GBP"
    gateway.invoicing.script(LISTS[table], message)
    answer = await owner.client("GET", f"/api/shows/s/exports/{table}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="showbill-friday-{table}.csv"'
    (row,) = rows(answer)
    assert "" not in row.values()
    assert gateway.invoicing.last(LISTS[table]).page_size == PAGE
    for column in row:
        if column.endswith("_decimal"):
            minor = int(row[column.replace("_decimal", "_minor")])
            assert row[column] == format_decimal(minor, "GBP")


async def test_a_file_goes_out_page_by_page(gateway: Gateway, owner: Owner) -> None:
    script_show(gateway, currency="JPY")
    second = asyncio.Event()

    async def page(request: Any) -> Any:
        if not request.page_token:
            return pb.ListItemsResponse(items=[pb.Item(item_number="1", price=5)], next_page_token="2")
        await second.wait()
        return pb.ListItemsResponse(items=[pb.Item(item_number="2")])

    gateway.invoicing.script("ListItems", page)
    async with owner.client.session.get(f"{gateway.url}/api/shows/s/exports/items?bom=true") as answer:
        first = await answer.content.readuntil(b"JPY,\r\n")
        second.set()
        text = (first + await answer.content.read()).decode()
    assert text == "\ufeffitem_number,title,price_decimal,price_minor,currency,quantity\r\n1,,5,5,JPY,\r\n2,,,,JPY,\r\n"


async def test_what_a_spreadsheet_would_run_is_marked_and_numbers_stay_numbers(gateway: Gateway, owner: Owner) -> None:
    script_show(gateway)
    titles = [
        '=HYPERLINK("http://evil","x")',
        "+1",
        "-2",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "'=x",
        "two\nlines",
        '1,5;"',
        "plain",
    ]
    items = [pb.Item(item_number=f"-{n}", title=title, price=n, quantity=n) for n, title in enumerate(titles)]
    gateway.invoicing.script("ListItems", pb.ListItemsResponse(items=items))
    answer = await owner.client("GET", "/api/shows/s/exports/items")
    cells = rows(answer)
    assert [row["title"] for row in cells] == [*("'" + title for title in titles[:7]), *titles[7:]]
    assert {row["item_number"][:2] for row in cells} == {"'-"}
    assert [(row["price_decimal"], row["price_minor"], row["quantity"]) for row in cells[:2]] == [
        ("0.00", "0", "0"),
        ("0.01", "1", "1"),
    ]


async def test_a_file_that_breaks_off_is_not_taken_for_whole(gateway: Gateway, owner: Owner) -> None:
    script_show(gateway)

    def page(request: Any) -> Any:
        return Unavailable() if request.page_token else pb.ListClaimsResponse(next_page_token="2")

    gateway.invoicing.script("ListClaims", page)
    with pytest.raises(aiohttp.ClientPayloadError):
        await owner.client("GET", "/api/shows/s/exports/claims")


async def test_what_is_not_there_is_told_before_a_file_begins(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("GetShow", NotFound(what="show"))
    answer = await owner.client("GET", "/api/shows/s/exports/items")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
    script_show(gateway)
    gateway.invoicing.script("ListItems", Unavailable())
    assert (await owner.client("GET", "/api/shows/s/exports/items")).status == 503
    assert (await owner.client("GET", "/api/shows/s/exports/secrets")).status == 400


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Friday Sale!", "showbill-friday-sale-items.csv"),
        (
            '../../etc/passwd"; filename="x.exe\r\nSet-Cookie: a',
            "showbill-etc-passwd-filename-x-exe-set-cookie-a-items.csv",
        ),
        ("Größe & Café", "showbill-groe-cafe-items.csv"),
        ("日本", "showbill-items.csv"),
        ("CON", "showbill-con-items.csv"),
        ("x" * 300, f"showbill-{'x' * 60}-items.csv"),
    ],
)
def test_names_of_files_are_safe(name: str, file: str) -> None:
    assert file_name(name, "items") == file
