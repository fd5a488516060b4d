"""Links sent to many on the whole product, whatever is killed; and the buyer's page while parts are away."""

from collections import Counter
from typing import Any

import aiohttp
import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

BUYERS = 8
CLAIMS = "claim_id,platform,platform_user_id,user_handle,email,item_number,quantity,status\n" + "\n".join(
    f"c{n},facebook,u{n},@u{n},u{n}@example.com,1,1,winner" for n in range(BUYERS)
)


async def show_of(workspace: Workspace) -> str:
    """A show whose buyers all have an address."""
    made = await workspace.rest.call("POST", "/api/shows", {"name": "By mail", "currency": "GBP"})
    show = str(made["id"])
    for what, content in (("items", "item_number,title,price\n1,Mug,1000\n"), ("claims", CLAIMS)):
        assert (await workspace.import_file(show, what, content.encode()))["rejected"] == []
    return show


async def sent(workspace: Workspace, sending: str) -> dict[str, Any]:
    async def done() -> dict[str, Any] | None:
        run: dict[str, Any] = await workspace.rest.call("GET", f"/api/sendings/{sending}")
        return run if run["state"] == "finished" else None

    finished: dict[str, Any] | None = await eventually(done, timeout=60, interval=0.1, why="the links were not sent")
    assert finished is not None
    return finished


async def mailed(sandbox: Sandbox, workspace: Workspace) -> Counter[str]:
    """How often each buyer of this workspace's account was mailed."""
    invoices = {row["id"] for row in await sandbox.invoices(workspace.account.id)}
    answer = await sandbox.rest.call("GET", "/_sandbox/mails")
    return Counter(mail["to"] for mail in answer["mails"] if mail["invoice"] in invoices)


@pytest.mark.parametrize("victim", ["invoicing", "integrations"])
async def test_every_buyer_is_mailed_once_though_a_service_is_killed(
    stack: Stack, sandbox: Sandbox, workspace: Workspace, victim: str
) -> None:
    await workspace.connect()
    show = await show_of(workspace)
    await workspace.generate(show)
    hold = await sandbox.hold("invoices.send", "after", workspace.account.id)
    run = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/send")
    assert (run["totalCount"], run["skippedCount"]) == (BUYERS, 0)
    await sandbox.held(hold)
    await stack.kill(victim)
    await sandbox.release(hold)
    await stack.start(victim)
    finished = await sent(workspace, run["id"])
    assert (finished["deliveredCount"], finished["failedCount"]) == (BUYERS, 0)
    assert await mailed(sandbox, workspace) == {f"u{n}@example.com": 1 for n in range(BUYERS)}
    rows = await workspace.invoices(show)
    assert {(row["status"], row["sendCount"]) for row in rows} == {("sent", 1)}
    (attempt,) = (await workspace.rest.call("GET", f"/api/shows/{show}/invoices/{rows[0]['id']}/deliveries"))["items"]
    assert "test mode" in attempt["reason"]
    assert stack.url("gateway") + rows[0]["payPath"] in attempt["message"]


async def test_links_go_out_on_their_own_with_the_sellers_words(
    stack: Stack, sandbox: Sandbox, workspace: Workspace
) -> None:
    await workspace.connect()
    words = {"automaticSending": True, "messageTemplate": "Dear {buyer}, {total} for {item_count}: {pay_link}"}
    await workspace.rest.call("PATCH", "/api/integrations/stripe/settings", words)
    show = await show_of(workspace)
    await workspace.generate(show)

    async def all_sent() -> list[dict[str, Any]]:
        rows = await workspace.invoices(show)
        return rows if {row["status"] for row in rows} == {"sent"} else []

    rows = await eventually(all_sent, timeout=30, interval=0.2)
    assert await mailed(sandbox, workspace) == {f"u{n}@example.com": 1 for n in range(BUYERS)}
    again = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{rows[0]['id']}/send", {"channel": "manual"})
    link = stack.url("gateway") + rows[0]["payPath"]
    assert again["delivery"]["message"] == f"Dear {rows[0]['handle']}, £10.00 for 1: {link}"
    assert again["invoice"]["sendCount"] == 2


async def test_pay_page_works_without_integrations_and_says_when_invoicing_is_away(
    stack: Stack, workspace: Workspace
) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    await workspace.generate(show)
    (row,) = await workspace.invoices(show)
    link = stack.url("gateway") + row["payPath"]
    async with aiohttp.ClientSession() as session:
        await stack.stop("integrations")
        try:
            async with session.get(link) as page:
                assert (page.status, "Pay <bdi>£10.00" in await page.text()) == (200, True)
            async with session.get(link + "/pay", allow_redirects=False) as away:
                assert (away.status, away.headers["Location"]) == (303, row["externalUrl"])
            copied = await workspace.rest.call(
                "POST", f"/api/shows/{show}/invoices/{row['id']}/send", {"channel": "manual"}
            )
            assert link in copied["delivery"]["message"]
            await stack.stop("invoicing")
            try:
                async with session.get(link) as page:
                    assert (page.status, page.headers["Retry-After"]) == (503, "30")
                    assert "Nothing is lost" in await page.text()
            finally:
                await stack.start("invoicing")
        finally:
            await stack.start("integrations")
        new = (await workspace.rest.call("POST", f"/api/shows/{show}/buyers/{row['buyerId']}/pay-link/revoke"))[
            "payPath"
        ]
        answers = []
        for path in (row["payPath"], "/p/" + "x" * 24):
            async with session.get(stack.url("gateway") + path) as page:
                answers.append((page.status, await page.text()))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
        async with session.get(stack.url("gateway") + new) as page:
            assert page.status == 200
