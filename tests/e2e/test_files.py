"""CSV files through the whole product: out of one show and into another, and all or nothing."""

import asyncio
import csv
import json
import os
import sys
from pathlib import Path

import pytest

from services.cli.__main__ import app
from services.cli.rest import Refused
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import EXAMPLES, Workspace
from tests.waiting import eventually

SHOW = "retail-2010-12-05"
ODD = [
    {"itemNumber": "=1+1", "title": " -2 spaces ", "price": 0, "quantity": 0},
    {"itemNumber": "'@x", "title": 'a "quoted"\r\nline; and, more|', "price": None, "quantity": 2},
    {"itemNumber": "é\t1", "title": "'Tis the season", "price": 99_999_999},
]


async def content(workspace: Workspace, show: str, what: str) -> list[dict[str, object]]:
    hidden = ("id", "etag")
    entries = [entry async for entry in workspace.rest.pages(f"/api/shows/{show}/{what}", pageSize="1000")]
    return sorted(({k: v for k, v in one.items() if k not in hidden} for one in entries), key=repr)


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
async def test_files_go_into_another_show_as_they_came_out(workspace: Workspace, currency: str) -> None:
    made = await workspace.rest.call("POST", "/api/shows", {"name": SHOW, "currency": currency})
    show = str(made["id"])
    await workspace.rest.call("PUT", f"/api/shows/{show}/items", {"items": ODD})
    for what in ("items", "claims") if currency == "GBP" else ("items",):
        await workspace.import_file(show, what, (EXAMPLES / SHOW / f"{what}.csv").read_bytes())
    claims = [
        {"claimId": f"-{n}", "platform": "+p", "platformUserId": f"@{n}", "itemNumber": "=1+1", "status": status,
         "userHandle": "=cmd()", "displayName": "\u2003wide ", "quantity": 3, "sequence": n,
         "email": f"u{n}@example.com", "claimedAt": "2026-11-01T10:00:00.123456Z"}
        for n, status in enumerate(("winner", "waitlist", "released", "passed"))
    ]  # fmt: skip
    taken = await workspace.rest.call("POST", f"/api/shows/{show}/claims", {"claims": claims})
    assert taken["rejected"] == []

    other = await workspace.rest.call("POST", "/api/shows", {"name": "Copy", "currency": currency})
    for what in ("items", "claims"):
        file = await workspace.rest.download(f"/api/shows/{show}/exports/{what}")
        path = f"/api/shows/{other['id']}/imports/{what}?allOrNothing=true"
        report = await workspace.rest.call("POST", path, csv=file)
        assert report["rejectedCount"] == 0
        before, after = [await content(workspace, one, what) for one in (show, str(other["id"]))]
        assert len(before) == report["created"]
        assert after == before


async def test_all_or_nothing_is_just_that_in_the_service_too(workspace: Workspace) -> None:
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Whole", "currency": "GBP"})
    path = f"/api/shows/{made['id']}"
    await workspace.rest.call("PUT", f"{path}/items", {"items": [{"itemNumber": "1", "price": 5}]})
    header = "claim_id;platform;platform_user_id;item_number;status\r\n"
    lines = [f"c{n};facebook;u{n};1;winner\r\n" for n in range(6_000)]
    lines[5_500] = "c5500;facebook;u;99;winner\r\n"
    with pytest.raises(Refused) as refused:
        await workspace.rest.call(
            "POST", f"{path}/imports/claims?allOrNothing=true", csv=(header + "".join(lines)).encode()
        )
    assert refused.value.problem["errors"] == [
        {"pointer": "#/lines/5502", "detail": "The show has no item 99. Add the item, then send the claim again."}
    ]
    assert (await workspace.rest.call("GET", path))["claimCount"] == 0
    good = header + "".join(lines[:5_500] + lines[5_501:])
    report = await workspace.rest.call("POST", f"{path}/imports/claims?allOrNothing=true", csv=good.encode("utf-16"))
    assert (report["created"], report["encoding"], report["separator"]) == (5_999, "UTF-16", "semicolon")


