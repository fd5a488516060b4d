"""What the gateway does in a second: webhooks, live updates, many sockets, pages of invoices.

Run: .venv/bin/python -m benchmarks.gateway [webhooks frames sockets pages]

Real processes, one of each service, with an embedded Postgres (fsync on) and NATS, and the load from a process of its
own, all on the same cores. Events are genuine: one payment of the sandbox, told again for 20,000 invoices, each signed.
The bare server of `benchmarks/bare.py` is measured beside ours in the same run, in turns.
"""

import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import psutil
from nats import connect

from benchmarks.bare import SETUP
from benchmarks.product import INVOICES, Bench, fire, load, quantiles, running
from services.cli.child import Child, Program
from services.cli.readiness import http_ok
from tests.gateway.harness import paid_event
from tests.waiting import free_port


class Turns:
    """What one of two servers did at so many connections, in its turns."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.seconds: list[float] = []
        self.spent: Counter[str] = Counter()

    @property
    def rate(self) -> float:
        return statistics.mean(self.rates)

    def row(self, connections: int, who: str, share: str) -> str:
        p50, p99 = quantiles(self.seconds)
        each = {name: seconds / len(self.seconds) * 1000 for name, seconds in self.spent.most_common()}
        parts = ", ".join(f"{name} {spent:.2f}" for name, spent in each.items() if spent >= 0.005)
        figures = f"{self.rate:,.0f} | {p50:.1f} | {p99:.1f} | {share} | {sum(each.values()):.2f}: {parts}"
        return f"| {connections} | {who} | {figures} |"


async def webhooks(bench: Bench) -> None:
    """Ours and the bare server in turns: whole path, committed, at 1, 32 and 128 connections."""
    print("| connections | who | events/s | p50 ms | p99 ms | of the bare server | processor ms an event |")
    print("|---|---|---|---|---|---|---|")
    place = 0
    async with bare_server(bench) as (bare, port):
        ways = {"bare": ("/", port), "ours": (bench.endpoint_path, bench.stack.port("gateway"))}
        for connections, count in ((1, 1000), (32, 4000), (128, 4000)):
            turns = {who: Turns() for who in ways}
            for turn in range(2):
                first = place + turn * count // 2
                for who in ("bare", "ours") if turn else ("ours", "bare"):
                    path, at = ways[who]
                    requests = [bench.delivery(path, first + number) for number in range(count // 2)]
                    before = bench.spent(bare)
                    answer = await fire(at, connections, requests)
                    turns[who].spent += bench.spent(bare) - before
                    turns[who].rates.append(len(requests) / answer["whole"])
                    turns[who].seconds += answer["seconds"]
            place += count
            print(turns["bare"].row(connections, "bare", ""))
            share = f"{turns['ours'].rate / turns['bare'].rate:.0%}"
            print(turns["ours"].row(connections, "ours", share), flush=True)
    paid = await _paid(bench)
    assert paid == place, f"{paid} of {place} payments are there"


@asynccontextmanager
async def bare_server(bench: Bench) -> AsyncIterator[tuple[Child, int]]:
    """The bare server with the same invoices, and its port."""
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
    try:
        yield bare, port
    finally:
        await bare.stop()


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
        spent = (bench.spent() - before).total() / count
        p50, p99 = quantiles(answer["seconds"])
        rate = count / answer["whole"]
        print(f"| {connections} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {spent * 1000:.1f} |", flush=True)


CASES: Final[dict[str, Callable[[Bench], Awaitable[None]]]] = {
    "pages": pages,
    "webhooks": webhooks,
    "frames": frames,
    "sockets": sockets,
}


async def main(names: list[str]) -> None:
    async with running() as bench:
        for name in names or CASES:
            print(f"\n{name}: {CASES[name].__doc__}", flush=True)
            await CASES[name](bench)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
