"""Payments applied per second through gRPC, beside the bare transaction; and a page of the list, in its process.

Run: .venv/bin/python -m benchmarks.settling [events]

Real processes: Postgres (fsync on), NATS and one invoicing; the client is this process, all on the same cores. Bare:
inbox, status and outbox for a group of events in one statement, from this process straight to Postgres. Each is run in
turn, three times; the best counts.
"""

import asyncio
import itertools
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from services.cli.child import Child
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.db import Pool, open_pool
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.tokens import Signer
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc
from tests.e2e.stack import Stack, running_stack
from tests.waiting import free_port

Group = TypeVar("Group")
GROUP: Final = 16
"""Of the bare statement, and of a gateway that hears 32 webhooks at once in two calls."""
WORKSPACE: Final = new_id()
SHOW: Final = new_id()
FILL: Final = """
WITH people AS (
  INSERT INTO buyers (id, workspace_id, platform, platform_user_id, handle, display_name, email)
  SELECT gen_random_uuid(), $1, 'facebook', 'u' || n, '@u' || n, 'Buyer ' || n, '' FROM generate_series(1, $3) AS n
  RETURNING id, platform_user_id
), show AS (
  INSERT INTO shows (id, workspace_id, name, state, currency) VALUES ($2, $1, 'Benchmark', 'ended', 'GBP')
)
INSERT INTO invoices (id, workspace_id, show_id, buyer_id, generation_id, status, total, currency, line_items,
                      line_count, unpriced_count, planned_digest, buyer, show_name, show_date, revision, provider,
                      integration_id, external_account, livemode, external_id, external_url, provider_url, number)
SELECT gen_random_uuid(), $1, $2, id, gen_random_uuid(), 'draft', 1250, 'GBP', '[]', 1, 0, '', '{}', 'Benchmark', now(),
       1, 'stripe', gen_random_uuid(), 'acct_benchmark', false, 'in_' || platform_user_id, 'https://pay.example/in',
       'https://provider.example/in', 'A-1'
FROM people
"""
BARE: Final = """
WITH told AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[]) AS told (event_id, external_id, outbox_id)
), fresh AS (
  INSERT INTO provider_events (workspace_id, provider, external_account, livemode, event_id, event_type, occurred_at,
                               outcome)
  SELECT $4, 'stripe', 'acct_benchmark', false, event_id, 'invoice.paid', now(), 'applied' FROM told
  ON CONFLICT DO NOTHING
  RETURNING event_id
), moved AS (
  UPDATE invoices SET status = 'paid', version = version + 1, paid_at = now(), updated_at = now()
  FROM told JOIN fresh USING (event_id)
  WHERE invoices.workspace_id = $4 AND provider = 'stripe' AND external_account = 'acct_benchmark' AND livemode = false
    AND invoices.external_id = told.external_id AND status <> 'paid'
  RETURNING outbox_id
)
INSERT INTO outbox (id, subject, payload, request_id) SELECT outbox_id, 'bare', $5, '' FROM moved
"""


def event(number: int) -> pb.ProviderEvent:
    return pb.ProviderEvent(
        event_id="evt_" + secrets.token_hex(12),
        provider="stripe",
        workspace_id=WORKSPACE,
        account_id="acct_benchmark",
        type=pb.PROVIDER_EVENT_TYPE_PAID,
        provider_type="invoice.paid",
        occur_time=Timestamp(seconds=int(datetime.now(UTC).timestamp())),
        invoice=pb.ProviderInvoice(external_id=f"in_u{number}", total=1250, currency="GBP"),
    )


