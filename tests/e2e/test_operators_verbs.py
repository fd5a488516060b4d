"""What an operator does to single invoices and runs, over REST, while Stripe does what it was asked and then cuts the
connection or answers 500: asking again ends right, with one invoice there and the same total here."""

import asyncio
from typing import Any

import pytest

from services.cli.rest import Refused
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

FAULTS = [{"effect": "cut"}, {"effect": "error", "status": 500}]
Invoice = dict[str, Any]


@pytest.fixture
async def connected(workspace: Workspace) -> Workspace:
    await workspace.connect()
    return workspace


async def one_invoice(workspace: Workspace, *, price: int | None = 1000) -> Invoice:
    show = await workspace.make_show(1)
    if price is None:
        await workspace.rest.call("PUT", f"/api/shows/{show}/items", item(None))
    await workspace.generate(show)
    (invoice,) = await workspace.invoices(show)
    return invoice


def item(price: int | None) -> dict[str, Any]:
    return {"items": [{"itemNumber": "0", "title": "Item 0", "price": price}]}


async def ask(workspace: Workspace, invoice: Invoice, verb: str, body: dict[str, Any] | None = None) -> Invoice:
    path = f"/api/shows/{invoice['showId']}/invoices/{invoice['id']}/{verb}"
    answer: Invoice = await workspace.rest.call("POST", path, body)
    return answer


async def break_off(workspace: Workspace, sandbox: Sandbox, operation: str, **rule: Any) -> str:
    return await sandbox.add_fault({"operation": operation, "account": workspace.account.id, **rule})


async def refused(workspace: Workspace, invoice: Invoice, verb: str) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        await ask(workspace, invoice, verb)
    return dict(caught.value.problem)


async def unless_busy(workspace: Workspace, invoice: Invoice, verb: str) -> Invoice:
    """The answer; nothing while what was cut off before may still be under way at the provider."""
    try:
        return await ask(workspace, invoice, verb)
    except Refused as error:
        if error.problem["type"] != "urn:showbill:problem:invoice-busy":
            raise
        return {}


async def timeline(workspace: Workspace, invoice: Invoice) -> list[dict[str, Any]]:
    path = f"/api/shows/{invoice['showId']}/invoices/{invoice['id']}/history"
    return list((await workspace.rest.call("GET", path))["items"])


async def proven(workspace: Workspace, show: str) -> bool:
    return bool((await workspace.rest.call("POST", f"/api/shows/{show}/verify"))["proven"])


@pytest.mark.parametrize("fault", FAULTS, ids=["cut", "fault"])
@pytest.mark.parametrize(("verb", "step", "end"), [("void", "void", "void"), ("mark-paid", "pay", "paid")])
async def test_lost_answer_is_asked_for_again(
    connected: Workspace, sandbox: Sandbox, verb: str, step: str, end: str, fault: dict[str, Any]
) -> None:
    invoice = await one_invoice(connected)
    await break_off(connected, sandbox, f"invoices.{step}", when="after", **fault)
    assert (await refused(connected, invoice, verb))["status"] == 503
    done = await ask(connected, invoice, verb)
    assert done["status"] == end
    assert (await ask(connected, invoice, verb))["status"] == end
    (there,) = await sandbox.invoices(connected.account.id)
    assert there["status"] == end
    asked, done = (await timeline(connected, invoice))[-2:]
    assert (asked["fromStatus"], asked["toStatus"], asked["actor"].split(":")[0]) == ("draft", "draft", "token")
    assert (done["fromStatus"], done["toStatus"]) == ("draft", end)
    assert all(change["createdAt"] and change["reason"].endswith(".") for change in (asked, done))
    assert (await connected.generate(invoice["showId"]))["createdCount"] == int(end == "void")
    assert await proven(connected, invoice["showId"])