async def mark_what_was_paid(stack: Stack, workspace: Workspace, show: str, exported: str, tmp_path: Path) -> None:
    """Two of three invoices as paid elsewhere, one of them with a wrong amount at first."""
    rows = [*csv.DictReader(exported.splitlines())]
    by_buyer = {row["platform_user_id"]: row for row in rows}
    by_buyer["u1"]["paid_outside"], by_buyer["u2"]["paid_outside"] = "bank transfer 12 Nov", "Yes"
    right, by_buyer["u2"]["total_minor"] = by_buyer["u2"]["total_minor"], ""
    by_buyer["u2"]["total_decimal"] = "9.99"
    file = tmp_path / "paid.csv"

    def write() -> None:
        with file.open("w", newline="") as target:
            writer = csv.DictWriter(target, rows[0], delimiter=";")
            writer.writeheader()
            writer.writerows(rows)

    write()
    code, out, _ = await cli(stack, workspace, "import", show, "invoices", str(file), "--all-or-nothing")
    assert (code, "The invoice is of £10.02, the file says £9.99." in out) == (1, True)
    code, out, _ = await cli(stack, workspace, "import", show, "invoices", str(file))
    assert (code, out.splitlines()[0].partition(". ")[0]) == (
        1,
        "Invoices: 1 to be marked as paid elsewhere, 1 unchanged, 1 refused",
    )
    by_buyer["u2"]["total_decimal"] = f"{int(right) / 100:.2f}"
    write()
    path = f"/api/shows/{show}/imports/invoices?allOrNothing=true"
    report = await workspace.rest.call("POST", path, csv=file.read_bytes())
    assert (report["updated"], report["unchanged"], report["updatedTotal"]) == (1, 2, 1002)
    (run,) = report["generationIds"]
    assert (await workspace.finished(run))["marksPaid"]
    again = await workspace.rest.call("POST", path, csv=file.read_bytes())
    assert (again["updated"], again["unchanged"], again["generationIds"]) == (0, 3, [])


async def test_invoices_go_out_and_come_back_as_marks_and_buyers_as_they_are(
    stack: Stack, workspace: Workspace, sandbox: Sandbox, tmp_path: Path
) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=3)
    await workspace.generate(show)
    invoices = {row["id"]: row for row in await workspace.invoices(show)}
    exported = (await workspace.rest.download(f"/api/shows/{show}/exports/invoices")).decode()
    for row in csv.DictReader(exported.splitlines()):
        invoice = invoices.pop(row["invoice_id"])
        assert (row["status"], row["total_minor"], row["payment_url"]) == (
            invoice["status"],
            str(invoice["total"]),
            invoice["externalUrl"],
        )
        assert row["pay_link"].endswith(invoice["payPath"])
        assert row["pay_link"].startswith("http")
    assert not invoices
    path = f"/api/shows/{show}"
    await sandbox.add_fault(
        {"operation": "invoices.pay", "account": workspace.account.id, "effect": "cut", "when": "after"}
    )
    await mark_what_was_paid(stack, workspace, show, exported, tmp_path)

    async def marked() -> bool:
        """Also the one whose answer was cut off."""
        file = (await workspace.rest.download(f"{path}/exports/invoices")).decode().splitlines()
        found = {row["platform_user_id"]: (row["status"], row["paid_outside"]) for row in csv.DictReader(file)}
        return found == {"u0": ("draft", ""), "u1": ("paid", "bank transfer 12 Nov"), "u2": ("paid", "yes")}

    await eventually(marked, why="not all that was paid elsewhere is marked")
    at_stripe = await sandbox.invoices(workspace.account.id)
    assert sorted((one["status"], one["total"]) for one in at_stripe) == [
        ("open", 1000),
        ("paid", 1001),
        ("paid", 1002),
    ]
    assert (await workspace.rest.call("POST", f"{path}/verify"))["verdict"] == "proven"
    buyers_file = await workspace.rest.download(f"{path}/exports/buyers?bom=true")
    buyers = [*csv.DictReader(buyers_file.decode("utf-8-sig").splitlines())]
    assert [row["total_decimal"] for row in buyers] == ["10.00", "10.01", "10.02"]
    again = await workspace.rest.call("POST", f"{path}/imports/buyers?allOrNothing=true", csv=buyers_file)
    assert (again["created"], again["updated"], again["unchanged"], again["rejectedCount"]) == (0, 0, 3, 0)
    late = b"platform,platform_user_id,email\nfacebook,u0,late@example.com\n"
    assert (await workspace.rest.call("POST", f"{path}/imports/buyers", csv=late))["updated"] == 1
    plan = await workspace.rest.call("GET", f"{path}/invoices/plan")
    (offer,) = [entry["change"] for entry in plan["items"] if entry["change"]]
    assert (offer["kind"], offer["optional"]) == ("reissue", True)
    assert offer["sentence"].startswith("An e-mail address became known")


