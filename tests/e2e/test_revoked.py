"""A key that is revoked while invoices are made."""

from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace

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
