"""The bus on a real NATS server of the test's own."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import nats as nats_client
import pytest
from nats.js.api import StreamConfig

from services.cli.embedded.nats import Nats
from services.common.bus import STREAM, SUBJECTS, Bus, Outgoing
from services.common.secret import Secret
from tests.conftest import running
from tests.waiting import eventually, free_port


@pytest.fixture
async def own_nats(tmp_path: Path) -> AsyncIterator[Nats]:
    server = Nats(tmp_path / "nats", free_port(), secrets.token_urlsafe(16))
    async with running(server.prepare(), tmp_path / "nats.log"):
        yield server


async def test_the_stream_is_made_by_whoever_comes_first(own_nats: Nats) -> None:
    buses = [Bus(Secret(own_nats.url), name) for name in ("invoicing", "integrations", "gateway")]
    for bus in buses:
        bus.start()
    for bus in buses:
        await asyncio.wait_for(bus.ready.wait(), 30)
    info = await buses[0].client.jetstream().stream_info(STREAM)
    assert info.config.subjects == [SUBJECTS]
    for bus in buses:
        await bus.close()


async def test_a_stream_that_the_operator_tuned_is_left_as_it_is(own_nats: Nats) -> None:
    operator = await nats_client.connect(own_nats.url)
    await operator.jetstream().add_stream(StreamConfig(name=STREAM, subjects=[SUBJECTS], max_age=60))
    bus = Bus(Secret(own_nats.url), "invoicing")
    bus.start()
    await asyncio.wait_for(bus.ready.wait(), 30)
    assert await bus.publish([Outgoing("showbill.events.w.s.invoice.updated", b"1", "id-1", {})]) == [True]
    info = await operator.jetstream().stream_info(STREAM)
    assert (info.config.max_age, info.state.messages) == (60, 1)
    await bus.close()
    await operator.close()


async def test_a_bus_that_is_still_connecting_hangs_up() -> None:
    """A server that accepts and says nothing more."""
    came: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
    async with await asyncio.start_server(lambda reader, _: came.put_nowait(reader), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bus = Bus(Secret(f"nats://127.0.0.1:{port}"), "invoicing")
        bus.start()
        reader = await asyncio.wait_for(came.get(), 30)
        await bus.close()
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def test_a_bus_that_has_lost_its_server_connects_no_more_once_closed(tmp_path: Path) -> None:
    server = Nats(tmp_path / "nats", free_port(), secrets.token_urlsafe(16))
    bus = Bus(Secret(server.url), "invoicing")
    async with running(server.prepare(), tmp_path / "nats.log"):
        bus.start()
        await asyncio.wait_for(bus.ready.wait(), 30)
    await eventually(lambda: bus.client.is_reconnecting)
    await bus.close()
    assert bus.client.is_closed
    assert not bus.client.is_reconnecting
