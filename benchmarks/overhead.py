"""What our own code costs beside the bare SDK: provider calls per second of one process against an instant provider.

Run: .venv/bin/python -m benchmarks.overhead [invoices]

An invoice is four calls (customer, draft, six lines at once, finalize), sixteen invoices under way at a time. The
provider is a process of its own and answers with what the sandbox said, without work. Four ways take turns in rounds:

- SDK: the SDK's own typed methods with its aiohttp client.
- SDK, raw: the same calls by its raw requests, which build no objects. Ours are made that way too.
- adapter: ours, without pace and database.
- rpc: CreateInvoice of a running service: token, keys opened, terms fixed, customer book, pace, all in Postgres.

The processor time of the process under test is what is compared: beside it, provider, Postgres and the caller share the
machine's cores. The share is what ours takes beyond the SDK (beyond its raw requests), of ours.
"""

import asyncio
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
import stripe

from benchmarks.instant import STEPS
from services.cli.child import Child, Program
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.common.context import Identity
from services.common.ids import new_id
from services.integrations.adapters.stripe.adapter import StripeAdapter
from services.integrations.adapters.stripe.keys import read_keys
from services.integrations.connection_values import Link
from services.integrations.invoice_values import Buyer, InvoiceOrder, Line
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.sandbox import Account, Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.fakes.book import MemoryBook
from tests.fakes.pace import NoPace
from tests.integrations.caller import Caller
from tests.waiting import free_port

CALLS: Final = len(STEPS)
UNDER_WAY: Final = 16
ROUNDS: Final = 5
PRICES: Final = tuple(1000 + number for number in range(6))

Make = Callable[[], Awaitable[object]]


class Bare:
    """The four calls as one writes them with the SDK alone."""

    def __init__(self, base: str, key: str) -> None:
        stripe.enable_telemetry = False
        self._http = stripe.AIOHTTPClient(
            timeout=cast(Any, aiohttp.ClientTimeout(total=20)), connector=aiohttp.TCPConnector(limit=0)
        )
        self._client = stripe.StripeClient(
            key, base_addresses={"api": base}, http_client=self._http, max_network_retries=0
        )
        self.answers: dict[str, Any] = {}

    async def make(self) -> None:
        wanted, v1 = _requests(new_id()), self._client.v1
        customer = await v1.customers.create_async(*wanted["customer"])
        params, options = wanted["create"]
        created = await v1.invoices.create_async(cast(Any, {**params, "customer": customer.id}), options)
        added = await v1.invoices.add_lines_async(created.id, *wanted["add_lines"])
        assert added.total == sum(PRICES)
        done = await v1.invoices.finalize_invoice_async(created.id, *wanted["finalize"])
        assert done.status == "open"
        self.answers = dict(zip(STEPS, (customer, created, added, done), strict=True))

    async def make_raw(self) -> None:
        wanted = _requests(new_id())
        customer = await self._raw("/v1/customers", *wanted["customer"])
        params, options = wanted["create"]
        created = await self._raw("/v1/invoices", {**params, "customer": customer["id"]}, options)
        added = await self._raw(f"/v1/invoices/{created['id']}/add_lines", *wanted["add_lines"])
        assert added["total"] == sum(PRICES)
        done = await self._raw(f"/v1/invoices/{created['id']}/finalize", *wanted["finalize"])
        assert done["status"] == "open"

    async def _raw(self, path: str, params: Any, options: Any) -> Any:
        send = cast(Any, self._client.raw_request_async)
        return (await send("post", path, **params, **options)).data

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]


def _requests(mark: str) -> dict[str, tuple[Any, Any]]:
    """Parameters and options of each step."""
    lines = [{"amount": price, "description": f"1 × Item {price}", "metadata": {"quantity": "1"}} for price in PRICES]
    parameters: tuple[Any, ...] = (
        {
            "name": "@maya",
            "description": "@maya on tiktok",
            "metadata": {"platform": "tiktok", "platform_user_id": mark},
        },
        {
            "currency": "gbp",
            "auto_advance": False,
            "pending_invoice_items_behavior": "exclude",
            "collection_method": "charge_automatically",
            "description": "Friday live",
            "metadata": {"invoice": mark, "revision": "1", "workspace": mark},
        },
        {"lines": lines},
        {"auto_advance": False},
    )
    return {step: (one, {"idempotency_key": f"inv:{mark}:{step}"}) for step, one in zip(STEPS, parameters, strict=True)}


def adapter_maker(adapter: StripeAdapter, link: Link) -> Make:
    lines = [Line(str(price), f"Item {price}", 1, price, price) for price in PRICES]

    async def make() -> None:
        order = InvoiceOrder(
            invoice_id=new_id(),
            revision=1,
            attempt=1,
            first_attempt_time=None,
            buyer=Buyer("tiktok", new_id(), "@maya"),
            currency="GBP",
            lines=lines,
            total=sum(PRICES),
            keep_draft=False,
            memo="Friday live",
            days_until_due=7,
        )
        await adapter.create_invoice(link, order)

    return make