class Bench:
    def __init__(self, pool: Pool, client: GrpcClient) -> None:
        self.pool = pool
        self.client = client
        self.stub = rpc.InvoicesServiceStub(client.channel)
        self.numbers = itertools.count(1)

    async def through_grpc(self, count: int, *, group: int, at_once: int) -> float:
        """Events a second."""
        events = [event(next(self.numbers)) for _ in range(count)]

        async def call(some: Sequence[pb.ProviderEvent]) -> None:
            request = pb.ApplyProviderEventsRequest(events=some)
            answer = await self.client.call(self.stub.ApplyProviderEvents, request, Identity("", "worker:webhooks"))
            assert set(answer.outcomes) == {pb.EVENT_OUTCOME_APPLIED}, answer

        return await rate(count, [events[at : at + group] for at in range(0, count, group)], call, at_once)

    async def bare(self, count: int) -> float:
        """Events a second."""
        numbers = [next(self.numbers) for _ in range(count)]

        async def call(some: Sequence[int]) -> None:
            ids = [f"in_u{number}" for number in some]
            keys = [secrets.token_hex(12) for _ in some]
            await self.pool.execute(BARE, keys, ids, [new_id() for _ in some], WORKSPACE, b"x" * 400)

        return await rate(count, [numbers[at : at + GROUP] for at in range(0, count, GROUP)], call, 2)

    async def page(self) -> float:
        """Milliseconds for a page of 100 rows, in the median."""
        who = Identity(WORKSPACE, "user:benchmark")
        request = pb.ListInvoicesRequest(show_id=SHOW, page_size=100)
        times = []
        for _ in range(200):
            began = time.perf_counter()
            await self.client.call(self.stub.ListInvoices, request, who)
            times.append(time.perf_counter() - began)
        return sorted(times)[100] * 1000


async def rate(count: int, groups: Sequence[Group], call: Callable[[Group], Awaitable[None]], at_once: int) -> float:
    waiting = iter(groups)

    async def work() -> None:
        for group in waiting:
            await call(group)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return count / (time.perf_counter() - began)


async def measure(stack: Stack, pool: Pool, count: int) -> None:
    await pool.execute(FILL, WORKSPACE, SHOW, 13 * count)
    await pool.execute("ANALYZE")
    client = GrpcClient(stack.address("invoicing"), "invoicing", Signer("gateway", Secret(stack.seeds["gateway"])))
    bench = Bench(pool, client)
    await bench.through_grpc(count, group=GROUP, at_once=2)  # warm
    ways: dict[str, Callable[[], Awaitable[float]]] = {
        f"bare statement, {GROUP} events, 2 at once": lambda: bench.bare(count),
        f"gRPC, {GROUP} events a call, 2 at once (one gateway)": lambda: bench.through_grpc(
            count, group=GROUP, at_once=2
        ),
        f"gRPC, {GROUP} events a call, 32 at once": lambda: bench.through_grpc(count, group=GROUP, at_once=32),
        "gRPC, 1 event a call, 32 at once": lambda: bench.through_grpc(count, group=1, at_once=32),
    }
    best: dict[str, float] = dict.fromkeys(ways, 0.0)
    for _ in range(3):
        for name, way in ways.items():
            best[name] = max(best[name], await way())
    print("| | events/s | of the bare statement |\n|---|---|---|")
    for name, found in best.items():
        print(f"| {name} | {found:,.0f} | {found / next(iter(best.values())):.0%} |")
    print(f"a page of 100 rows through gRPC: {await bench.page():.1f} ms", flush=True)
    await client.close()


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(Path(folder, "postgres"), free_port(), secrets.token_urlsafe(16))
        nats = Nats(Path(folder, "nats"), free_port(), secrets.token_urlsafe(16))
        programs = (postgres.prepare(), nats.prepare())
        servers = [Child(server, Path(folder, f"{number}.log")) for number, server in enumerate(programs)]
        try:
            for server in servers:
                await server.start()
            url = await postgres.create_database("invoicing", "benchmark")
            stack = Stack(Path(folder), {"invoicing": url}, nats.url)
            stack.settings = {"invoicing": {"LOG_LEVEL": "WARNING"}}
            async with running_stack(stack, "invoicing"):
                pool = await open_pool(Secret(url), "benchmark")
                await measure(stack, pool, count)
                await pool.close()
        finally:
            for server in reversed(servers):
                await server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3200))
