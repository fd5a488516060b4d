"""CSV files: good lines are taken, bad ones named by their line."""

import csv
import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.common.errors import TimedOut, Unavailable
from services.gateway.backends.shows import BATCH
from services.gateway.imports.taking import FileCutOff
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner

EXAMPLES = Path(__file__).parents[2] / "examples"
CSV = {"Content-Type": "text/csv"}
HEADER = "item_number,title,price\n"


def take_items(request: Any) -> Any:
    return pb.StreamItemsResponse(created_count=len(request.items))


def take_claims(request: Any) -> Any:
    return pb.StreamClaimsResponse(created_count=len(request.claims))


@pytest.mark.parametrize("show", sorted(path.name for path in EXAMPLES.iterdir() if (path / "items.csv").exists()))
async def test_every_line_of_the_examples_is_taken(gateway: Gateway, owner: Owner, show: str) -> None:
    gateway.invoicing.script("StreamItems", take_items)
    gateway.invoicing.script("StreamClaims", take_claims)
    for what, method in (("items", "StreamItems"), ("claims", "StreamClaims")):
        content = (EXAMPLES / show / f"{what}.csv").read_bytes()
        count = len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))) - 1
        report = await owner.client("POST", f"/api/shows/s/imports/{what}", data=content, headers=CSV)
        assert report.status == 200
        told = {"created": count, "updated": 0, "unchanged": 0, "rejected": [], "rejectedCount": 0}
        assert report.json == told | {"encoding": "UTF-8", "separator": "comma"}
        assert all(len(getattr(call.request, what)) <= BATCH for call in gateway.invoicing.calls[method])
    prices = [item.HasField("price") for call in gateway.invoicing.calls["StreamItems"] for item in call.request.items]
    assert prices.count(False) > 0  # the examples hold items without a price


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('A,"title, with comma",12.50', "Write 1250 for 12.50"),
        ("A,title,-5", "not a whole number"),
        ("A,title,٣", "not a whole number"),
        ("A,title", "has 2 fields, the first line 3"),
        (",title,5", "The column item_number is empty."),
        ("A," + "x" * 600 + ",5", "The column title has more than 500 characters."),
        ("A,title," + "9" * 17, "price"),
    ],
)
async def test_a_bad_line_is_named_and_the_others_taken(gateway: Gateway, owner: Owner, line: str, says: str) -> None:
    gateway.invoicing.script("StreamItems", take_items)
    content = f"{HEADER}1,first,100\n{line}\n3,third,\n"
    report = (await owner.client("POST", "/api/shows/s/imports/items", data=content.encode(), headers=CSV)).json
    assert (report["created"], report["rejectedCount"]) == (2, 1)
    (rejected,) = report["rejected"]
    assert rejected["line"] == 3
    assert says in rejected["reason"]
    assert rejected["reason"].endswith(".")
    assert [item.item_number for item in gateway.invoicing.last("StreamItems").items] == ["1", "3"]


