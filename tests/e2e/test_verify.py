"""`showbill verify-show` on the whole product: a clean show is proven, what is planted at Stripe is found."""

import asyncio
import csv
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually


async def verify(workspace: Workspace, show: str, *arguments: str) -> tuple[int, str]:
    """The command as a person runs it: exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", "verify-show", show, *arguments),
        env={"SHOWBILL_URL": workspace.rest.url, "SHOWBILL_API_TOKEN": workspace.token, "COLUMNS": "200"},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    assert workspace.token not in said.decode()
    return process.returncode, said.decode()


async def at_stripe(workspace: Workspace, sandbox: Sandbox, path: str, body: dict[str, str] | None = None) -> Any:
    """What somebody does at Stripe, past the product."""
    headers = {"Authorization": f"Bearer {workspace.account.sk_test}"}
    async with aiohttp.request("POST", f"{sandbox.rest.url}/v1/{path}", data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_clean_show_is_proven_and_exported(workspace: Workspace, sandbox: Sandbox, tmp_path: Path) -> None:
    await workspace.connect()
    show = await workspace.import_example("retail-2010-12-01")
    await workspace.generate(show)
    payable = [row for row in await workspace.invoices(show) if not row["draftReason"]]
    for row in payable[:3]:
        await sandbox.pay(row["externalId"])
    await sandbox.deliveries_idle(workspace.account.id)

    code, said = await verify(workspace, show, "--export", str(tmp_path / "proof.csv"))
    assert code == 0, said
    assert "Proven: each of 110 buyers has exactly the right invoices" in said
    with (tmp_path / "proof.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 110
    assert all(row["owed"] == row["invoiced"] == row["provider_total"] for row in rows)
    assert {row["verdict"] for row in rows} == {"proven"}

    code, _ = await verify(workspace, show, "--export", str(tmp_path / "proof.json"))
    assert (code, json.loads((tmp_path / "proof.json").read_text())["verdict"]) == (0, "proven")
    code, said = await verify(workspace, show, "--export", str(tmp_path / "proof.txt"))
    assert (code, said.strip()) == (2, "The evidence is written as .csv or .json. Name such a file.")


async def test_what_is_planted_at_stripe_is_found(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    await sandbox.lose_webhooks(workspace.account.id)
    show = await workspace.make_show(buyers=3)
    await workspace.generate(show)
    assert (await verify(workspace, show))[0] == 0
    rows = await workspace.invoices(show)
    made = {invoice["id"]: invoice for invoice in await sandbox.invoices(workspace.account.id)}
    original = made[rows[0]["externalId"]]
    copy = await at_stripe(
        workspace,
        sandbox,
        "invoices",
        {
            "customer": original["customer"]["id"],
            **{f"metadata[{key}]": value for key, value in original["metadata"].items()},
        },
    )
    line = {"lines[0][amount]": "1000", "lines[0][description]": "Once more"}
    await at_stripe(workspace, sandbox, f"invoices/{copy['id']}/add_lines", line)
    await at_stripe(workspace, sandbox, f"invoices/{copy['id']}/finalize")
    await at_stripe(workspace, sandbox, f"invoices/{rows[1]['externalId']}/void")

    code, said = await verify(workspace, show)
    assert code == 1
    assert f"found: {rows[0]['handle']}: The provider has an invoice of this buyer that does not count here" in said
    # where the sweep has read of it a moment before, it is void here too: then the buyer is without an invoice
    voided = "At the provider its invoice is void, here it is open.", "The buyer owes "
    assert any(f"found: {rows[1]['handle']}: {sentence}" in said for sentence in voided)
    assert "Disproved: something is wrong with 2 of 3 buyers." in said


async def test_what_cannot_be_seen_is_not_proven(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    await workspace.generate(show)
    await workspace.rest.call("DELETE", "/api/integrations/stripe")
    code, said = await verify(workspace, show)
    assert code == 2
    assert "Not seen: The account acct_" in said
    assert "Not proven" in said
    code, said = await verify(workspace, "01a21426-0523-7317-b108-4d97beda8334")
    assert (code, said.startswith("Nothing is proven.")) == (2, True)


async def test_what_a_lost_answer_left_at_another_account_is_found_and_cleared(
    workspace: Workspace, sandbox: Sandbox, stack: Stack
) -> None:
    """Finalized, but no answer came; another account was connected, and the retry made the invoice there."""
    await workspace.connect()
    await sandbox.lose_webhooks(workspace.account.id)
    show = await workspace.make_show(buyers=1)
    cut = {"operation": "invoices.finalize", "effect": "cut", "when": "after", "times": None}
    fault = await sandbox.rest.call("POST", "/_sandbox/faults", {**cut, "account": workspace.account.id})
    generation = await workspace.start_generation(show)
    await sandbox.rest.call("GET", f"/_sandbox/faults/{fault['id']}", params={"wait_hits": "1", "timeout": "40"})
    other = await sandbox.make_account("other")
    keys = {"secretKey": other.sk_test, "publishableKey": other.pk_test}
    await workspace.rest.call("POST", "/api/integrations/stripe/connect", keys)
    await workspace.finished(generation["id"])
    await sandbox.remove_fault(fault["id"])
    retried = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/retry")
    await workspace.finished(retried["generation"]["id"])
    (row,) = await workspace.invoices(show)
    (left,) = await sandbox.invoices(workspace.account.id)
    assert (row["status"], row["externalAccount"], left["status"]) == ("draft", other.id, "open")

    code, said = await verify(workspace, show)
    assert code == 2
    assert f"An attempt was made in the account {workspace.account.id}" in said
    here = f"WHERE external_account = '{workspace.account.id}'"
    in_vain = f"SELECT look_at > now() + interval '30 minutes' FROM leftovers {here}"
    await eventually(lambda: _leftovers(stack, in_vain), why="it was not looked for")
    await workspace.connect()
    code, said = await verify(workspace, show)
    assert code == 1
    assert f"does not count here: {left['id']} in the account {workspace.account.id}, open" in said

    # The account was not connected when it was asked last, so that it rests for an hour.
    await _leftovers(stack, f"UPDATE leftovers SET look_at = '-infinity' {here}")

    async def voided() -> bool:
        (now,) = await sandbox.invoices(workspace.account.id)
        return bool(now["status"] == "void")

    await eventually(voided, why="what was left can still be paid")


async def _leftovers(stack: Stack, statement: str) -> Any:
    connection = await asyncpg.connect(stack.databases["invoicing"])
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