@pytest.mark.parametrize("fault", FAULTS, ids=["cut", "fault"])
@pytest.mark.parametrize("step", ["remove_lines", "add_lines", "finalize"])
async def test_priced_draft_is_finalized_whatever_is_cut(
    connected: Workspace, sandbox: Sandbox, step: str, fault: dict[str, Any]
) -> None:
    invoice = await one_invoice(connected, price=None)
    assert invoice["draftReason"] == "needs_price"
    assert (await refused(connected, invoice, "finalize"))["type"] == "urn:showbill:problem:held-back"
    await connected.rest.call("PUT", f"/api/shows/{invoice['showId']}/items", item(1500))
    await break_off(connected, sandbox, f"invoices.{step}", when="after", **fault)
    assert (await refused(connected, invoice, "finalize"))["status"] == 503
    done = await eventually(lambda: unless_busy(connected, invoice, "finalize"))
    assert (done["status"], done["draftReason"], done["total"]) == ("draft", None, 1500)
    assert done["externalUrl"]
    assert not done["adjustedAtProvider"]
    (there,) = await sandbox.invoices(connected.account.id)
    assert (there["status"], there["total"], len(there["lines"]["data"])) == ("open", 1500, 1)
    assert await proven(connected, invoice["showId"])


async def test_updated_draft_waits_to_be_finalized(connected: Workspace, sandbox: Sandbox) -> None:
    invoice = await one_invoice(connected, price=None)
    await connected.rest.call("PUT", f"/api/shows/{invoice['showId']}/items", item(700))
    done = await ask(connected, invoice, "update-draft")
    assert (done["draftReason"], done["total"]) == ("not_finalized", 700)
    (there,) = await sandbox.invoices(connected.account.id)
    assert (there["status"], there["total"]) == ("draft", 700)
    assert (await ask(connected, invoice, "finalize"))["draftReason"] is None
    assert await proven(connected, invoice["showId"])


async def test_void_that_meets_a_payment_ends_as_paid(connected: Workspace, sandbox: Sandbox) -> None:
    await sandbox.lose_webhooks(connected.account.id)
    invoice = await one_invoice(connected)
    hold = await sandbox.hold("invoices.void", "before", connected.account.id)
    voiding = asyncio.create_task(refused(connected, invoice, "void"))
    await sandbox.held(hold)
    await sandbox.pay(invoice["externalId"])
    await sandbox.release(hold)
    assert "was paid a moment before" in (await voiding)["detail"]
    (row,) = await connected.invoices(invoice["showId"])
    assert row["status"] == "paid"


async def test_what_a_failed_making_left_is_voided_with_it(connected: Workspace, sandbox: Sandbox) -> None:
    """The lines were refused: a draft stands at Stripe, of which our row knows nothing."""
    error = {"message": "Not this buyer."}
    await break_off(connected, sandbox, "invoices.add_lines", effect="error", status=400, error=error)
    show = await connected.make_show(1)
    await connected.generate(show)
    (failed,) = await connected.invoices(show)
    assert (failed["status"], failed["externalId"]) == ("error", "")
    assert len(await sandbox.invoices(connected.account.id)) == 1
    assert (await ask(connected, failed, "void"))["status"] == "void"
    assert await sandbox.invoices(connected.account.id) == []
    assert (await connected.generate(show))["createdCount"] == 1
    assert await proven(connected, show)


async def test_run_is_stopped_and_its_buyers_are_invoiced_later(connected: Workspace, sandbox: Sandbox) -> None:
    show = await connected.make_show(40)
    hold = await break_off(connected, sandbox, "invoices.create", effect="hold", times=None)
    started = await connected.start_generation(show)
    await sandbox.held(hold)
    stopped = await connected.rest.call("POST", f"/api/generations/{started['id']}/cancel")
    assert stopped["state"] == "cancelled"
    assert stopped["cancelledCount"] > 0
    await sandbox.release(hold)
    await sandbox.remove_fault(hold)

    async def over() -> dict[str, Any] | None:
        run: dict[str, Any] = await connected.rest.call("GET", f"/api/generations/{started['id']}")
        return run if run["finishedAt"] else None

    done = await eventually(over, timeout=60, interval=0.1, why="what was begun did not finish")
    assert done is not None
    assert (done["createdCount"] + done["cancelledCount"], done["failedCount"]) == (40, 0)
    assert len(await sandbox.invoices(connected.account.id)) == done["createdCount"]
    assert (await connected.generate(show))["createdCount"] == done["cancelledCount"]
    assert len(await sandbox.invoices(connected.account.id)) == 40
    assert await proven(connected, show)
