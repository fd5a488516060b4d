"""Planted keys are searched for in everything that the product writes or says, at its most talkative."""

import asyncio
import base64
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
from nats import connect

from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.cli.embedded.postgres_user import find_runner
from services.cli.rest import Refused, Rest
from services.common.bus import STREAM
from tests.conftest import DatabaseMaker
from tests.e2e.collector import Collector, running_collector
from tests.e2e.dashboard_walk import DashboardWalk
from tests.e2e.sandbox import Account, Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.e2e.workspace import Workspace
from tests.waiting import free_port

CONNECT = "/api/integrations/stripe/connect"
REPLACE = "/api/integrations/stripe/credentials"
EMAIL = "planted@example.com"
PASSWORD = "correct horse battery staple"
SHOW = "Planted show"
"""No secret: searched for to prove that a secret would be found."""
HANDLE = "@planted.buyer"
REQUEST = "019a0000-cafe-7000-8000-00000000cafe"
"""Goes with requests: logs, traces and events name it, who hold no names."""
PLANTED = "51" + "planted0" * 8
BAD_KEYS = {
    "unknown key": f"sk_test_{PLANTED}a",
    "unknown restricted key": f"rk_test_{PLANTED}b",
    "unknown live key": f"sk_live_{PLANTED}c",
    "webhook secret as a key": f"whsec_{PLANTED}d",
    "organisation key": f"sk_org_live_{PLANTED}e",
}