async def test_an_item_number_that_is_there_twice_is_named(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("StreamItems", take_items)
    content = f"{HEADER}A,first,100\nB,other,1\nA,again,200\n"
    report = (await owner.client("POST", "/api/shows/s/imports/items", data=content.encode(), headers=CSV)).json
    assert report["rejected"] == [{"line": 4, "reason": "The item number A is on line 2 already."}]


async def test_lines_that_the_service_refuses_are_named(gateway: Gateway, owner: Owner) -> None:
    refused = pb.RejectedItem(index=1, item_number="B", reason="This title is not allowed.")
    gateway.invoicing.script(
        "StreamItems", pb.StreamItemsResponse(created_count=2, rejected_items=[refused], rejected_count=1)
    )
    content = f"{HEADER}A,good,1\nB,bad,1\n\nC,good,1\n"
    report = (await owner.client("POST", "/api/shows/s/imports/items", data=content.encode(), headers=CSV)).json
    assert (report["created"], report["rejectedCount"]) == (2, 1)
    assert report["rejected"] == [{"line": 3, "reason": "This title is not allowed."}]


async def test_refused_claims_are_named_by_their_line(gateway: Gateway, owner: Owner) -> None:
    rejected = [pb.RejectedClaim(index=1, claim_id="c2", reason="There is no item 9.")]
    gateway.invoicing.script(
        "StreamClaims", pb.StreamClaimsResponse(created_count=1, rejected_claims=rejected, rejected_count=1)
    )
    content = (
        "claim_id,platform,platform_user_id,item_number,status,quantity,claimed_at,email\n"
        "c1,facebook,u1,1,Winner,2,2026-11-01T12:00:00+02:00,u1@example.com\n"
        "c0,facebook,u1,1,lost,2,,\n"
        "c2,facebook,u2,9,released,,,\n"
        "c3,facebook,u2,1,winner,,1/11/2026,\n"
    )
    report = (await owner.client("POST", "/api/shows/s/imports/claims", data=content.encode(), headers=CSV)).json
    assert [one["line"] for one in report["rejected"]] == [3, 4, 5]
    assert report["rejected"][1]["reason"] == "There is no item 9."
    assert "Write it as 2026-11-01T10:00:00Z" in report["rejected"][2]["reason"]
    first, second = gateway.invoicing.last("StreamClaims").claims
    assert (first.quantity, first.email) == (2, "u1@example.com")
    assert first.claim_time.ToJsonString() == "2026-11-01T10:00:00Z"
    assert (second.quantity, second.status, second.HasField("claim_time")) == (1, pb.CLAIM_STATUS_RELEASED, False)


async def test_buyers_are_taken_from_their_own_export(gateway: Gateway, owner: Owner) -> None:
    told = pb.Buyer(platform="facebook", platform_user_id="=u1", handle="@ann", display_name="Ann", email="a@b.example")
    gateway.invoicing.script("GetShow", pb.GetShowResponse(show=pb.Show(id="s", name="S", currency="GBP")))
    gateway.invoicing.script("ListBuyers", pb.ListBuyersResponse(buyers=[told]))
    exported = await owner.client("GET", "/api/shows/s/exports/buyers")
    refused = pb.RejectedBuyer(index=1, reason="The e-mail address is not one.")
    gateway.invoicing.script(
        "StreamBuyers", pb.StreamBuyersResponse(unchanged_count=1, rejected_buyers=[refused], rejected_count=1)
    )
    file = exported.text + "facebook,=u1,,Twice,,,,,,,,\nfacebook,u2,,,nobody,,,,,,,\n,u3,,,,,,,,,,\n"
    file += "facebook," + "u" * 201 + ",,,,,,,,,,\n"
    report = (await owner.client("POST", "/api/shows/s/imports/buyers", data=file.encode(), headers=CSV)).json
    assert (report["unchanged"], report["rejectedCount"]) == (1, 4)
    assert [one["line"] for one in report["rejected"]] == [3, 4, 5, 6]
    assert report["rejected"][3]["reason"] == "The column platform_user_id has more than 200 characters."
    assert report["rejected"][0]["reason"] == "The buyer =u1 of facebook is on line 2 already."
    assert report["rejected"][1]["reason"] == "The e-mail address is not one."
    assert gateway.invoicing.last("StreamBuyers").buyers[0] == told
    unknown = b"platform,user_id,e-mail,phone\nfacebook,u1,a@b.example,1\n"
    answer = await owner.client("POST", "/api/shows/s/imports/buyers", data=unknown, headers=CSV)
    assert answer.status == 400
    assert answer.json["detail"] == (
        "The column phone is not known. Known are platform, platform_user_id, user_handle, display_name, email."
    )


async def test_all_or_nothing_sends_nothing_while_a_line_is_bad(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("StreamItems", take_items)
    path = "/api/shows/s/imports/items?allOrNothing=true"
    bad = f"{HEADER}A,a,1\nB,b,no\nA,c,1\n".encode()
    answer = await owner.client("POST", path, data=bad, headers=CSV)
    assert (answer.status, answer.json["type"]) == (400, "urn:showbill:problem:nothing-taken")
    assert answer.json["detail"].startswith("Nothing was taken, for all or nothing was asked: 2 lines are wrong.")
    assert [fault["pointer"] for fault in answer.json["errors"]] == ["#/lines/3", "#/lines/4"]
    assert not gateway.invoicing.calls
    good = await owner.client("POST", path, data=f"{HEADER}A,a,1\nB,b,2\n".encode(), headers=CSV)
    assert good.json["created"] == 2
    assert gateway.invoicing.last("StreamItems").all_or_none


async def test_all_or_nothing_names_what_the_service_refuses(gateway: Gateway, owner: Owner) -> None:
    rejected = [pb.RejectedClaim(index=0, claim_id="c2", reason="There is no item 9.")]
    gateway.invoicing.script("StreamClaims", pb.StreamClaimsResponse(rejected_claims=rejected, rejected_count=1))
    content = b"claim_id,platform,platform_user_id,item_number,status\n\nc2,facebook,u2,9,winner\n"
    path = "/api/shows/s/imports/claims?allOrNothing=true"
    answer = await owner.client("POST", path, data=content, headers=CSV)
    assert answer.status == 400
    assert answer.json["errors"] == [{"pointer": "#/lines/3", "detail": "There is no item 9."}]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("item_number,title", "The column price is missing"),
        ("item_number,title,price,colour", "The column colour is not known"),
        ("item,sku,title,price", "The columns item and sku both mean item_number"),
        ("item_number,title,price,price", "The column price is there twice"),
        ("", "The column item_number is missing"),
    ],
)
async def test_a_wrong_first_line_takes_nothing(gateway: Gateway, owner: Owner, header: str, says: str) -> None:
    answer = await owner.client("POST", "/api/shows/s/imports/items", data=f"{header}\nA,b,1\n".encode(), headers=CSV)
    assert answer.status == 400
    assert says in answer.json["detail"]
    assert not gateway.invoicing.calls


