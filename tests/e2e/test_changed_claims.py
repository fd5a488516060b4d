"""Claims and prices that change after the invoices were made: proposed, carried out once, proved at the provider."""

from collections import defaultdict
from typing import Any, Final

import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

HEADER: Final = "claim_id,platform,platform_user_id,user_handle,item_number,quantity,status,claimed_at\n"
ITEMS: Final = {"1": "1000", "2": "2000", "3": "", "4": "3000"}
WON: Final = {
    "draft": ("3",),  # held back: no price
    "open": ("1",),
    "paid": ("1", "2"),
    "dearer": ("4",),
    "cheaper": ("2",),
    "gone": ("1",),
    "refund": ("2",),
    "same": ("1",),
}


async def _items(workspace: Workspace, show: str, prices: dict[str, str]) -> None:
    lines = "".join(f"{number},Item {number},{price}\n" for number, price in prices.items())
    await workspace.import_file(show, "items", ("item_number,title,price\n" + lines).encode())


async def _claims(workspace: Workspace, show: str, *claims: tuple[str, str, str], hour: int = 10) -> None:
    """Each a buyer, an item and a status; later hours are later news of a claim."""
    lines = "".join(
        f"{who}-{item},facebook,{who},@{who},{item},1,{status},2026-11-01T{hour}:00:00+00:00\n"
        for who, item, status in claims
    )
    await workspace.import_file(show, "claims", (HEADER + lines).encode())


async def _invoiced(sandbox: Sandbox, workspace: Workspace) -> str:
    """A show whose invoices are made, two of them paid; answers its id."""
    await workspace.connect()
    show = str((await workspace.rest.call("POST", "/api/shows", {"name": "Changes", "currency": "GBP"}))["id"])
    await _items(workspace, show, ITEMS)
    await _claims(workspace, show, *[(who, item, "winner") for who, items in WON.items() for item in items])
    await workspace.rest.call("POST", f"/api/shows/{show}/end")
    await workspace.generate(show)
    rows = {row["platformUserId"]: row for row in await workspace.invoices(show)}
    for who in ("paid", "refund"):
        await sandbox.pay(rows[who]["externalId"])

    async def both_paid() -> bool:
        return len([row for row in await workspace.invoices(show) if row["status"] == "paid"]) == 2

    await eventually(both_paid, timeout=30, why="the payments were not heard of")
    return show


async def _change_everything(workspace: Workspace, show: str) -> None:
    """A price for the draft, late claims, prices up and down, a claim released."""
    await _items(workspace, show, {**ITEMS, "2": "1500", "3": "700", "4": "3300", "5": "1200"})
    await _claims(workspace, show, ("draft", "5", "winner"), ("open", "5", "winner"), ("paid", "5", "winner"))
    await _claims(workspace, show, ("gone", "1", "released"), hour=11)


OWED: Final = {
    "draft": 1900,
    "open": 2200,
    "paid": 3700,
    "dearer": 3300,
    "cheaper": 1500,
    "refund": 1500,
    "same": 1000,
}
PROPOSED: Final = {
    "draft": ("edit_draft", 1900),
    "open": ("reissue", 1200),
    "paid": ("supplement", 700),
    "dearer": ("reissue", 300),
    "cheaper": ("reissue", -500),
    "gone": ("void", -1000),
    "refund": ("none", -500),
}


async def _plan(workspace: Workspace, show: str) -> dict[str, Any]:
    path = f"/api/shows/{show}/invoices/plan"
    plan: dict[str, Any] = await workspace.rest.call("GET", path, params={"applyChanges": "true"})
    return plan


def _proposed(plan: dict[str, Any]) -> dict[str, tuple[str, int]]:
    return {
        entry["buyer"]["platformUserId"]: (entry["change"]["kind"], entry["change"]["difference"])
        for entry in plan["items"]
        if entry["change"]
    }


async def _start(workspace: Workspace, show: str, plan: dict[str, Any], key: str = "once") -> dict[str, Any]:
    body = {"planHash": plan["planHash"], "applyChanges": True}
    path, headers = f"/api/shows/{show}/invoices/generate", {"Idempotency-Key": key}
    run: dict[str, Any] = await workspace.rest.call("POST", path, body, headers=headers)
    return run


