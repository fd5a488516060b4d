"""The main job on two real sales: exactly one right invoice for each buyer."""

from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import EXAMPLES, Workspace, owed

FIRST, SECOND = "retail-2010-12-01", "retail-2010-12-05"


async def test_first_show_makes_110_invoices_to_the_penny(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.import_example(FIRST)
    generation = await workspace.generate(show)
    assert (generation["totalCount"], generation["createdCount"], generation["failedCount"]) == (110, 110, 0)

    rows = await workspace.invoices(show)
    expected = owed(FIRST)
    assert {row["platformUserId"]: row["total"] for row in rows} == expected
    assert sum(expected.values()) == 5_896_079

    made = await sandbox.invoices(workspace.account.id)
    assert len(made) == 110
    totals = {invoice["id"]: invoice["total"] for invoice in made}
    assert totals == {row["externalId"]: row["total"] for row in rows}


async def test_buyers_with_only_unpriced_items_are_drafts(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.import_example(FIRST)
    await workspace.generate(show)

    rows = await workspace.invoices(show)
    held = [row for row in rows if row["draftReason"]]
    assert len(held) == 9
    for row in held:
        assert (row["status"], row["draftReason"], row["total"]) == ("draft", "needs_price", 0)
        assert "price" in row["statusReason"]
        assert row["externalUrl"] == ""
    status = {invoice["id"]: invoice["status"] for invoice in await sandbox.invoices(workspace.account.id)}
    assert {status[row["externalId"]] for row in held} == {"draft"}
    assert {status[row["externalId"]] for row in rows if not row["draftReason"]} == {"open"}


async def test_a_buyer_with_very_many_items_has_one_invoice(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.import_example(FIRST)
    await workspace.generate(show)

    rows = await workspace.invoices(show)
    many = [row for row in rows if row["lineCount"] > 250]
    assert sorted(row["lineCount"] for row in many) == [527, 592]
    made = {invoice["id"]: invoice for invoice in await sandbox.invoices(workspace.account.id)}
    for row in many:
        lines = made[row["externalId"]]["lines"]["data"]
        assert len(lines) == 250
        assert lines[-1]["description"] == f"{row['lineCount'] - 249} further items"
        assert sum(line["amount"] for line in lines) == row["total"]
        whole = await workspace.rest.call("GET", f"/api/shows/{show}/invoices/{row['id']}")
        assert len(whole["lines"]) == row["lineCount"]


async def test_second_show_holds_back_the_partly_priced_buyer(workspace: Workspace) -> None:
    await workspace.connect()
    show = await workspace.import_example(SECOND)
    await workspace.generate(show)

    rows = await workspace.invoices(show)
    assert {row["platformUserId"]: row["total"] for row in rows} == owed(SECOND)
    assert (len(rows), sum(row["total"] for row in rows)) == (76, 3_059_545)
    (held,) = [row for row in rows if row["draftReason"]]
    assert held["status"] == "draft"
    assert held["total"] > 0


async def test_running_it_again_changes_nothing(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.import_example(SECOND)
    await workspace.generate(show)
    before, made = await workspace.invoices(show), await sandbox.invoices(workspace.account.id)

    for what, count in (("items", 1149), ("claims", 2581)):
        report = await workspace.import_file(show, what, (EXAMPLES / SECOND / f"{what}.csv").read_bytes())
        assert (report["created"], report["updated"], report["unchanged"]) == (0, 0, count)
    again = await workspace.generate(show)

    assert (again["totalCount"], again["unchangedCount"]) == (0, 76)
    assert await workspace.invoices(show) == before
    assert await sandbox.invoices(workspace.account.id) == made
