"""The product as the gateway is measured: real processes, a workspace, invoices that wait for payments."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import psutil

from services.cli.child import Child
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.cli.rest import Rest
from tests.e2e.sandbox import Account, Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually, free_port

INVOICES: Final = 20_000
PASSWORD: Final = "correct horse battery staple"
CLONE: Final = """
WITH told AS (
  SELECT gen_random_uuid() AS new_id, gen_random_uuid() AS person_id, n FROM generate_series(1, $2::integer) AS n
), people AS (
  INSERT INTO buyers (id, workspace_id, platform, platform_user_id, handle, display_name, email)
  SELECT person_id, workspace_id, platform, 'bench-' || n, '@bench' || n, '', '' FROM told, buyers
  WHERE buyers.id = (SELECT buyer_id FROM invoices WHERE id = $1)
)
INSERT INTO invoices (id, workspace_id, show_id, buyer_id, generation_id, status, total, currency, line_items,
  line_count, unpriced_count, planned_digest, buyer, show_name, show_date, revision, provider, integration_id,
  external_account, livemode, external_id, external_url, number)
SELECT new_id, workspace_id, show_id, person_id, generation_id, 'draft', total, currency, line_items, line_count,
  unpriced_count, planned_digest, invoices.buyer, show_name, show_date, 1, provider, integration_id, external_account,
  livemode, 'in_bench' || n, external_url, 'BENCH-' || n
FROM invoices, told WHERE invoices.id = $1 RETURNING id, external_id;
"""


@dataclass(frozen=True)
class Bench:
    """A running product with one workspace, a show, and invoices that were made and not paid."""

    stack: Stack
    postgres: Postgres
    folder: Path
    nats: str
    token: str
    workspace_id: str
    show: str
    endpoint: dict[str, Any]
    event: dict[str, Any]
    invoices: list[tuple[str, str]]
    """Our ids and the provider's."""
    servers: list[Child]
    """Postgres and NATS."""

    def spent(self, *others: Child) -> Counter[str]:
        """Processor seconds of each that serves, and of these."""
        serving = [*self.stack.children.values(), *self.servers, *others]
        return Counter({child.program.name: _processor_seconds(child.pid) for child in serving})

    def delivery(self, path: str, place: int) -> bytes:
        """A genuine payment, told of another invoice, signed and in the form that Stripe sends."""
        ours, theirs = self.invoices[place]
        event = json.loads(json.dumps(self.event))
        event["id"] = f"evt_bench{secrets.token_hex(8)}"
        event["data"]["object"] |= {
            "id": theirs,
            "metadata": event["data"]["object"]["metadata"] | {"invoice_id": ours},
        }
        body = json.dumps(event, indent=2).encode()
        stamp = int(time.time())
        digest = hmac.new(self.endpoint["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: showbill\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nStripe-Signature: t={stamp},v1={digest}\r\n\r\n"
        )
        return head.encode() + body

    @property
    def endpoint_path(self) -> str:
        return "/" + str(self.endpoint["url"]).split("/", 3)[3]


def _processor_seconds(pid: int) -> float:
    root = psutil.Process(pid)
    seconds = 0.0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            seconds += sum(process.cpu_times()[:2])
    return seconds


@asynccontextmanager
async def load(*arguments: object) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load", *map(str, arguments)), stdin=PIPE, stdout=PIPE, limit=1 << 28
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def fire(port: int, connections: int, requests: Sequence[bytes]) -> dict[str, Any]:
    framed = b"".join(len(request).to_bytes(4, "big") + request for request in requests)
    async with load("http", "127.0.0.1", port, connections) as process:
        output, _ = await process.communicate(framed)
    answer: dict[str, Any] = json.loads(output)
    assert set(answer["statuses"]) == {"200"}, answer["statuses"]
    return answer


def quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = Postgres(folder / "postgres", free_port(), secrets.token_urlsafe(16))
        nats = Nats(folder / "nats", free_port(), secrets.token_urlsafe(16))
        servers = [Child(program, folder / f"{program.name}.log") for program in (postgres.prepare(), nats.prepare())]
        try:
            for server in servers:
                await server.start()
            databases = {
                name: await postgres.create_database(name, "benchmark", role=name)
                for name in ("integrations", "invoicing", "gateway")
            }
            stack = Stack(
                folder,
                databases,
                nats.url,
                {name: {"LOG_LEVEL": "WARNING", "SOCKETS_PER_CREDENTIAL": "0"} for name in databases},
            )
            async with running_stack(stack, "sandbox", "integrations", "invoicing", "gateway"):
                yield await prepare(stack, postgres, nats.url, folder, servers)
        finally:
            for server in reversed(servers):
                await server.stop()


async def prepare(stack: Stack, postgres: Postgres, nats: str, folder: Path, servers: list[Child]) -> Bench:
    sandbox = Sandbox(stack.url("sandbox"))
    await sandbox.set_limits(False)
    account: Account = await sandbox.make_account("benchmark")
    token = await stack.make_owner("benchmark", "bench@example.com", PASSWORD)
    async with Rest(stack.url("gateway"), token) as rest:
        workspace = Workspace(rest, account, token, "bench@example.com")
        await workspace.connect()
        endpoint = await sandbox.webhook_endpoint(account.id)
        show = await workspace.make_show(buyers=1)
        await workspace.generate(show)
        (row,) = await workspace.invoices(show)
        who = await rest.call("GET", "/api/session")
        await sandbox.pay(row["externalId"])
        (event,) = [one for one in await sandbox.events(account.id) if one["type"] == "invoice.paid"]

        async def paid() -> bool:
            return bool((await workspace.invoices(show))[0]["status"] == "paid")

        await eventually(paid)
    await sandbox.close()
    connection = await asyncpg.connect(stack.databases["invoicing"])
    made = await connection.fetch(CLONE, row["id"], INVOICES)
    await connection.execute("ANALYZE")
    await connection.close()
    invoices = [(str(one["id"]), str(one["external_id"])) for one in made]
    where = (stack, postgres, folder, nats, token)
    return Bench(*where, who["workspace"]["id"], show, endpoint, event, invoices, servers)
