"""Planted keys are searched for in everything that the product writes or says."""

import asyncpg
import pytest
from nats import connect

from services.cli.embedded.nats import Nats
from services.cli.rest import Refused, Rest
from services.common.bus import STREAM
from tests.e2e.fixtures import MakeWorkspace
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack


async def all_columns(url: str) -> str:
    """Every value of every table as text; bytea also as the text that it may hide."""
    database = await asyncpg.connect(url)
    tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    parts: list[str] = []
    for table in tables:
        for row in await database.fetch(f'SELECT * FROM "{table["tablename"]}"'):
            parts += [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row.values()]
    await database.close()
    return "\n".join(parts)


async def all_events(nats: Nats) -> str:
    """Every message of the stream, headers included."""
    client = await connect(nats.url)
    subscription = await client.jetstream().pull_subscribe("", stream=STREAM)
    parts: list[str] = []
    while True:
        try:
            for message in await subscription.fetch(500, timeout=2):
                parts.append(f"{message.subject} {message.headers} {message.data.decode('latin-1')}")
        except TimeoutError:  # nats-py's own, or asyncio's when it is busy
            break
    await client.close()
    return "\n".join(parts)


async def test_no_secret_is_found_anywhere(
    make_workspace: MakeWorkspace, sandbox: Sandbox, stack: Stack, nats: Nats
) -> None:
    workspace = await make_workspace()
    account = workspace.account
    said: list[str] = []
    rejected = {"bad": "sk_test_" + "51" + "planted0" * 8, "live": account.sk_live}
    for secret in rejected.values():
        with pytest.raises(Refused) as refusal:
            await workspace.rest.call(
                "POST", "/api/integrations/stripe/connect", {"secretKey": secret, "publishableKey": account.pk_test}
            )
        said.append(str(refusal.value.problem))
    said.append(str(await workspace.connect()))
    endpoint = await sandbox.webhook_endpoint(account.id)
    show = await workspace.make_show(buyers=3)
    said.append(str(await workspace.generate(show)))
    async with workspace.listening(show) as listener:
        await sandbox.pay((await workspace.invoices(show))[0]["externalId"])
        said.append(str(await listener.until_paid(1)))
    for path in ("/api/integrations", "/api/integrations/stripe/test", f"/api/shows/{show}/invoices", "/api/tokens"):
        said.append(str(await workspace.rest.call("GET", path)))
    await sandbox.revoke(account.sk_test)
    late = await workspace.make_show(buyers=2, price=500)
    said.append(str(await workspace.generate(late)))
    said.append(str(await workspace.invoices(late)))
    said.append(str(await workspace.rest.call("GET", "/api/integrations")))

    needles = {
        "secret key": account.sk_test,
        "secret key without prefix": account.sk_test.removeprefix("sk_test_"),
        "webhook secret": endpoint["secret"].removeprefix("whsec_"),
        "rejected key": rejected["bad"],
        "live key": account.sk_live,
        "API token": workspace.token,
        "credential key": stack.credential_key,
        "signing key": stack.seeds["gateway"],
    }
    places = {
        "answers": "\n".join(said),
        "logs": "".join(
            log.read_text(errors="replace") for log in stack.folder.glob("*.log") if not log.name.startswith("sandbox")
        ),
        "events": await all_events(nats),
        **{f"database {name}": await all_columns(url) for name, url in stack.databases.items()},
    }
    assert all(len(text) > 500 for text in places.values()), "a place that was not searched proves nothing"
    found = [(what, where) for where, text in places.items() for what, needle in needles.items() if needle in text]
    assert found == []


async def test_anonymous_and_foreign_tokens_are_turned_away(stack: Stack) -> None:
    for token in ("", "showbill_" + "x" * 43):
        async with Rest(stack.url("gateway"), token) as rest:
            with pytest.raises(Refused) as refusal:
                await rest.call("GET", "/api/shows")
            assert refusal.value.status == 401
