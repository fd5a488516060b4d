"""Keys that are revoked while invoices are made, and keys that are replaced while payments come in."""

import asyncio
import base64
import os
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from typing import Any

import aiohttp
import nats as nats_client
import pytest
from nats.aio.msg import Msg

from services.cli.embedded.nats import Nats
from services.rpc.showbill.events.v1 import events_pb2
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

SHOW = "retail-2010-12-01"


async def test_rows_and_connection_say_that_the_key_was_revoked(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.import_example(SHOW)
    await sandbox.revoke(workspace.account.sk_test)
    generation = await workspace.generate(show)
    assert (generation["createdCount"], generation["failedCount"]) == (0, 110)
    rows = await workspace.invoices(show)
    assert {row["status"] for row in rows} == {"error"}
    for row in rows:
        assert "key" in row["statusReason"]
        assert row["statusReason"].endswith(".")
    connection = await workspace.rest.call("GET", "/api/integrations/stripe")
    assert connection["status"] == "needs_reconnect"
    assert "stopped accepting this key" in connection["statusReason"]


async def test_key_revoked_in_the_middle_of_a_run_is_told_once(
    workspace: Workspace, sandbox: Sandbox, nats: Nats
) -> None:
    heard: list[events_pb2.IntegrationUpdated] = []

    async def hear(message: Msg) -> None:
        event = events_pb2.Event.FromString(message.data)
        if event.workspace_id == here["workspace"]["id"]:
            heard.append(event.integration_updated)

    here = await workspace.rest.call("GET", "/api/session")
    client = await nats_client.connect(nats.url)
    await client.subscribe("showbill.events.*.*.integration.updated", cb=hear)
    await client.flush()  # before anything is done, for what was done is told later
    await workspace.connect()
    show = await workspace.import_example(SHOW)
    # After the tenth invoice was finalized the key is of no use any more.
    rule = {"operation": "invoices.finalize", "effect": "hold", "when": "after", "skip": 10}
    fault = await sandbox.rest.call("POST", "/_sandbox/faults", {**rule, "account": workspace.account.id})
    started = await workspace.start_generation(show)
    await sandbox.held(fault["id"])
    await sandbox.revoke(workspace.account.sk_test)
    await sandbox.release(fault["id"])
    generation = await workspace.finished(started["id"])
    assert generation["createdCount"] >= 10
    assert generation["createdCount"] + generation["failedCount"] == 110
    for row in await workspace.invoices(show):
        if row["status"] == "error":
            assert "key" in row["statusReason"]
            assert row["statusReason"].endswith(".")
    await workspace.rest.call("DELETE", "/api/integrations/stripe")

    async def told() -> bool:
        return bool(heard) and heard[-1].status == "inactive"

    await eventually(told, why="the end of the connection was not told")
    assert [one.status for one in heard] == ["active", "needs_reconnect", "inactive"]
    await client.close()


@pytest.mark.parametrize("rotated", [False, True])
async def test_payment_told_by_both_endpoints_counts_once(
    workspace: Workspace, sandbox: Sandbox, stack: Stack, rotated: bool
) -> None:
    """An endpoint is replaced, and for a while the old one delivers beside the new one; meanwhile the key that seals
    both secrets may be changed."""
    await workspace.connect()
    show = await workspace.make_show(2)
    await workspace.generate(show)
    (old,) = await _endpoints(workspace, sandbox)
    lacking = {f"enabled_events[{place}]": name for place, name in enumerate(("invoice.paid", "invoice.voided"))}
    await _stripe(workspace, sandbox, "POST", f"/v1/webhook_endpoints/{old['id']}", lacking)
    rule = {"operation": "webhook_endpoints.delete", "effect": "error", "times": None, "account": workspace.account.id}
    await sandbox.rest.call("POST", "/_sandbox/faults", rule)
    keys = {"secretKey": workspace.account.sk_test, "publishableKey": workspace.account.pk_test}
    await workspace.rest.call("PUT", "/api/integrations/stripe/credentials", keys)
    assert len(await _endpoints(workspace, sandbox)) == 2
    if rotated:
        await _rotate(stack)

    for row in await workspace.invoices(show):
        await sandbox.pay(row["externalId"])

    async def all_delivered() -> bool:
        events = await sandbox.events(workspace.account.id)
        paid = [event for event in events if event["type"] == "invoice.paid"]
        return len(paid) == 2 and all(event["pending_webhooks"] == 0 for event in paid)

    await eventually(all_delivered, timeout=20, why="both endpoints were not told, or turned the news away")
    for row in await workspace.invoices(show):
        assert row["status"] == "paid"
        history = await workspace.rest.call("GET", f"/api/shows/{show}/invoices/{row['id']}/history")
        assert sum(entry["toStatus"] == "paid" for entry in history["items"]) == 1


async def _rotate(stack: Stack) -> None:
    """As where the keys come from the environment: start anew with one more, then wrap every data key under it."""
    new = base64.b64encode(secrets.token_bytes(32)).decode()
    keys = {"CREDENTIAL_KEYS": f"test-2={new},test-1={stack.credential_key}"}
    stack.settings = {**stack.settings, "integrations": {**stack.settings.get("integrations", {}), **keys}}
    await stack.stop("integrations")
    await stack.start("integrations")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", "keys", "rotate"),
        env={"PATH": os.environ["PATH"], "DATABASE_URL": stack.databases["integrations"], **keys},
        cwd=stack.folder,
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    assert "wrapped under 'test-2'" in said.decode()


async def _endpoints(workspace: Workspace, sandbox: Sandbox) -> list[dict[str, Any]]:
    return list((await _stripe(workspace, sandbox, "GET", "/v1/webhook_endpoints"))["data"])


async def _stripe(
    workspace: Workspace, sandbox: Sandbox, method: str, path: str, body: dict[str, str] | None = None
) -> Any:
    headers = {"Authorization": f"Bearer {workspace.account.sk_test}"}
    async with aiohttp.request(method, sandbox.rest.url + path, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()