async def cli(stack: Stack, workspace: Workspace, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", *arguments),
        env={"PATH": os.environ["PATH"], "SHOWBILL_URL": stack.url("gateway"), "SHOWBILL_API_TOKEN": workspace.token},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    assert "Traceback" not in err.decode()
    return process.returncode, out.decode(), err.decode()


async def test_files_go_in_and_out_at_the_command_line(stack: Stack, workspace: Workspace, tmp_path: Path) -> None:
    made = await workspace.rest.call("POST", "/api/shows", {"name": "From a shell", "currency": "GBP"})
    show, file = str(made["id"]), tmp_path / "items.csv"
    file.write_text("item;price;title\n1;100;Lamp\n2;1.50;Hat\n")
    code, out, _ = await cli(stack, workspace, "import", "From a shell", "items", str(file), "--all-or-nothing")
    assert (code, out.splitlines()[0].partition(":")[0]) == (1, "Nothing was taken, for all or nothing was asked")
    assert "Line 3: The price '1.50' is not in minor units." in out
    code, out, _ = await cli(stack, workspace, "import", show, "items", str(file))
    assert (code, out.splitlines()[0]) == (
        1,
        "Items: 1 created, 0 updated, 0 unchanged, 1 refused. Read as UTF-8, columns by semicolon.",
    )
    decimal = b"item;price;title\n1;1.00;Lamp\n2;1.50;Hat\n"
    arguments = ("import", show, "items", "-", "--prices", "decimal", "--as-json")
    code, out, _ = await cli(stack, workspace, *arguments, stdin=decimal)
    report = json.loads(out)
    assert (code, report["created"], report["unchanged"], report["rejectedCount"]) == (0, 1, 1, 0)

    target = tmp_path / "out.csv"
    assert (await cli(stack, workspace, "export", show, "items", str(target), "--bom"))[0] == 0
    code, out, _ = await cli(stack, workspace, "export", show, "items")
    assert code == 0
    assert target.read_bytes() == b"\xef\xbb\xbf" + out.encode()
    assert "2,Hat,1.50,150,GBP," in out
    left = await asyncio.to_thread(lambda: {path.name for path in tmp_path.iterdir()})
    assert left == {"items.csv", "out.csv"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "no such show", "items", "FILE"), "No show is named no such show."),
        (("import", "0198c0de-0000-7000-8000-000000000001", "items", "FILE"), "There is no show with this id"),
        (("import", "SHOW", "items", "nowhere.csv"), "nowhere.csv cannot be read"),
        (("import", "SHOW", "claims", "FILE"), "The column claim_id is missing"),
        (("export", "SHOW", "items", "/nowhere/x.csv"), "/nowhere/x.csv cannot be written"),
        (("export", "SHOW", "items", "--token", "wrong"), "Sign in, or send a valid token"),
    ],
)
async def test_what_cannot_be_done_is_said_at_the_command_line(
    stack: Stack,
    workspace: Workspace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Show", "currency": "GBP"})
    file = tmp_path / "items.csv"
    file.write_text("item,price,title\n1,100,Lamp\n")
    words = [{"FILE": str(file), "SHOW": str(made["id"])}.get(word, word) for word in arguments]
    place = {"--url": stack.url("gateway"), "--token": workspace.token}
    words += [word for option in place.items() if option[0] not in words for word in option]
    code = await asyncio.to_thread(lambda: app(words, result_action="return_value"))
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert says in said.err
