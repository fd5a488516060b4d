"""Payments arrive by signed webhook, once, and a WebSocket client sees each."""

import hashlib
import hmac
import json
import time
from collections import Counter

import aiohttp
import asyncpg

from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually


def sign(body: bytes, secret: str, at: int | None = None) -> dict[str, str]:
    """The header that Stripe sends with a delivery."""
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}", "Content-Type": "application/json"}


async def deliver(url: str, body: bytes, headers: dict[str, str]) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status


async def send_link(workspace: Workspace, show: str, invoice_id: str) -> None:
    await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{invoice_id}/send", {"channel": "manual"})


async def test_twenty_payments_are_seen_exactly_once(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.import_example("retail-2010-12-01")
    await workspace.generate(show)
    *payable, marker = [row for row in await workspace.invoices(show) if not row["draftReason"]][:21]

    async with workspace.listening(show) as listener:
        for row in payable:
            await sandbox.pay(row["externalId"])
        await listener.until_paid(20)
        await sandbox.deliveries_idle(workspace.account.id)
        await send_link(workspace, show, marker["id"])  # whatever else the payments caused was told before this
        await listener.until_told(marker["id"])
    updates = [event for event in listener.updates() if event["data"]["id"] != marker["id"]]

    assert Counter(event["data"]["id"] for event in updates) == Counter(row["id"] for row in payable)
    assert len({event["id"] for event in updates}) == 20
    seqs = [event["seq"] for event in listener.heard if event.get("seq")]
    assert seqs == list(range(listener.seq + 1, listener.seq + 1 + len(seqs)))
    rows = {row["id"]: row for row in await workspace.invoices(show)}
    assert Counter(row["status"] for row in rows.values()) == {"paid": 20, "sent": 1, "draft": 89}
    made = {invoice["id"]: invoice for invoice in await sandbox.invoices(workspace.account.id)}
    for event in updates:
        row = rows[event["data"]["id"]]
        beside: dict[str, object] = {"openedCount": 0, "firstOpenedAt": None, "paidOutside": ""}
        beside |= {"pricedSince": False, "providerRequestId": "", "beingMade": False}
        assert row == event["data"] | beside  # which no event carries
        assert row["paidAt"] is not None
        assert made[row["externalId"]]["status"] == "paid"


async def test_repeated_and_late_webhooks_change_nothing(workspace: Workspace, sandbox: Sandbox, stack: Stack) -> None:
    await workspace.connect()
    endpoint = await sandbox.webhook_endpoint(workspace.account.id)
    await sandbox.lose_webhooks(workspace.account.id)
    show = await workspace.make_show(buyers=2)
    await workspace.generate(show)
    row, marker = await workspace.invoices(show)

    async with workspace.listening(show) as listener:
        await sandbox.pay(row["externalId"])  # where the sweep is quicker than the first delivery, it tells of it
        events = await sandbox.events(workspace.account.id)
        paid, finalized = (
            json.dumps(
                next(e for e in events if e["type"] == kind and e["data"]["object"]["id"] == row["externalId"])
            ).encode()
            for kind in ("invoice.paid", "invoice.finalized")
        )
        for body in (paid, finalized, paid, finalized, paid):
            assert await deliver(endpoint["url"], body, sign(body, endpoint["secret"])) == 200
        await listener.until_paid(1)
        await send_link(workspace, show, marker["id"])  # whatever the deliveries caused was told before this
        await listener.until_told(marker["id"])

    assert [event["data"]["id"] for event in listener.updates()] == [row["id"], marker["id"]]
    after = next(one for one in await workspace.invoices(show) if one["id"] == row["id"])
    assert after["status"] == "paid"
    history = await workspace.rest.call("GET", f"/api/shows/{show}/invoices/{row['id']}/history")
    assert [change["toStatus"] for change in history["items"]] == ["pending", "draft", "paid"]


async def test_a_wrong_signature_gets_400_and_stores_nothing(
    workspace: Workspace, sandbox: Sandbox, stack: Stack
) -> None:
    await workspace.connect()
    endpoint = await sandbox.webhook_endpoint(workspace.account.id)
    show = await workspace.make_show(buyers=1)
    await workspace.generate(show)
    (row,) = await workspace.invoices(show)
    body = json.dumps(
        {
            "id": "evt_forged0000000000000001",
            "object": "event",
            "type": "invoice.paid",
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": {"id": row["externalId"], "object": "invoice", "status": "paid"}},
        }
    ).encode()
    old = int(time.time()) - 301

    for headers in (
        sign(body, "whsec_wrong"),
        sign(body + b" ", endpoint["secret"]),
        sign(body, endpoint["secret"], old),
        {"Stripe-Signature": "t=1,v1=zz", "Content-Type": "application/json"},
        {"Content-Type": "application/json"},
    ):
        assert await deliver(endpoint["url"], body, headers) == 400
    for broken in (b"not json", b"\xff\xfe{}"):
        assert await deliver(endpoint["url"], broken, sign(broken, endpoint["secret"])) == 400

    (after,) = await workspace.invoices(show)
    assert after["status"] == "draft"
    database = await asyncpg.connect(stack.databases["invoicing"])
    assert (
        await database.fetchval(
            "SELECT count(*) FROM provider_events WHERE event_id = $1", "evt_forged0000000000000001"
        )
        == 0
    )
    await database.close()


async def test_a_payment_before_the_answer_is_not_lost(workspace: Workspace, sandbox: Sandbox) -> None:
    """The buyer pays while Stripe's answer to finalize is still on its way to us."""
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    hold = await sandbox.hold("invoices.finalize", "after", workspace.account.id)
    generation = await workspace.start_generation(show)
    await sandbox.held(hold)
    (made,) = await sandbox.invoices(workspace.account.id)

    async with workspace.listening(show) as listener:
        await sandbox.pay(made["id"])
        await listener.until_paid(1)
        await sandbox.release(hold)
        await workspace.finished(generation["id"])

    (row,) = await workspace.invoices(show)
    assert (row["status"], row["externalId"]) == ("paid", made["id"])
    assert row["externalUrl"]


async def test_pay_link_leads_to_the_hosted_page(workspace: Workspace, sandbox: Sandbox, stack: Stack) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    await workspace.generate(show)
    (row,) = await workspace.invoices(show)
    sent = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{row['id']}/send", {"channel": "manual"})
    link = sent["delivery"]["link"]
    assert link == stack.url("gateway") + row["payPath"]
    assert link in sent["delivery"]["message"]
    assert sent["invoice"]["status"] == "sent"

    async with aiohttp.ClientSession() as session:
        async with session.get(link) as answer:
            assert (answer.status, f"{row['payPath']}/pay" in await answer.text()) == (200, True)
        async with session.get(link + "/pay", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, row["externalUrl"])
        async with session.get(row["externalUrl"]) as page:
            assert page.status == 200
            assert "Pay" in await page.text()
        await sandbox.pay(row["externalId"])

        async def says_paid() -> bool:
            async with session.get(link) as answer:
                return answer.status == 200 and "This invoice is paid" in await answer.text()

        await eventually(says_paid, interval=0.2)  # a page is not given out without end
        async with session.get(stack.url("gateway") + "/p/" + "x" * 32) as unknown:
            assert unknown.status == 404
