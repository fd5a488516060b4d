"""kill -9 at every step of making an invoice, by the sandbox's hold and not by a timer: still exactly one each."""

import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace, owed

STEPS = ["customers.create", "invoices.create", "invoices.add_lines", "invoices.finalize"]
SHOW = "retail-2010-12-01"


@pytest.mark.parametrize("victim", ["invoicing", "integrations"])
async def test_killed_after_every_step_still_exactly_110(
    stack: Stack, sandbox: Sandbox, workspace: Workspace, victim: str
) -> None:
    await workspace.connect()
    show = await workspace.import_example(SHOW)
    holds = {STEPS[0]: await sandbox.hold(STEPS[0], "after", workspace.account.id)}
    generation = await workspace.start_generation(show)
    for step, following in zip(STEPS, [*STEPS[1:], None], strict=True):
        await sandbox.held(holds[step])
        if following:
            holds[following] = await sandbox.hold(following, "after", workspace.account.id)
        await stack.kill(victim)
        await sandbox.release(holds[step])
        await stack.start(victim)
    done = await workspace.finished(generation["id"], timeout=90)

    assert (done["createdCount"], done["failedCount"], done["pendingCount"]) == (110, 0, 0)
    rows = await workspace.invoices(show)
    made = await sandbox.invoices(workspace.account.id)
    assert {row["platformUserId"]: row["total"] for row in rows} == owed(SHOW)
    assert sorted(row["externalId"] for row in rows) == sorted(invoice["id"] for invoice in made)
    assert len(made) == 110
    assert {row["status"] for row in rows} == {"draft"}
