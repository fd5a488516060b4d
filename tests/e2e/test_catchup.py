"""Webhooks wholly lost: one reading of what happened makes everything right, whichever replica does it."""

from typing import Any

import aiohttp
import asyncpg

from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually


async def at_stripe(
    workspace: Workspace, sandbox: Sandbox, method: str, path: str, body: dict[str, str] | None = None
) -> None:
    """What somebody does in Stripe's own dashboard."""
    headers = {"Authorization": f"Bearer {workspace.account.sk_test}"}
    async with aiohttp.request(method, f"{sandbox.rest.url}/v1/invoices/{path}", data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def read_once(stack: Stack, workspace: Workspace) -> None:
    """Lets the account be read now, and waits until that is done."""
    database = await asyncpg.connect(stack.databases["invoicing"])
    account = workspace.account.id

    async def known() -> Any:
        return await database.fetchval("SELECT succeeded_at FROM sweeps WHERE external_account = $1", account)

    before = await eventually(known, timeout=90, why="the account was never read")
    await database.execute("UPDATE sweeps SET due_at = '-infinity' WHERE external_account = $1", account)

    async def read_again() -> bool:
        return bool(await known() > before)

    await eventually(read_again, timeout=30, why="the account was not read")
    await database.close()


async def test_one_reading_makes_everything_right(workspace: Workspace, sandbox: Sandbox, stack: Stack) -> None:
    await workspace.connect()
    await sandbox.lose_webhooks(workspace.account.id)
    show = await workspace.make_show(buyers=4)
    held_back = await workspace.make_show(buyers=2, price=10)
    await workspace.generate(show)
    await workspace.generate(held_back)
    paid, voided, written_off, untouched = [row["externalId"] for row in await workspace.invoices(show)]
    deleted, edited = [row["externalId"] for row in await workspace.invoices(held_back)]

    await stack.start("invoicing-2")
    try:
        await sandbox.pay(paid)
        await at_stripe(workspace, sandbox, "POST", f"{voided}/void")
        await at_stripe(workspace, sandbox, "POST", f"{written_off}/mark_uncollectible")
        await at_stripe(workspace, sandbox, "DELETE", deleted)
        line = {"lines[0][amount]": "500", "lines[0][description]": "Postage"}
        await at_stripe(workspace, sandbox, "POST", f"{edited}/add_lines", line)
        await at_stripe(workspace, sandbox, "POST", f"{edited}/finalize")
        await read_once(stack, workspace)
    finally:
        await stack.stop("invoicing-2")

    rows = {row["externalId"]: row for row in [*await workspace.invoices(show), *await workspace.invoices(held_back)]}
    assert {one: rows[one]["status"] for one in rows} == {
        paid: "paid",
        voided: "void",
        written_off: "uncollectible",
        untouched: "draft",
        deleted: "void",
        edited: "draft",
    }
    assert rows[edited]["adjustedAtProvider"]
    assert rows[paid]["paidAt"] is not None
    for one in (paid, voided, written_off, deleted, edited):
        row = rows[one]
        history = await workspace.rest.call("GET", f"/api/shows/{row['showId']}/invoices/{row['id']}/history")
        assert history["items"][-1]["actor"].startswith("event:"), "the events told it, not a reading of each invoice"