def rpc_maker(caller: Caller, who: Identity, account: Account) -> Make:
    lines = [
        pb.InvoiceLine(item_number=str(price), title=f"Item {price}", quantity=1, unit_price=price, amount=price)
        for price in PRICES
    ]

    async def make() -> None:
        request = pb.CreateInvoiceRequest(
            provider="stripe",
            invoice_id=new_id(),
            revision=1,
            attempt=1,
            account_id=account.id,
            buyer=pb.InvoiceBuyer(platform="tiktok", platform_user_id=new_id(), handle="@maya"),
            currency="GBP",
            lines=lines,
            total=sum(PRICES),
            show_name="Friday live",
            show_date="2026-11-20",
        )
        await caller.create(who, request)

    return make


@dataclass(frozen=True)
class Way:
    name: str
    make: Make
    processor: Callable[[], float]
    """Seconds of processor time that the process under test has used."""


async def round_of(way: Way, invoices: int) -> tuple[float, float]:
    """Seconds and seconds of processor time for one provider call."""
    began, used = time.perf_counter(), way.processor()
    left = iter(range(invoices))

    async def hand() -> None:
        for _ in left:
            await way.make()

    await asyncio.gather(*(hand() for _ in range(UNDER_WAY)))
    calls = invoices * CALLS
    return (time.perf_counter() - began) / calls, (way.processor() - used) / calls


def processor_of(pid: int) -> Callable[[], float]:
    def used() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    return used


async def compare(ways: list[Way], invoices: int) -> None:
    taken: dict[str, list[tuple[float, float]]] = {way.name: [] for way in ways}
    for way in ways:
        await round_of(way, UNDER_WAY * 2)  # warm
    for number in range(ROUNDS):
        for way in ways if number % 2 else reversed(ways):
            taken[way.name].append(await round_of(way, invoices))
    middle = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in taken.items()}
    typed, raw = (middle[way.name][1] for way in ways[:2])
    print("| way | calls/s | processor time a call | share beyond the SDK | beyond its raw requests |")
    print("|---|---|---|---|---|")
    for name, (seconds, used) in middle.items():
        shares = " | ".join(f"{(used - bare) / used:.0%}" if used > bare else "none" for bare in (typed, raw))
        print(f"| {name} | {1 / seconds:,.0f} | {used * 1000:.2f} ms | {shares} |")


async def listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def record(stack: Stack, who: Identity) -> tuple[Account, Path]:
    """Connects a fresh account through the sandbox; answers it, and what the sandbox answers to the four calls."""
    async with running_stack(stack, "sandbox", "integrations"):
        sandbox, caller = Sandbox(stack.url("sandbox")), Caller(stack.address("integrations"), stack.seeds)
        await sandbox.set_limits(False)
        account = await sandbox.make_account("overhead")
        await caller.connect(who, keys_of(account))
        bare = Bare(stack.url("sandbox"), account.sk_test)
        await bare.make()
        answers = json.dumps({step: json.loads(str(answer)) for step, answer in bare.answers.items()})
        file = stack.folder / "answers.json"
        await asyncio.to_thread(file.write_text, answers)
        await bare.close()
        await caller.close()
        await sandbox.close()
    return account, file


def keys_of(account: Account, *, live: bool = False) -> dict[str, str]:
    secret, publishable = (account.sk_live, account.pk_live) if live else (account.sk_test, account.pk_test)
    return {"secret_key": secret, "publishable_key": publishable}


@asynccontextmanager
async def instant_provider(folder: Path, answers: Path) -> AsyncIterator[str]:
    """Its base address, for the length of a block."""
    port = free_port()
    instant = Child(
        Program(
            name="instant",
            argv=(sys.executable, "-m", "benchmarks.instant", str(port), str(answers)),
            ready=lambda _pid: listening(port),
            environment={"PATH": os.environ["PATH"]},
        ),
        folder / "instant.log",
    )
    await instant.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await instant.stop()


async def measure(stack: Stack, invoices: int) -> None:
    who = Identity(new_id(), "user:benchmark")
    account, answers = await record(stack, who)
    async with instant_provider(stack.folder, answers) as base:
        stack.settings = {"integrations": {"STRIPE_API_BASE": base}}
        async with running_stack(stack, "integrations"):
            bare = Bare(base, account.sk_test)
            adapter = StripeAdapter(base, base, NoPace(), MemoryBook())
            caller = Caller(stack.address("integrations"), stack.seeds)
            link = Link(who.workspace_id, new_id(), account.id, False, read_keys(keys_of(account)))
            ways = [
                Way("SDK", bare.make, time.process_time),
                Way("SDK, raw", bare.make_raw, time.process_time),
                Way("adapter", adapter_maker(adapter, link), time.process_time),
                Way("rpc", rpc_maker(caller, who, account), processor_of(stack.children["integrations"].pid)),
            ]
            await compare(ways, invoices)
            await caller.close()
            await adapter.close()
            await bare.close()


async def main(invoices: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(Path(folder, "postgres"), free_port(), secrets.token_urlsafe(16))
        nats = Nats(Path(folder, "nats"), free_port(), secrets.token_urlsafe(16))
        programs = (await asyncio.to_thread(postgres.prepare), nats.prepare())
        servers = [Child(server, Path(folder, f"{number}.log")) for number, server in enumerate(programs)]
        try:
            for server in servers:
                await server.start()
            databases = {"integrations": await postgres.create_database("integrations", "benchmark")}
            await measure(Stack(Path(folder), databases, nats.url), invoices)
        finally:
            for server in reversed(servers):
                await server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 250))