async def dump(postgres: Postgres, url: str) -> str:
    """The database as pg_dump writes it: bytea as hexadecimal digits."""
    program = find_runner(postgres.folder).bin / "pg_dump"
    process = await asyncio.create_subprocess_exec(program, "--inserts", url, stdout=PIPE, env={"LC_ALL": "C"})
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


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
    stream = client.jetstream()
    last, seen = (await stream.stream_info(STREAM)).state.last_seq, 0
    subscription = await stream.pull_subscribe("", stream=STREAM)
    parts: list[str] = []
    while seen < last:
        for message in await subscription.fetch(500, timeout=30):
            parts.append(f"{message.subject} {message.headers} {message.data.decode('latin-1')}")
            seen = message.metadata.sequence.stream
            await message.ack()  # the server gives out no more than a thousand without
    await client.close()
    return "\n".join(parts)


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
async def loud(
    database_maker: DatabaseMaker, nats: Nats, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """A product of its own, with all that it can say in its logs and traces."""
    databases = {name: await database_maker.make(name) for name in ("integrations", "invoicing", "gateway")}
    settings = {
        name: {
            "LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        }
        for name in databases
    }
    stack = Stack(tmp_path_factory.mktemp("loud"), databases, nats.url, settings)
    async with running_stack(stack, "sandbox", "integrations", "invoicing", "gateway"):
        yield stack


class Walk:
    """One operator's way through the product, happy and not; everything that was answered is kept."""

    def __init__(self, stack: Stack, sandbox: Sandbox, rest: Rest, account: Account, token: str) -> None:
        self.stack = stack
        self.sandbox = sandbox
        self.rest = rest
        self.account = account
        self.workspace = Workspace(rest, account, token, EMAIL)
        self.said: list[str] = []

    async def ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        try:
            answer = await self.rest.call(method, path, body, **more)
        except Refused as refusal:
            answer = {"status": refusal.status, **refusal.problem}
        self.said.append(str(answer))
        return answer

    async def keys(self, secret: str, publishable: str = "") -> Any:
        pair = {"secretKey": secret, "publishableKey": publishable or self.account.pk_test}
        return await self.ask("POST", CONNECT, pair)

    async def plant_in_every_field(self) -> None:
        """Where an operator, or a browser, may put a key by mistake."""
        for key in (*BAD_KEYS.values(), self.account.sk_live):
            refusals = [await self.keys(key), await self.keys(self.account.pk_test, key), await self.keys(key, key)]
            assert all("status" in one for one in refusals)
            await self.ask("POST", CONNECT, {"secretKey": key, "publishableKey": 3})
            await self.ask("POST", CONNECT, {"secretKey": [key], "publishableKey": key, key: key})
            await self.ask("POST", CONNECT, [key])
            await self.ask("PUT", REPLACE, {"secretKey": key, "publishableKey": key})
            await self.ask("PUT", "/api/integrations/square/credentials", {key: key})
            await self.ask("POST", "/api/integrations/manual/connect", {"secretKey": key, key: key})
            await self.ask("PATCH", "/api/integrations/stripe/settings", {"memoTemplate": "{" + key + "}", key: key})
            await self.ask("POST", "/api/integrations/stripe/preview", {"template": "{" + key + "}"})
            await self.ask("GET", f"/api/integrations/stripe/{key}")
            await self.ask("GET", f"/api/shows/{key}/invoices", params={"pageToken": key, "pageSize": key})
            await self.ask("GET", "/api/integrations/stripe/audit", params={"pageToken": key})
            await self.ask("GET", "/api/integrations", headers={"X-Request-Id": key, "Authorization": f"Bearer {key}"})
            await self.ask("GET", "/api/integrations", headers={"Cookie": f"showbill={key}"})
            await self.ask("POST", f"/api/webhooks/stripe/{key}", {"key": key}, headers={"Stripe-Signature": key})
            async with aiohttp.request("POST", self.stack.url("gateway") + CONNECT, data="{" + key) as answer:
                self.said.append(await answer.text())

    async def plant_in_settings(self) -> None:
        """Texts that buyers would read."""
        settings, preview = "/api/integrations/stripe/settings", "/api/integrations/stripe/preview"
        for key in BAD_KEYS.values():
            for name in ("memoTemplate", "messageTemplate", "footer", "paymentInstructions"):
                assert (await self.ask("PATCH", settings, {name: f"Pay {key}"}))["status"] == 400
            assert (await self.ask("POST", preview, {"template": f"Pay {key}"}))["status"] == 400
            assert (await self.ask("POST", preview, {"template": "{buyer}", "values": {"buyer": key}}))["status"] == 400

    async def trade(self) -> str:
        """A show, its invoices, a payment, and what is done to single invoices by hand; answers the show."""
        made = await self.ask("POST", "/api/shows", {"name": SHOW, "currency": "GBP"})
        show = str(made["id"])
        items = "item_number,title,price\n0,Mug,1000\n1,Lamp,2000\n2,Vase,3000\n3,Unpriced,\n"
        claims = "claim_id,platform,platform_user_id,user_handle,email,item_number,quantity,status\n" + "".join(
            f"c{n},facebook,u{n},{HANDLE}{n},u{n}@example.com,{n},1,winner\n" for n in range(4)
        )
        for what, content in (("items", items), ("claims", claims)):
            assert (await self.workspace.import_file(show, what, content.encode()))["rejected"] == []
        self.said.append(str(await self.workspace.generate(show)))
        async with self.workspace.listening(show) as listener:
            await self.sandbox.pay((await self.workspace.invoices(show))[0]["externalId"])
            self.said.append(str(await listener.until_paid(1)))
        await self.do_by_hand(show)
        return show

    async def do_by_hand(self, show: str) -> None:
        """Send, void, mark as paid, edit a draft and finalize it."""
        rows = await self.workspace.invoices(show)
        draft = next(row for row in rows if not row["externalUrl"])
        first, second, *_ = [row for row in rows if row["externalUrl"] and row["status"] != "paid"]
        items = {"items": [{"itemNumber": "3", "title": "Priced", "price": 700}]}
        await self.ask("PUT", f"/api/shows/{show}/items", items)
        for invoice, verb, body, end in (
            *((first, "send", {"channel": channel}, "") for channel in ("email", "message", "manual")),
            (first, "void", None, "void"),
            (second, "mark-paid", {"note": "Seen on the statement."}, "paid"),
            *((draft, verb, None, "draft") for verb in ("update-draft", "finalize")),
        ):
            path = f"/api/shows/{show}/invoices/{invoice['id']}/{verb}"
            answer = await self.ask("POST", path, body, headers={"X-Request-Id": REQUEST})
            assert not end or answer["status"] == end, answer

    async def walk_the_dashboard(self, show: str) -> str:
        """Answers all that the pages said."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            pages = DashboardWalk(self.stack.url("gateway"), session)
            await pages.sign_in(EMAIL, PASSWORD)
            for key in (*BAD_KEYS.values(), self.account.sk_live):
                await pages.plant(key, self.account.pk_test)
            invoices = [(show, row["id"]) for row in await self.workspace.invoices(show)]
            await pages.look([show], invoices)
        return "\n".join(pages.said)

    async def look_everywhere(self, show: str) -> None:
        for path in (
            *("/api/integrations", "/api/integrations/stripe", "/api/integrations/stripe/test"),
            *("/api/integrations/stripe/audit", f"/api/shows/{show}/invoices", "/api/tokens", "/api/session"),
        ):
            await self.ask("GET", path, headers={"X-Request-Id": REQUEST})

    async def break_the_database(self) -> None:
        """An error that nobody foresaw, with opened keys in scope: its traceback goes to the log."""
        database = await asyncpg.connect(self.stack.databases["integrations"])
        for table in ("outbox", "audit", "credentials"):
            await database.execute(f"ALTER TABLE {table} RENAME TO gone")
            try:
                assert (await self.keys(self.account.sk_test))["status"] == 500
                await self.ask("GET", "/api/integrations/stripe/test")
                await self.ask("DELETE", "/api/integrations/stripe")
            finally:
                await database.execute(f"ALTER TABLE gone RENAME TO {table}")
        await database.execute("UPDATE credentials SET ciphertext = set_byte(ciphertext, 20, 0)")
        assert (await self.ask("GET", "/api/integrations/stripe/test"))["healthy"] is False
        await database.close()

    async def lose_the_key(self) -> None:
        """Refused for want of a permission, then revoked: the provider echoes what it was shown."""
        path = f"/_sandbox/accounts/{self.account.id}/restricted_keys"
        made = await self.sandbox.rest.call("POST", path, {"permissions": ["rak_balance_read", "rak_customer_write"]})
        await self.keys(made["key"])
        await self.sandbox.revoke(self.account.sk_test)
        late = await self.workspace.make_show(buyers=2, price=500)
        self.said.append(str(await self.workspace.generate(late)))
        self.said.append(str(await self.workspace.invoices(late)))
        await self.look_everywhere(late)
        assert (await self.keys(self.account.sk_test))["status"] == 409
        await self.ask("DELETE", "/api/integrations/stripe")


async def commands_of_keys(stack: Stack) -> str:
    """All that `showbill keys` says, with the right keys and with a wrong one."""
    wrong = base64.b64encode(b"w" * 32).decode()
    said: list[str] = []
    for key in (stack.credential_key, wrong):
        for words in (("list",), ("rotate",), ("add", "next"), ("retire", "test-1", "--lost")):
            keys = {"CREDENTIAL_KEYS": f"test-1={key}", "DATABASE_URL": stack.databases["integrations"]}
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "services.cli", "keys", *words),
                env={"PATH": os.environ["PATH"], **keys},
                cwd=stack.folder,
                stdout=PIPE,
                stderr=STDOUT,
            )
            said.append((await process.communicate())[0].decode())
    return "\n".join(said)


async def metrics_of(stack: Stack) -> str:
    """What every service tells Prometheus."""
    said: list[str] = []
    for settings in stack.settings.values():
        async with aiohttp.request("GET", f"http://{settings['METRICS_LISTEN']}/metrics") as answer:
            said.append(await answer.text())
    return "\n".join(said)


def shapes(needle: str) -> tuple[str, str, str]:
    """A secret as it is, as pg_dump shows bytes, and in base64."""
    raw = needle.encode()
    return needle, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1]


async def test_no_secret_is_found_anywhere(loud: Stack, nats: Nats, postgres: Postgres, collector: Collector) -> None:
    sandbox = Sandbox(loud.url("sandbox"))
    await sandbox.set_limits(False)
    token = await loud.make_owner("planted", EMAIL, PASSWORD)
    account = await sandbox.make_account("planted")
    async with Rest(loud.url("gateway"), token) as rest:
        walk = Walk(loud, sandbox, rest, account, token)
        await walk.plant_in_every_field()
        assert (await walk.keys(account.sk_test))["status"] == "active"
        endpoint = await sandbox.webhook_endpoint(account.id)
        await walk.plant_in_settings()
        show = await walk.trade()
        await walk.look_everywhere(show)
        pages = await walk.walk_the_dashboard(show)
        await walk.break_the_database()
        assert (await walk.keys(account.sk_test))["status"] == "active"
        await walk.lose_the_key()
    await sandbox.close()
    commands, metrics = await commands_of_keys(loud), await metrics_of(loud)
    await loud.stop("gateway", "invoicing", "integrations")

    secret = {
        **BAD_KEYS,
        **{f"body of {what}": key.split("_")[-1] for what, key in BAD_KEYS.items()},
        "secret key": account.sk_test,
        "secret key without prefix": account.sk_test.removeprefix("sk_test_"),
        "webhook secret": endpoint["secret"].removeprefix("whsec_"),
        "live key": account.sk_live,
        "API token": token,
        "credential key": loud.credential_key,
        "signing key": loud.seeds["gateway"],
        "password": PASSWORD,
        **{f"password of the database of {name}": urlsplit(url).password or "" for name, url in loud.databases.items()},
        "password of the bus": urlsplit(nats.url).password or "",
    }
    tails = {f"echoed tail of {what}": f"***{secret[what][-4:]}" for what in ("secret key", *BAD_KEYS)}
    needles = {what: shapes(text) for what, text in (secret | tails).items()}
    needles["credential key as bytes"] = (base64.b64decode(loud.credential_key).hex(),) * 3
    logs = {log.name: log.read_text(errors="replace") for log in loud.folder.glob("*.log")}
    places = {
        "answers": "\n".join(walk.said),
        "pages": pages,
        "commands": commands,
        "metrics": metrics,
        "log of Postgres": (postgres.folder / "postgres.log").read_text(errors="replace"),
        "log of NATS": (nats.folder / "nats.log").read_text(errors="replace"),
        **{f"log {name}": text for name, text in logs.items() if not name.startswith("sandbox")},
        "events": await all_events(nats),
        "traces": b"".join(collector.raw).decode("latin-1"),
        **{f"dump of {name}": await dump(postgres, url) for name, url in loud.databases.items()},
        **{f"columns of {name}": await all_columns(url) for name, url in loud.databases.items()},
    }
    there = seen_there(account)
    assert there.keys() == places.keys()
    blind = {place for place, words in there.items() if words not in places[place]}
    assert blind == set(), "a place where nothing can be found proves nothing"
    assert "Traceback" in places["log integrations.log"], "the crash left no traceback to search"
    assert '"level": "debug"' in "".join(logs.values()), "the logs did not say all that they can"
    assert _services_of_one_trace(collector) >= {"showbill-gateway", "showbill-invoicing", "showbill-integrations"}
    found = [(what, where) for where, text in places.items() for what, each in needles.items() if _any(each, text)]
    assert found == []


def seen_there(account: Account) -> dict[str, str]:
    """What is no secret and must be found in each place, were it found at all: the search looks where things are."""
    return {
        "answers": SHOW,
        "pages": HANDLE,
        "commands": "The key 'test-1' here is not the one",
        "metrics": "showbill_",
        "log of Postgres": 'relation "credentials" does not exist',
        "log of NATS": "Server is ready",
        **dict.fromkeys(("log integrations.log", "log invoicing.log", "log gateway.log", "events", "traces"), REQUEST),
        **dict.fromkeys(("dump of integrations", "columns of integrations"), account.id),
        **dict.fromkeys(("dump of invoicing", "columns of invoicing"), HANDLE),
        **dict.fromkeys(("dump of gateway", "columns of gateway"), EMAIL),
    }


def _services_of_one_trace(collector: Collector) -> set[str]:
    """Those that took part in the longest way: a request that goes through every service is one trace."""
    ways: dict[bytes, set[str]] = {}
    for service, span in collector.spans:
        ways.setdefault(span.trace_id, set()).add(service)
    return max(ways.values(), key=len)


def _any(needles: tuple[str, ...], text: str) -> bool:
    return any(needle in text for needle in needles)


async def test_anonymous_and_foreign_tokens_are_turned_away(stack: Stack) -> None:
    for token in ("", "showbill_" + "x" * 43):
        async with Rest(stack.url("gateway"), token) as rest:
            with pytest.raises(Refused) as refusal:
                await rest.call("GET", "/api/shows")
            assert refusal.value.status == 401
