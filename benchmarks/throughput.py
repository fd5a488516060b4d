"""What generating and sending takes of the machine: invoices a second and a core, replicas, fairness, links sent.

Run: .venv/bin/python -m benchmarks.throughput [buyers]

Real processes: Postgres (fsync on), NATS, integrations and invoicing, and a provider that answers at once, so that
nothing is paced and what is measured is our own share. For fairness the provider is the sandbox with 120 ms and the
limits of Stripe in live mode, where the pace and not the machine decides.
"""

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from benchmarks.generation import make_show
from benchmarks.overhead import instant_provider, keys_of, processor_of, record
from services.cli.child import Child
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.tokens import Signer
from services.rpc.showbill.integrations.v1 import integrations_pb2 as keys_pb
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as keys_rpc
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.waiting import free_port

SMALL: Final = 25
"""Buyers of the small show beside a giant one."""


class Shop:
    """A workspace at one invoicing process."""

    def __init__(self, stack: Stack, who: Identity, server: str = "invoicing") -> None:
        self.who = who
        self.client = GrpcClient(stack.address(server), "invoicing", Signer("gateway", Secret(stack.seeds["gateway"])))
        self.stub = rpc.InvoicesServiceStub(self.client.channel)

    async def start(self, show_id: str) -> str:
        request = pb.StartGenerationRequest(show_id=show_id)
        return (await self.client.call(self.stub.StartGeneration, request, self.who, timeout=60)).generation.id

    async def finished(self, generation_id: str, count: int) -> None:
        while True:
            request = pb.GetGenerationRequest(generation_id=generation_id)
            run = (await self.client.call(self.stub.GetGeneration, request, self.who, timeout=60)).generation
            if run.state != pb.GENERATION_STATE_RUNNING:
                assert run.created_count == count, run
                return
            await asyncio.sleep(0.05)

    async def generate(self, show_id: str, count: int) -> float:
        """Seconds."""
        began = time.perf_counter()
        await self.finished(await self.start(show_id), count)
        return time.perf_counter() - began

    async def send(self, show_id: str) -> float:
        """Links handed to the messaging service a second."""
        request = pb.SendInvoicesRequest(
            show_id=show_id, channel=pb.DELIVERY_CHANNEL_DM, pay_link_base="https://pay.example"
        )
        began = time.perf_counter()
        sending = (await self.client.call(self.stub.SendInvoices, request, self.who, timeout=60)).sending
        while sending.queued_count:
            await asyncio.sleep(0.05)
            asked = pb.GetSendingRequest(sending_id=sending.id)
            sending = (await self.client.call(self.stub.GetSending, asked, self.who, timeout=60)).sending
        assert sending.requested_count == sending.total_count, sending
        return float(sending.total_count / (time.perf_counter() - began))


async def unpaced(stack: Stack, who: Identity, buyers: int, servers: Sequence[str], *, send: bool = False) -> None:
    """One line of the table: processes of invoicing, all on these cores."""
    async with running_stack(stack, "integrations"):
        await stack.start(*servers)  # after the other: else their first call may find nobody
        shop = Shop(stack, who)
        await shop.generate(await make_show(shop.client, who, 50), 50)  # warm
        show_id = await make_show(shop.client, who, buyers)
        processes = {name: processor_of(stack.children[name].pid) for name in stack.children}
        before = {name: used() for name, used in processes.items()}
        seconds = await shop.generate(show_id, buyers)
        taken = {name: used() - before[name] for name, used in processes.items()}
        ours = sum(taken.values())
        each = ", ".join(f"{name} {spent / buyers * 1000:.1f} ms" for name, spent in taken.items())
        print(f"| {len(servers)} | {buyers} | {buyers / seconds:.0f} | {buyers / ours:.0f} | {each} |", flush=True)
        if send:
            print(f"links sent over dm: {await shop.send(show_id):.0f}/s", flush=True)
        await shop.client.close()


async def fairness(stack: Stack, buyers: int) -> None:
    """A small show that begins while a giant one of another connection, and of the same, is being made."""
    limits = {"LIVE": "100", "TEST": "25", "PER_OPERATION": "25"}
    stack.settings = {"integrations": {f"STRIPE_RATE_{name}": rate for name, rate in limits.items()}}
    async with running_stack(stack, "sandbox", "integrations", "invoicing"):
        sandbox = Sandbox(stack.url("sandbox"))
        await sandbox.rest.call("PUT", "/_sandbox/settings", {"latency_ms": 120, "rate_limits": {"enabled": True}})
        giant, other = [await connected(stack, sandbox) for _ in range(2)]
        alone = await giant.generate(await make_show(giant.client, giant.who, SMALL), SMALL)
        begun = await giant.start(await make_show(giant.client, giant.who, buyers))
        beside = await giant.generate(await make_show(giant.client, giant.who, SMALL), SMALL)
        elsewhere = await other.generate(await make_show(other.client, other.who, SMALL), SMALL)
        request = pb.GetGenerationRequest(generation_id=begun)
        run = (await giant.client.call(giant.stub.GetGeneration, request, giant.who)).generation
        assert run.state == pb.GENERATION_STATE_RUNNING, "the giant was too small to stand beside"
        print(
            f"small show of {SMALL}: alone {alone:.1f} s; beside one of {buyers} at the same account {beside:.1f} s,"
            f" {beside / alone / 2:.2f} of its half of the pace; at another account {elsewhere:.1f} s,"
            f" {elsewhere / alone:.2f} of alone"
        )
        await giant.client.close()
        await other.client.close()
        await sandbox.close()


async def connected(stack: Stack, sandbox: Sandbox) -> Shop:
    account = await sandbox.make_account("fair")
    who = Identity(new_id(), "user:benchmark")
    client = GrpcClient(
        stack.address("integrations"), "integrations", Signer("gateway", Secret(stack.seeds["gateway"]))
    )
    request = keys_pb.ConnectIntegrationRequest(provider="stripe", credentials=keys_of(account, live=True))
    await client.call(keys_rpc.IntegrationsServiceStub(client.channel).ConnectIntegration, request, who, timeout=60)
    await client.close()
    return Shop(stack, who)


@asynccontextmanager
async def servers(folder: Path, *names: str) -> AsyncIterator[Stack]:
    """Postgres with a database for each service, and NATS, for the length of a block."""
    postgres = Postgres(folder / "postgres", free_port(), secrets.token_urlsafe(16))
    nats = Nats(folder / "nats", free_port(), secrets.token_urlsafe(16))
    programs = (await asyncio.to_thread(postgres.prepare), nats.prepare())
    running = [Child(server, folder / f"{number}.log") for number, server in enumerate(programs)]
    try:
        for server in running:
            await server.start()
        databases = {name: await postgres.create_database(name, "benchmark", role=name) for name in names}
        yield Stack(folder, databases, nats.url)
    finally:
        for server in reversed(running):
            await server.stop()


async def main(buyers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder), "integrations", "invoicing") as stack:
            who = Identity(new_id(), "user:benchmark")
            _, answers = await record(stack, who)
            async with instant_provider(stack.folder, answers) as base:
                stack.settings = {
                    "integrations": {"STRIPE_API_BASE": base, "LOG_LEVEL": "WARNING"},
                    "invoicing": {"LOG_LEVEL": "WARNING"},
                }
                print("| invoicing | buyers | invoices/s | a core of ours | processor time an invoice |")
                print("|---|---|---|---|---|")
                await unpaced(stack, who, buyers, ["invoicing"], send=True)
                await unpaced(stack, who, buyers, ["invoicing", "invoicing-2"])
            await fairness(stack, 600)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
