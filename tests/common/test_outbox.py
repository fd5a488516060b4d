"""The outbox on a real Postgres and a real NATS server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats import connect
from nats.aio.msg import Msg

from services.cli.embedded.nats import Nats
from services.common.bus import REQUEST_ID, STREAM, Bus, subject
from services.common.db import Pool, open_pool, transaction
from services.common.ids import new_id
from services.common.migrate import migrate
from services.common.outbox import Message, Outbox
from services.common.secret import Secret
from tests.conftest import Database, running
from tests.waiting import eventually, free_port

TABLE = """-- migrate:up
CREATE TABLE outbox (id uuid PRIMARY KEY, subject text NOT NULL, payload bytea NOT NULL,
                     request_id text NOT NULL, create_time timestamptz NOT NULL DEFAULT clock_timestamp());
-- migrate:down
"""


def message(workspace: str, body: bytes = b"x") -> Message:
    return Message(new_id(), subject(workspace, "show", "invoice.updated"), body, "request-0001")


@pytest.fixture
async def pool(database: Database, tmp_path: Path) -> AsyncIterator[Pool]:
    url = Secret(await database("invoicing"))
    (tmp_path / "0001_outbox.sql").write_text(TABLE)
    await migrate(url, tmp_path)
    pool = await open_pool(url, "test")
    yield pool
    await pool.close()


@asynccontextmanager
async def publishing(pool: Pool, url: str) -> AsyncIterator[Outbox]:
    bus = Bus(Secret(url), "test")
    bus.start()
    outbox = Outbox(pool, bus)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@asynccontextmanager
async def listening(url: str, workspace: str) -> AsyncIterator[list[Msg]]:
    heard: list[Msg] = []

    async def hear(msg: Msg) -> None:
        heard.append(msg)

    client = await connect(url)
    await client.subscribe(subject(workspace, "*", ">"), cb=hear)
    await client.flush()
    try:
        yield heard
    finally:
        await client.close()


async def store(pool: Pool, outbox: Outbox, messages: list[Message]) -> None:
    async with transaction(pool) as connection:
        await outbox.add(connection, messages)


async def empty(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) = 0 FROM outbox"))


async def test_committed_events_are_published_in_order_and_removed(pool: Pool, nats: Nats) -> None:
    messages = [message("w-order", str(number).encode()) for number in range(200)]
    async with listening(nats.url, "w-order") as heard, publishing(pool, nats.url) as outbox:
        await store(pool, outbox, messages)
        outbox.committed(messages)
        await eventually(lambda: empty(pool))
        await eventually(lambda: len(heard) == 200)
    assert [msg.data for msg in heard] == [sent.payload for sent in messages]
    assert heard[0].headers == {"Nats-Msg-Id": messages[0].id, REQUEST_ID: "request-0001"}


async def test_what_a_crash_left_is_swept_once(pool: Pool, nats: Nats) -> None:
    left = [message("w-crash") for _ in range(30)]
    async with listening(nats.url, "w-crash") as heard:
        await store(pool, Outbox(pool, Bus(Secret(nats.url), "crashed")), left)
        async with publishing(pool, nats.url), publishing(pool, nats.url):
            await eventually(lambda: empty(pool))
        await eventually(lambda: len(heard) >= 30)  # what the stream has, its listeners hear in their own time
    assert sorted(msg.headers["Nats-Msg-Id"] for msg in heard if msg.headers) == [sent.id for sent in left]


async def test_the_stream_drops_an_event_that_it_has(pool: Pool, nats: Nats) -> None:
    twice = message("w-twice")
    async with publishing(pool, nats.url) as outbox:
        for _ in range(2):
            await store(pool, outbox, [twice])
            outbox.committed([twice])
            await eventually(lambda: empty(pool))
    client = await connect(nats.url)
    info = await client.jetstream().stream_info(STREAM, subjects_filter=subject("w-twice", "*", ">"))
    await client.close()
    assert info.state.subjects == {twice.subject: 1}


async def test_an_end_in_peace_leaves_nothing_to_be_told_again(
    pool: Pool, nats: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.outbox._REMOVE_EVERY", 60)
    sent = message("w-end")
    async with publishing(pool, nats.url) as outbox:
        await outbox._bus.ready.wait()
        await store(pool, outbox, [sent])
        outbox.committed([sent])
        await eventually(lambda: bool(outbox._published))
        assert not await empty(pool)
    assert await empty(pool)


async def test_events_wait_while_nats_is_away(pool: Pool, tmp_path: Path) -> None:
    server = Nats(tmp_path / "nats", free_port(), "password")
    program = server.prepare()
    waiting = message("w-away")
    async with publishing(pool, server.url) as outbox:
        await store(pool, outbox, [waiting])
        outbox.committed([waiting])
        assert not await empty(pool)
        async with running(program, tmp_path / "nats.log"):
            await eventually(lambda: empty(pool), timeout=20)
