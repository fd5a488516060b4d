"""One buyer's failure leaves the others; keys that are no good are refused with a sentence and nothing is stored."""

import asyncpg
import pytest

from services.cli.rest import Refused
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace

SHOW = "retail-2010-12-01"
REFUSED_BUYER = "17850"


async def test_one_refused_buyer_leaves_109_and_can_be_retried(workspace: Workspace, sandbox: Sandbox) -> None:
    await workspace.connect()
    show = await workspace.import_example(SHOW)
    fault = await sandbox.refuse_buyer(workspace.account.id, REFUSED_BUYER)
    generation = await workspace.generate(show)
    assert (generation["createdCount"], generation["failedCount"]) == (109, 1)

    rows = await workspace.invoices(show)
    (failed,) = [row for row in rows if row["status"] == "error"]
    assert failed["platformUserId"] == REFUSED_BUYER
    assert failed["statusReason"].endswith(".")
    assert len(await sandbox.invoices(workspace.account.id)) == 109

    again = await workspace.generate(show)
    assert again["totalCount"] == 0
    assert await workspace.invoices(show) == rows

    await sandbox.remove_fault(fault)
    retried = await workspace.rest.call("POST", f"/api/shows/{show}/invoices/retry", {})
    assert retried["retriedCount"] == 1
    done = await workspace.finished(retried["generation"]["id"])
    assert (done["createdCount"], done["failedCount"]) == (1, 0)
    assert len(await sandbox.invoices(workspace.account.id)) == 110
    assert {row["status"] for row in await workspace.invoices(show)} == {"draft"}


async def test_connect_test_disconnect_leaves_no_key(workspace: Workspace, stack: Stack) -> None:
    connected = await workspace.connect()
    assert (connected["connected"], connected["status"]) == (True, "active")
    health = await workspace.rest.call("GET", "/api/integrations/stripe/test")
    assert (health["healthy"], health["livemode"]) == (True, False)
    assert health["latencyMs"] > 0

    await workspace.rest.call("DELETE", "/api/integrations/stripe")
    listed = await workspace.rest.call("GET", "/api/integrations")
    (stripe,) = [entry for entry in listed["items"] if entry["provider"] == "stripe"]
    assert (stripe["connected"], stripe["status"]) == (False, "inactive")
    database = await asyncpg.connect(stack.databases["integrations"])
    row = await database.fetchrow("SELECT * FROM integrations WHERE account_id = $1", workspace.account.id)
    assert row is not None
    assert (row["status"], row["wrapped_key"]) == ("inactive", None)
    assert await database.fetchval("SELECT count(*) FROM credentials WHERE integration_id = $1", row["id"]) == 0
    await database.close()


@pytest.mark.parametrize(
    ("secret", "publishable", "says"),
    [
        ("sk_test_{wrong}", "{pk_test}", "didn’t accept this key"),
        ("{sk_test}", "{pk_live}", "same mode"),
        ("{sk_live}", "{pk_test}", "same mode"),
        ("{pk_test}", "{sk_test}", "publishable key"),
        ("hello", "{pk_test}", "does not look like a secret key"),
        ("{sk_test}", "hello", "publishable key"),
        ("", "", "Paste the key"),
        ("{revoked}", "{pk_test}", "didn’t accept this key"),
    ],
    ids=["wrong", "live pk", "live sk", "swapped", "malformed sk", "malformed pk", "empty", "revoked"],
)
async def test_bad_keys_are_refused_with_a_sentence(
    workspace: Workspace, sandbox: Sandbox, stack: Stack, secret: str, publishable: str, says: str
) -> None:
    account = workspace.account
    words = {**vars(account), "wrong": "51" + "x" * 60, "revoked": account.sk_test}
    if "{revoked}" in secret:
        await sandbox.revoke(account.sk_test)
    keys = {"secretKey": secret.format(**words), "publishableKey": publishable.format(**words)}
    with pytest.raises(Refused) as refusal:
        await workspace.rest.call("POST", "/api/integrations/stripe/connect", keys)

    assert 400 <= refusal.value.status < 500
    assert says in str(refusal.value.problem)
    for key in keys.values():
        assert not key or key not in str(refusal.value.problem)
    database = await asyncpg.connect(stack.databases["integrations"])
    assert await database.fetchval("SELECT count(*) FROM integrations WHERE account_id = $1", account.id) == 0
    await database.close()
