"""A show that is paid by bank transfer: the same routes, no provider, and a page that says how to pay."""

import aiohttp

from services.cli.rest import Refused
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace

HOW = "Transfer to NL00 BANK 0123 4567 89.\n<b>Thank you</b>"


async def test_show_is_invoiced_without_a_provider(workspace: Workspace, stack: Stack) -> None:
    connected = await workspace.rest.call("POST", "/api/integrations/manual/connect", {})
    assert (connected["status"], connected["updateMode"], connected["permissions"]) == ("active", "live", [])
    settings = await workspace.rest.call(
        "PATCH", "/api/integrations/manual/settings", {"paymentInstructions": HOW, "daysUntilDue": 14}
    )
    assert (settings["paymentInstructions"], settings["daysUntilDue"]) == (HOW, 14)
    assert (await workspace.rest.call("GET", "/api/integrations/manual/test"))["healthy"]

    show = await workspace.make_show(3)
    started = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/generate", {"provider": "manual"})
    done = await workspace.finished(started["id"])
    assert (done["createdCount"], done["failedCount"]) == (3, 0)
    rows = await workspace.invoices(show)
    assert {(row["status"], row["provider"], row["externalUrl"]) for row in rows} == {("draft", "manual", "")}
    assert len({row["number"] for row in rows}) == 3

    async with aiohttp.request("GET", stack.url("gateway") + rows[0]["payPath"], allow_redirects=False) as answer:
        page = await answer.text()
    assert answer.status == 200
    assert "NL00 BANK 0123 4567 89" in page
    assert "&lt;b&gt;Thank you" in page
    assert rows[0]["number"] in page

    path = f"/api/shows/{show}/invoices/{rows[0]['id']}"
    for _ in range(2):
        paid = await workspace.rest.call("POST", f"{path}/mark-paid", {"note": "Seen on the statement of 3 May."})
        assert (paid["status"], paid["paidAt"] is not None) == ("paid", True)
    changes = (await workspace.rest.call("GET", f"{path}/history"))["items"]
    assert [change["toStatus"] for change in changes] == ["pending", "draft", "draft", "paid"]
    assert changes[2]["reason"].endswith("Note: Seen on the statement of 3 May.")
    async with aiohttp.request("GET", stack.url("gateway") + rows[0]["payPath"], allow_redirects=False) as answer:
        assert "NL00 BANK" not in await answer.text()
    void = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{rows[1]['id']}/void")
    assert void["status"] == "void"
    rows = rows[2:]

    mailed = await _refused(workspace, show, rows[0]["id"])
    assert mailed.endswith(".")
    file = f"number,paid_outside\n{rows[0]['number']},bank transfer\n".encode()
    report = await workspace.import_file(show, "invoices", file)
    assert (report["updated"], report["rejected"]) == (1, [])
    assert (await workspace.finished(report["generationIds"][0]))["createdCount"] == 1
    known = await workspace.rest.call("GET", f"/api/shows/{show}/invoices/{rows[0]['id']}")
    assert (known["status"], known["paidOutside"]) == ("paid", "bank transfer")


async def _refused(workspace: Workspace, show: str, invoice: str) -> str:
    try:
        await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{invoice}/send", {"channel": "email"})
    except Refused as refusal:
        return str(refusal.problem["detail"])
    raise AssertionError("an invoice that nobody mails was mailed")


async def test_both_providers_keep_their_own_shows(workspace: Workspace) -> None:
    await workspace.connect()
    await workspace.rest.call("POST", "/api/integrations/manual/connect", {})
    by_card, by_hand = await workspace.make_show(2), await workspace.make_show(2)
    await workspace.generate(by_card)
    started = await workspace.rest.call("POST", f"/api/shows/{by_hand}/invoices/generate", {"provider": "manual"})
    await workspace.finished(started["id"])
    assert {row["provider"] for row in await workspace.invoices(by_card)} == {"stripe"}
    assert {row["provider"] for row in await workspace.invoices(by_hand)} == {"manual"}
