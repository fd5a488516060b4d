"""What the gateway does in a second: webhooks, live updates, many sockets, pages of invoices.

Run: .venv/bin/python -m benchmarks.gateway [webhooks frames sockets pages]

Real processes, one of each service, with an embedded Postgres (fsync on) and NATS, and the load from a process of its
own, all on the same cores. Events are genuine: one payment of the sandbox, told again for 20,000 invoices, each signed.
The bare server of `benchmarks/bare.py` is measured beside ours in the same run, in turns.
"""

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
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import psutil
from nats import connect

from benchmarks.bare import SETUP
from services.cli.child import Child, Program
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.cli.readiness import http_ok
from services.cli.rest import Rest
from tests.e2e.sandbox import Account, Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.e2e.workspace import Workspace
from tests.gateway.harness import paid_event
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
    servers: list[int]
    """The processes of Postgres and NATS."""

    def spent(self, *others: int) -> float:
        """Processor seconds of all that serves, and of these."""
        services = [self.stack.children[name].pid for name in ("gateway", "integrations", "invoicing")]
        seconds = 0.0
        for pid in (*services, *self.servers, *others):
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    seconds += sum(process.cpu_times()[:2])
        return seconds

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


async def webhooks(bench: Bench) -> None:
    """Ours and the bare server in turns: whole path, committed, at 1, 32 and 128 connections."""
    database = await bench.postgres.create_database("bare", "benchmark", role="bare")
    connection = await asyncpg.connect(database)
    await connection.execute(SETUP)
    await connection.executemany(
        "INSERT INTO bare_invoices VALUES ($1, 'draft', 3)", [(theirs,) for _, theirs in bench.invoices]
    )
    await connection.close()
    port = free_port()
    variables = {"DATABASE_URL": database, "SECRET": bench.endpoint["secret"], "LISTEN_PORT": str(port)}
    program = Program(
        "bare", (sys.executable, "-m", "benchmarks.bare"), http_ok(port, "/"), variables, Path.cwd(), start_seconds=60
    )
    bare = Child(program, bench.folder / "bare.log")
    await bare.start()
    print("| connections | who | events/s | p50 ms | p99 ms | of the bare server | processor ms an event |")
    print("|---|---|---|---|---|---|---|")
    place = 0
    try:
        for connections, count in ((1, 1000), (32, 4000), (128, 4000)):
            rates: dict[str, list[float]] = {"bare": [], "ours": []}
            seconds: dict[str, list[float]] = {"bare": [], "ours": []}
            spent = {"bare": 0.0, "ours": 0.0}
            for turn in range(2):
                for who in ("bare", "ours") if turn else ("ours", "bare"):
                    path, at = ("/", port) if who == "bare" else (bench.endpoint_path, bench.stack.port("gateway"))
                    first = place + turn * count // 2
                    requests = [bench.delivery(path, first + number) for number in range(count // 2)]
                    before = bench.spent(bare.pid)
                    answer = await fire(at, connections, requests)
                    spent[who] += bench.spent(bare.pid) - before
                    rates[who].append(len(requests) / answer["whole"])
                    seconds[who] += answer["seconds"]
            place += count
            for who in ("bare", "ours"):
                p50, p99 = quantiles(seconds[who])
                share = (
                    f"{statistics.mean(rates['ours']) / statistics.mean(rates['bare']):.0%}" if who == "ours" else ""
                )
                print(
                    f"| {connections} | {who} | {statistics.mean(rates[who]):,.0f} | {p50:.1f} | {p99:.1f} | {share} "
                    f"| {spent[who] / count * 1000:.2f} |",
                    flush=True,
                )
    finally:
        await bare.stop()
    paid = await _paid(bench)
    assert paid == place, f"{paid} of {place} payments are there"


async def _paid(bench: Bench) -> int:
    connection = await asyncpg.connect(bench.stack.databases["invoicing"])
    count: int = await connection.fetchval(
        "SELECT count(*) FROM invoices WHERE status = 'paid' AND number LIKE 'BENCH-%'"
    )
    await connection.close()
    return count


async def paced(port: int, rate: int, requests: Sequence[bytes]) -> list[float]:
    """Sends so many a second over eight kept connections; answers when each was sent."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(8):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    sent: list[float] = []

    async def send(request: bytes) -> None:
        reader, writer = await free.get()
        sent.append(time.time())
        writer.write(request)
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        free.put_nowait((reader, writer))

    began = time.time()
    async with asyncio.TaskGroup() as tasks:
        for number, request in enumerate(requests):
            await asyncio.sleep(max(0.0, began + number / rate - time.time()))
            tasks.create_task(send(request))
    while not free.empty():
        free.get_nowait()[1].close()
    return sent


async def frames(bench: Bench) -> None:
    """From the start of a webhook's request to its frame at 20 sockets, at 20 and 200 webhooks a second."""
    print("| webhooks/s | p50 ms | p90 ms | p99 ms |")
    print("|---|---|---|---|")
    place = INVOICES - 1
    for rate, count in ((20, 100), (200, 1000)):
        requests = [bench.delivery(bench.endpoint_path, place - number) for number in range(count)]
        place -= count
        async with load(
            "listen", "127.0.0.1", bench.stack.port("gateway"), 20, bench.token, f"?show_id={bench.show}"
        ) as process:
            assert process.stdin
            assert process.stdout
            assert (await process.stdout.readline()).strip() == b"ready"
            process.stdin.write(f"{count}\n".encode())
            sent = await paced(bench.stack.port("gateway"), rate, requests)
            heard = sorted(json.loads(await process.stdout.readline()))
        # Frames are told apart by rank alone: where two events overlap, their delays are exchanged, not lost.
        delays = [at - sent[rank // 20] for rank, at in enumerate(heard)]
        cuts = statistics.quantiles(delays, n=100)
        print(f"| {rate} | {cuts[49] * 1000:.1f} | {cuts[89] * 1000:.1f} | {cuts[98] * 1000:.1f} |", flush=True)


async def sockets(bench: Bench, count: int = 3000) -> None:
    """An event to all sockets of one gateway, five times a second; then as fast as they take it."""
    gateway = psutil.Process(bench.stack.children["gateway"].pid)
    before = gateway.memory_info().rss
    show = bench.show
    client = await connect(bench.nats)
    seq = 1_000_000

    async def publish() -> float:
        nonlocal seq
        seq += 1
        event = paid_event(bench.workspace_id, show, seq)
        sent = time.time()
        await client.publish(f"showbill.events.{bench.workspace_id}.{show}.invoice.updated", event.SerializeToString())
        await client.flush()
        return sent

    async with load(
        "listen", "127.0.0.1", bench.stack.port("gateway"), count, bench.token, f"?show_id={show}"
    ) as process:
        assert process.stdin
        assert process.stdout
        assert (await process.stdout.readline()).strip() == b"ready"
        each = (gateway.memory_info().rss - before) / count
        await publish()  # sets the position far ahead
        process.stdin.write(b"1\n")
        await process.stdout.readline()
        process.stdin.write(b"15\n")
        sent = []
        for _ in range(15):
            sent.append(await publish())
            await asyncio.sleep(0.2)
        heard = sorted(json.loads(await process.stdout.readline()))
        p50, p99 = quantiles([at - sent[rank // count] for rank, at in enumerate(heard)])
        burst = 60
        process.stdin.write(f"{burst}\n".encode())
        cpu = sum(gateway.cpu_times()[:2])
        began = time.time()
        for _ in range(burst):
            await publish()
        heard = json.loads(await process.stdout.readline())
        seconds, cpu = max(heard) - began, sum(gateway.cpu_times()[:2]) - cpu
    await client.close()
    print("| sockets | p50 ms | p99 ms | deliveries/s | deliveries/s a core | kB a socket |")
    print("|---|---|---|---|---|---|")
    sent_all = burst * count
    print(
        f"| {count} | {p50:.0f} | {p99:.0f} | {sent_all / seconds:,.0f} | {sent_all / cpu:,.0f} | {each / 1024:.0f} |",
        flush=True,
    )


async def pages(bench: Bench) -> None:
    """A page of 100 invoices through the guarded route."""
    request = (
        f"GET /api/shows/{bench.show}/invoices?pageSize=100 HTTP/1.1\r\nHost: showbill\r\n"
        f"Authorization: Bearer {bench.token}\r\n\r\n"
    ).encode()
    print("| connections | pages/s | p50 ms | p99 ms | processor ms a page |")
    print("|---|---|---|---|---|")
    for connections, count in ((1, 400), (32, 1000)):
        before = bench.spent()
        answer = await fire(bench.stack.port("gateway"), connections, [request] * count)
        spent = (bench.spent() - before) / count
        p50, p99 = quantiles(answer["seconds"])
        rate = count / answer["whole"]
        print(f"| {connections} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {spent * 1000:.1f} |", flush=True)


CASES: Final[dict[str, Callable[[Bench], Awaitable[None]]]] = {
    "pages": pages,
    "webhooks": webhooks,
    "frames": frames,
    "sockets": sockets,
}


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
                yield await prepare(stack, postgres, nats.url, folder, [server.pid for server in servers])
        finally:
            for server in reversed(servers):
                await server.stop()


async def prepare(stack: Stack, postgres: Postgres, nats: str, folder: Path, servers: list[int]) -> Bench:
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


async def main(names: list[str]) -> None:
    async with running() as bench:
        for name in names or CASES:
            print(f"\n{name}: {CASES[name].__doc__}", flush=True)
            await CASES[name](bench)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