async def _assert_right(sandbox: Sandbox, workspace: Workspace, show: str) -> None:
    """Nothing is proposed but the refund; here and at the provider stand the same invoices, of what is owed."""
    assert _proposed(await _plan(workspace, show)) == {"refund": ("none", -500)}
    rows = await workspace.invoices(show)
    made = {one["id"]: one for one in await sandbox.invoices(workspace.account.id)}
    standing: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        there = made.pop(row["externalId"])
        assert there["total"] == row["total"]
        assert (there["status"] == "void") == (row["status"] == "void")
        if row["status"] != "void":
            standing[row["platformUserId"]] += row["total"]
    assert standing == {**OWED, "refund": 2000}
    assert made == {}, "there is one at the provider that is not ours"
    unsettled = [row["platformUserId"] for row in rows if row["status"] not in ("paid", "void")]
    assert sorted(unsettled) == ["cheaper", "dearer", "draft", "open", "paid", "same"]
    assert not any(row["adjustedAtProvider"] for row in rows)
    proof = await workspace.rest.call("POST", f"/api/shows/{show}/verify")
    verdicts = {one["platformUserId"]: one["verdict"] for one in proof["buyers"]}
    assert verdicts.pop("refund") == "disproved"
    assert set(verdicts.values()) == {"proven"}


async def test_every_change_is_proposed_and_carried_out_once(
    stack: Stack, sandbox: Sandbox, workspace: Workspace
) -> None:
    show = await _invoiced(sandbox, workspace)
    links = {row["platformUserId"]: row["payPath"] for row in await workspace.invoices(show)}
    await _change_everything(workspace, show)
    before = await workspace.invoices(show)
    plan = await _plan(workspace, show)
    assert _proposed(plan) == PROPOSED
    await workspace.generate(show)
    assert await workspace.invoices(show) == before, "nothing is touched unasked"

    run = await _start(workspace, show, plan)
    assert (await _start(workspace, show, plan))["id"] == run["id"]
    done = await workspace.finished(run["id"])
    assert (done["totalCount"], done["createdCount"], done["changeCount"], done["failedCount"]) == (6, 6, 6, 0)
    await _assert_right(sandbox, workspace, show)

    rows = {(row["platformUserId"], row["revision"]): row for row in await workspace.invoices(show)}
    assert {who: row["payPath"] for (who, _), row in rows.items() if row["status"] != "void"} == {
        who: link for who, link in links.items() if who != "gone"
    }
    made = {one["id"]: one for one in await sandbox.invoices(workspace.account.id)}
    lines = made[rows["paid", 2]["externalId"]]["lines"]["data"]
    assert [(line["description"], line["amount"]) for line in lines] == [
        ("1 × 5 Item 5", 1200),
        ("1 × 2 Item 2 (now 1 × £15.00, before 1 × £20.00)", -500),
    ]
    again = await workspace.finished((await _start(workspace, show, await _plan(workspace, show), "again"))["id"])
    assert again["totalCount"] == 0
    await _assert_right(sandbox, workspace, show)


STEPS: Final = (
    "invoices.void",
    "invoices.remove_lines",
    "invoices.add_lines",
    "invoices.create",
    "invoices.finalize",
)


@pytest.mark.parametrize("victim", ["invoicing", "integrations"])
async def test_killed_after_every_step_of_a_change_still_right(
    stack: Stack, sandbox: Sandbox, workspace: Workspace, victim: str
) -> None:
    show = await _invoiced(sandbox, workspace)
    await _change_everything(workspace, show)
    account = workspace.account.id
    holds = {step: await sandbox.hold(step, "after", account) for step in STEPS}
    run = await _start(workspace, show, await _plan(workspace, show))
    for step in STEPS:
        await sandbox.held(holds[step])
        await stack.kill(victim)
        await sandbox.release(holds[step])
        await stack.start(victim)
    done = await workspace.finished(run["id"], timeout=90)
    assert (done["createdCount"], done["failedCount"]) == (6, 0)
    await _assert_right(sandbox, workspace, show)


async def test_what_a_failed_try_left_is_never_billed_for_other_items(workspace: Workspace, sandbox: Sandbox) -> None:
    """The same total, of another item: only the lines tell them apart."""
    await workspace.connect()
    show = str((await workspace.rest.call("POST", "/api/shows", {"name": "Swapped", "currency": "GBP"}))["id"])
    await _items(workspace, show, {"1": "1000", "2": "1000"})
    await _claims(workspace, show, ("maya", "1", "winner"))
    await workspace.rest.call("POST", f"/api/shows/{show}/end")
    rule = {"operation": "invoices.finalize", "effect": "error", "status": 400, "account": workspace.account.id}
    await sandbox.add_fault(rule)
    assert (await workspace.generate(show))["failedCount"] == 1
    await _claims(workspace, show, ("maya", "1", "released"), ("maya", "2", "winner"), hour=11)
    retried = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/retry", {})
    done = await workspace.finished(retried["generation"]["id"])
    assert done["createdCount"] == 1, (done, await workspace.invoices(show))
    (left,) = await sandbox.invoices(workspace.account.id)
    assert [line["description"] for line in left["lines"]["data"]] == ["1 × 2 Item 2"]
    assert (await workspace.rest.call("POST", f"/api/shows/{show}/verify"))["proven"] is True
