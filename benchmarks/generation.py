"""Invoices made per second, against the sandbox: without any limit, and with 120 ms latency and Stripe's limits.

Run: .venv/bin/python -m benchmarks.generation [buyers ...]

Real processes: sandbox, integrations and invoicing, one of each, with an embedded Postgres (fsync on) and NATS. Six
items a buyer. The clock runs from StartGeneration to the end of the run; the share is of the theoretical ceiling, which
is the limit of one operation (25/s) or, in test mode, of the account (25/s over 4 calls an invoice).
"""

import asyncio
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.cli.child import Child
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.cli.rest import Rest
from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.tokens import Signer
from services.rpc.showbill.integrations.v1 import integrations_pb2 as keys
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as keys_rpc
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc
from tests.e2e.stack import Stack, running_stack
from tests.waiting import free_port

ITEMS_A_BUYER: Final = 6
CALLS_AN_INVOICE: Final = 4


@dataclass(frozen=True)
class Case:
    name: str
    livemode: bool
    latency_ms: float
    limited: bool
    ceiling: float | None
    """Invoices per second; None where nothing but the machine limits."""


CASES: Final = (
    Case("no latency, no limits", False, 0, False, None),
    Case("120 ms, no limits", False, 120, False, None),
    Case("120 ms, live limits (100/s, 25/s an operation)", True, 120, True, 25),
    Case("120 ms, test limits (25/s in all)", False, 120, True, 25 / CALLS_AN_INVOICE),
)


async def measure(stack: Stack, sandbox: Rest, case: Case, buyers: int) -> str:
    await sandbox.call(
        "PUT", "/_sandbox/settings", {"latency_ms": case.latency_ms, "rate_limits": {"enabled": case.limited}}
    )
    account = await sandbox.call("POST", "/_sandbox/accounts", {"name": case.name, "country": "GB"})
    who = Identity(new_id(), "user:benchmark")
    signer = Signer("gateway", Secret(stack.seeds["gateway"]))
    integrations = GrpcClient(stack.address("integrations"), "integrations", signer)
    invoicing = GrpcClient(stack.address("invoicing"), "invoicing", signer)
    mode = "live" if case.livemode else "test"
    connect = keys.ConnectIntegrationRequest(
        provider="stripe",
        credentials={"secret_key": account["keys"][f"sk_{mode}"], "publishable_key": account["keys"][f"pk_{mode}"]},
    )
    await integrations.call(
        keys_rpc.IntegrationsServiceStub(integrations.channel).ConnectIntegration, connect, who, timeout=30
    )
    show_id = await make_show(invoicing, who, buyers)

    stub = rpc.InvoicesServiceStub(invoicing.channel)
    began = time.perf_counter()
    started = await invoicing.call(stub.StartGeneration, pb.StartGenerationRequest(show_id=show_id), who)
    generation = started.generation
    starting = time.perf_counter() - began
    while generation.state == pb.GENERATION_STATE_RUNNING:
        await asyncio.sleep(0.05)
        asked = pb.GetGenerationRequest(generation_id=generation.id)
        generation = (await invoicing.call(stub.GetGeneration, asked, who)).generation
    seconds = time.perf_counter() - began

    calls = (await sandbox.call("GET", "/_sandbox/calls", params={"account": account["id"]}))["operations"]
    await integrations.close()
    await invoicing.close()
    rate = buyers / seconds
    share = f"{rate / case.ceiling:.0%}" if case.ceiling else ""
    limited = sum(operation["limited"] for operation in calls.values())
    made = sum(operation["calls"] for name, operation in calls.items() if name.startswith(("invoices.", "customers.")))
    assert generation.created_count == buyers, generation
    return (
        f"| {case.name} | {buyers} | {starting * 1000:.0f} ms | {seconds:.1f} s | {rate:.1f} | {share} "
        f"| {made / buyers:.2f} | {limited} |"
    )


async def make_show(invoicing: GrpcClient, who: Identity, buyers: int) -> str:
    stub = rpc.ShowsServiceStub(invoicing.channel)
    show = (await invoicing.call(stub.CreateShow, pb.CreateShowRequest(name="Benchmark", currency="GBP"), who)).show
    items = [
        pb.Item(item_number=str(number), title=f"Item {number}", price=1000 + number) for number in range(ITEMS_A_BUYER)
    ]
    await invoicing.call(stub.UpsertItems, pb.UpsertItemsRequest(show_id=show.id, items=items), who)
    claims = [
        pb.Claim(
            claim_id=f"{buyer}-{item}",
            platform="facebook",
            platform_user_id=f"u{buyer}",
            user_handle=f"@u{buyer}",
            item_number=str(item),
            quantity=1,
            status=pb.CLAIM_STATUS_WINNER,
        )
        for buyer in range(buyers)
        for item in range(ITEMS_A_BUYER)
    ]
    for claim in claims:
        claim.claim_time.GetCurrentTime()
    for first in range(0, len(claims), 5000):
        batch = pb.IngestClaimsRequest(show_id=show.id, claims=claims[first : first + 5000])
        await invoicing.call(stub.IngestClaims, batch, who, timeout=30)
    await invoicing.call(stub.EndShow, pb.EndShowRequest(show_id=show.id), who)
    return show.id


async def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(Path(folder, "postgres"), free_port(), secrets.token_urlsafe(16))
        nats = Nats(Path(folder, "nats"), free_port(), secrets.token_urlsafe(16))
        programs = (postgres.prepare(), nats.prepare())
        servers = [Child(server, Path(folder, f"{number}.log")) for number, server in enumerate(programs)]
        try:
            for server in servers:
                await server.start()
            databases = {
                name: await postgres.create_database(name, "benchmark", role=name)
                for name in ("integrations", "invoicing")
            }
            stack = Stack(Path(folder), databases, nats.url)
            print("| case | buyers | start | all | invoices/s | of the ceiling | calls an invoice | 429 |")
            print("|---|---|---|---|---|---|---|---|")
            for case in CASES:
                limits = {"LIVE": "100", "TEST": "25", "PER_OPERATION": "25"} if case.limited else {}
                stack.settings = {"integrations": {f"STRIPE_RATE_{name}": rate for name, rate in limits.items()}}
                names = ("sandbox", "integrations", "invoicing")
                async with running_stack(stack, *names), Rest(stack.url("sandbox"), "") as sandbox:
                    for buyers in sizes:
                        print(await measure(stack, sandbox, case, buyers), flush=True)
        finally:
            for server in reversed(servers):
                await server.stop()


if __name__ == "__main__":
    asyncio.run(main([int(size) for size in sys.argv[1:]] or [200]))
