"""The messaging service of the documentation, as a process of its own, on real NATS and gRPC."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from services.cli.embedded.nats import Nats
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import SEEDS, Replica
from tests.invoicing.fake_provider import FakeProvider
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
DM = pb.DELIVERY_CHANNEL_DM


@asynccontextmanager
async def messaging(replica: Replica, nats: Nats) -> AsyncIterator[asyncio.StreamReader]:
    """Runs it; what it prints can be read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "examples" / "messaging.py")),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "NATS_URL": nats.url,
            "INVOICING_ADDRESS": replica.address,
            "SERVICE_SIGNING_KEY": SEEDS["messaging"],
        },
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.terminate()
        await process.wait()


async def state_of(caller: Caller, invoice: pb.Invoice) -> pb.DeliveryState.ValueType:
    return (await caller.deliveries(invoice)).deliveries[-1].state


@pytest.mark.timeout(120)
async def test_messages_are_sent_and_reported_even_those_of_its_absence(
    caller: Caller, provider: FakeProvider, replica: Replica, nats: Nats
) -> None:
    show_id = await caller.small_show(3)
    await caller.generate(show_id)
    first, second, third = await caller.listed(show_id)
    asked = (await caller.send(first, DM)).delivery  # while nobody listens

    async def reported(invoice: pb.Invoice, state: pb.DeliveryState.ValueType) -> bool:
        return await state_of(caller, invoice) == state

    async with messaging(replica, nats) as printed:
        await eventually(lambda: reported(first, pb.DELIVERY_STATE_DELIVERED), timeout=60)
        provider.connected = provider.connected and replace(provider.connected, message_template="Long. " * 300)
        await caller.send(second, DM)
        await eventually(lambda: reported(second, pb.DELIVERY_STATE_FAILED), timeout=30)
    lines = (await printed.read()).decode()
    assert f"to @u00000 on facebook: {asked.message}" in lines
    (failed,) = (await caller.deliveries(second)).deliveries
    assert failed.reason == "The message is longer than the 1000 characters that facebook takes."
    statuses = [(row.status, row.send_count) for row in await caller.listed(show_id)]
    draft = (pb.INVOICE_STATUS_DRAFT, 0)
    assert statuses == [(pb.INVOICE_STATUS_SENT, 1), draft, draft]
    assert not (await caller.deliveries(third)).deliveries