async def test_the_file_of_a_form_is_taken_too(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("StreamItems", take_items)
    form = aiohttp.FormData()
    form.add_field("file", f"{HEADER}A,b,1\n".encode(), filename="items.csv", content_type="text/csv")
    report = await owner.client("POST", "/api/shows/s/imports/items", data=form)
    assert report.json["created"] == 1
    empty = aiohttp.FormData()
    empty.add_field("note", "no file", content_type="text/plain")
    answer = await owner.client("POST", "/api/shows/s/imports/items", data=empty)
    assert (answer.status, answer.json["type"]) == (400, "urn:showbill:problem:no-file")


async def test_a_large_file_goes_in_batches(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("StreamItems", take_items)
    content = HEADER + "".join(f"{n},Item {n},{n}\n" for n in range(12_000))
    report = await owner.client("POST", "/api/shows/s/imports/items", data=content.encode(), headers=CSV)
    assert report.json["created"] == 12_000
    assert [len(call.request.items) for call in gateway.invoicing.calls["StreamItems"]] == [BATCH, BATCH, 2_000]


async def test_a_file_beyond_the_limit_is_refused(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("POST", "/api/shows/s/imports/items", data=b"x" * (50 * 1024 * 1024 + 1), headers=CSV)
    assert answer.status == 413
    assert not gateway.invoicing.calls


def invoice(invoice_id: str, **fields: Any) -> pb.Invoice:
    told = pb.Invoice(
        id=invoice_id, number=f"SB-{invoice_id}", total=1250, currency="GBP", status=pb.INVOICE_STATUS_SENT
    )
    told.MergeFrom(pb.Invoice(**fields))
    return told


async def test_invoices_are_marked_from_their_own_export(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("GetShow", pb.GetShowResponse(show=pb.Show(id="s", name="S", currency="GBP")))
    kept = invoice("i2", status=pb.INVOICE_STATUS_PAID, paid_outside="=cash")
    exported = pb.ListInvoicesResponse(invoices=[invoice("i1"), kept, invoice("i3")])
    gateway.invoicing.script("ListInvoices", exported)
    lines = (await owner.client("GET", "/api/shows/s/exports/invoices")).text.splitlines()
    place = lines[0].split(",").index("paid_outside")
    assert [line.split(",")[place] for line in lines[1:]] == ["", "'=cash", ""]
    cells = lines[1].split(",")
    filled = "\n".join([lines[0], ",".join([*cells[:place], "bank transfer 12 Nov", *cells[place + 1 :]]), *lines[2:]])
    refused = pb.RejectedMark(index=1, reason="The buyer paid this invoice through the provider already.")
    taken = pb.StreamMarksResponse(
        updated_count=1, unchanged_count=1, rejected_marks=[refused], rejected_count=1, updated_total=1250
    )
    taken.currency = "GBP"
    taken.generation_ids.append("g")
    gateway.invoicing.script("StreamMarks", taken)
    answer = await owner.client("POST", "/api/shows/s/imports/invoices", data=filled.encode(), headers=CSV)
    assert answer.json["rejected"] == [{"line": 3, "reason": refused.reason}]
    told = {key: answer.json[key] for key in ("created", "updated", "unchanged", "updatedTotal", "generationIds")}
    assert told == {"created": 0, "updated": 1, "unchanged": 1, "updatedTotal": 1250, "generationIds": ["g"]}
    request = gateway.invoicing.last("StreamMarks")
    assert (request.show_id, request.all_or_none, request.validate_only) == ("s", False, False)
    first, second, third = request.marks
    assert first == pb.PaidMark(
        invoice_id="i1", number="SB-i1", paid=True, note="bank transfer 12 Nov", amount=1250, currency="GBP"
    )
    assert (second.note, third) == ("=cash", pb.PaidMark(invoice_id="i3", number="SB-i3"))
    await owner.client(
        "POST", "/api/shows/s/imports/invoices?validateOnly=true", data=b"number,paid_outside\nSB-1,\n", headers=CSV
    )
    assert gateway.invoicing.last("StreamMarks").validate_only


_NOT_THE_TOTAL = (
    "The cell paid_outside says {}, which is not the total of the line. A part cannot be marked: correct the line, or"
    " empty the cell."
)
_UNCLEAR = "The cell paid_outside says '{}'. Empty it where the whole was not paid; else write how it was."


@pytest.mark.parametrize(
    ("cell", "amount", "means"),
    [
        ("YES", "12.50", pb.PaidMark(number="n", paid=True, amount=1250)),
        ("No", "nonsense", pb.PaidMark(number="n")),
        (" ", "", pb.PaidMark(number="n")),
        ("FALSE", "", pb.PaidMark(number="n")),
        (
            "no change given: cash",
            "£12.50",
            pb.PaidMark(number="n", paid=True, note="no change given: cash", amount=1250),
        ),
        ("#N/A", "", "The cell paid_outside holds an error of the spreadsheet, #N/A. Correct it, or empty it."),
        ("#BEZUG!", "", "The cell paid_outside holds an error of the spreadsheet, #BEZUG!. Correct it, or empty it."),
        ("x" * 501, "", "The column paid_outside has more than 500 characters."),
        *((cell, "nonsense", pb.PaidMark(number="n")) for cell in ("0.00", "0,00", "£0.00", "0 EUR", "n/a", "N.A.")),
        *((cell, "", pb.PaidMark(number="n")) for cell in ("Not yet", "pending", "open", "null", "Due", "—")),
        ("12.50", "", pb.PaidMark(number="n", paid=True, note="12.50", amount=1250)),
        ("GBP 1,250", "1,250.00", pb.PaidMark(number="n", paid=True, note="GBP 1,250", amount=125_000)),
        ("15.00", "50", _NOT_THE_TOTAL.format("15.00")),
        ("-50", "50", _NOT_THE_TOTAL.format("-50")),
        ("50 EUR", "50", _NOT_THE_TOTAL.format("50 EUR")),
        ("1,250", "", "The amount '1,250' can mean 1.250 or 1250.0. Write it with its decimals."),
        ("not received", "", _UNCLEAR.format("not received")),
        ("?", "", _UNCLEAR.format("?")),
        ("Deposit", "", _UNCLEAR.format("Deposit")),
        ("12 Nov", "", pb.PaidMark(number="n", paid=True, note="12 Nov")),
        ("Nothing owed: swapped", "", pb.PaidMark(number="n", paid=True, note="Nothing owed: swapped")),
        ("cash", "1,234", "The total '1,234' can mean 1.234 or 1234.0. Write it with its decimals."),
    ],
)
async def test_what_stands_in_paid_outside_is_what_is_meant(
    gateway: Gateway, owner: Owner, cell: str, amount: str, means: pb.PaidMark | str
) -> None:
    """A column filled by hand, or by a formula that looks payments up, marks nothing by mistake."""
    gateway.invoicing.script("GetShow", pb.GetShowResponse(show=pb.Show(id="s", name="S", currency="GBP")))
    gateway.invoicing.script("StreamMarks", pb.StreamMarksResponse())
    file = f"Invoice number;Paid elsewhere;Amount\nn;{cell};{amount}\n;yes;\nn;yes;\n"
    answer = await owner.client("POST", "/api/shows/s/imports/invoices", data=file.encode(), headers=CSV)
    reasons = {one["line"]: one["reason"] for one in answer.json["rejected"]}
    assert reasons.pop(3).startswith("The line names no invoice.")
    assert reasons.pop(4) == "The invoice n is on line 2 already."
    if isinstance(means, str):
        assert reasons == {2: means}
    else:
        assert (reasons, [*gateway.invoicing.last("StreamMarks").marks]) == ({}, [means])


async def test_a_file_that_is_cut_off_is_not_said_to_have_changed_nothing(gateway: Gateway, owner: Owner) -> None:
    """What came before the outage is taken."""
    header = "claim_id,platform,platform_user_id,item_number,status"
    for away in (Unavailable(), TimedOut()):
        gateway.invoicing.script("StreamClaims", away)
        file = f"{header}\nc1,facebook,u1,1,winner\n".encode()
        answer = await owner.client("POST", "/api/shows/s/imports/claims", data=file, headers=CSV)
        assert (answer.status, answer.json["type"]) == (503, "urn:showbill:problem:unavailable")
        assert answer.json["detail"] == FileCutOff().message
