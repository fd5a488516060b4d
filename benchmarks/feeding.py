"""Claims and CSV lines taken per second: in batches and in a stream over gRPC, and as a file through the gateway.

Run: .venv/bin/python -m benchmarks.feeding [claims]

Real processes: Postgres (fsync on), NATS, integrations, invoicing and the gateway; the client is this process. Each way
fills a show of its own, with five claims a buyer, and then says the same again, which changes nothing.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from benchmarks.throughput import servers
from services.cli.rest import Rest
from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.tokens import Signer
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc
from tests.e2e.stack import Stack, running_stack

ITEMS: Final = 200
BATCH: Final = 1_000
CLAIMED_AT: Final = "2026-11-01T10:00:00Z"


class Bench:
    def __init__(self, stack: Stack, rest: Rest, count: int) -> None:
        signer = Signer("gateway", Secret(stack.seeds["gateway"]))
        self.client = GrpcClient(stack.address("invoicing"), "invoicing", signer)
        self.who = Identity(new_id(), "user:benchmark")
        self.stub = rpc.ShowsServiceStub(self.client.channel)
        self.rest = rest
        self.count = count
        self._batches = [
            [_claim(number) for number in range(first, min(first + BATCH, count))] for first in range(0, count, BATCH)
        ]

    async def show(self) -> str:
        request = pb.CreateShowRequest(name="Benchmark", currency="GBP")
        show = (await self.client.call(self.stub.CreateShow, request, self.who)).show
        items = [pb.Item(item_number=str(number), title=f"Item {number}", price=500) for number in range(ITEMS)]
        await self.client.call(self.stub.UpsertItems, pb.UpsertItemsRequest(show_id=show.id, items=items), self.who)
        return show.id

    async def batches(self, show_id: str) -> None:
        """One call after the other."""
        for claims in self._batches:
            request = pb.IngestClaimsRequest(show_id=show_id, claims=claims)
            await self.client.call(self.stub.IngestClaims, request, self.who, timeout=60)

    async def stream(self, show_id: str, *, whole: bool = False) -> None:
        async def requests() -> AsyncIterator[pb.StreamClaimsRequest]:
            for claims in self._batches:
                yield pb.StreamClaimsRequest(show_id=show_id, claims=claims, all_or_none=whole)

        await self.client.feed(self.stub.StreamClaims, requests(), self.who)

    async def file_show(self) -> str:
        made = await self.rest.call("POST", "/api/shows", {"name": "Benchmark", "currency": "GBP"})
        lines = "".join(f"{number},Item {number},500\n" for number in range(ITEMS))
        items = ("item_number,title,price_minor\n" + lines).encode()
        await self.rest.call("POST", f"/api/shows/{made['id']}/imports/items", csv=items)
        return str(made["id"])

    async def file(self, show_id: str) -> None:
        lines = [
            f"c{number},facebook,u{number // 5},@u{number // 5},{number % ITEMS},1,winner,{CLAIMED_AT}\n"
            for number in range(self.count)
        ]
        head = "claim_id,platform,platform_user_id,user_handle,item_number,quantity,status,claimed_at\n"
        report = await self.rest.call(
            "POST", f"/api/shows/{show_id}/imports/claims", csv=(head + "".join(lines)).encode()
        )
        assert not report["rejectedCount"], report


def _claim(number: int) -> pb.Claim:
    claim = pb.Claim(
        claim_id=f"c{number}",
        platform="facebook",
        platform_user_id=f"u{number // 5}",
        user_handle=f"@u{number // 5}",
        item_number=str(number % ITEMS),
        quantity=1,
        status=pb.CLAIM_STATUS_WINNER,
    )
    claim.claim_time.seconds = 1_793_527_200
    return claim


async def measure(name: str, count: int, show_id: str, way: Callable[[str], Awaitable[None]]) -> None:
    rates = []
    for _ in range(2):
        began = time.perf_counter()
        await way(show_id)
        rates.append(count / (time.perf_counter() - began))
    print(f"| {name} | {rates[0]:,.0f} | {rates[1]:,.0f} |", flush=True)


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder), "integrations", "invoicing", "gateway") as stack:
            quiet = {"LOG_LEVEL": "WARNING"}
            stack.settings = dict.fromkeys(("integrations", "invoicing", "gateway"), quiet)
            async with running_stack(stack, "integrations", "invoicing", "gateway"):
                token = await stack.make_owner("Benchmark", "bench@example.com", "correct horse battery")
                async with Rest(stack.url("gateway"), token, patience=600) as rest:
                    bench = Bench(stack, rest, count)
                    print("| claims | new, a second | the same again, a second |\n|---|---|---|")
                    await measure(f"batches of {BATCH:,}", count, await bench.show(), bench.batches)
                    await measure(f"a stream of batches of {BATCH:,}", count, await bench.show(), bench.stream)
                    await measure(
                        "a stream, all or none", count, await bench.show(), lambda show: bench.stream(show, whole=True)
                    )
                    await measure("a CSV file through the gateway", count, await bench.file_show(), bench.file)
                    await bench.client.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
