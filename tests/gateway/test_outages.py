"""What a gateway of its own goes through: NATS away, other replicas, clients that do not read."""

import asyncio
import os
import secrets
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.cli.child import Child
from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from services.gateway.realtime import upkeep
from services.gateway.realtime.hub import Hub
from services.gateway.realtime.listener import SESSION_ENDED, TOO_SLOW, Listener
from services.gateway.realtime.upkeep import Upkeep
from tests.conftest import DatabaseMaker
from tests.gateway.harness import Gateway, Owner, paid_event, publisher, running_gateway
from tests.gateway.test_realtime import closed_with, heard
from tests.waiting import eventually, free_port


async def test_sockets_survive_nats_and_are_told_to_read_anew(database_maker: DatabaseMaker, tmp_path: Path) -> None:
    server = Nats(tmp_path, free_port(), secrets.token_urlsafe(16))
    child = Child(server.prepare(), tmp_path / "nats.log")
    await child.start()
    try:
        async with running_gateway(await database_maker.make("gateway"), server.url) as gateway:
            owner = await gateway.make_owner()
            show = gateway.own_show(owner.workspace_id, seq=4)
            async with owner.client.listen(f"?show_id={show}") as client:
                await heard(client, 1)
                os.kill(child.pid, 9)
                await child.wait()
                assert (await owner.client("GET", "/api/session")).status == 200
                child = Child(server.prepare(), tmp_path / "nats.log")
                await child.start()
                (resync,) = await heard(client, 1)
                assert resync["type"] == "resync"
                async with publisher(server.url) as publish:
                    await publish(paid_event(owner.workspace_id, show, 9))
                assert (await heard(client, 1))[0]["seq"] == 9
    finally:
        await child.stop()


async def test_a_gateway_starts_and_works_without_nats(database_maker: DatabaseMaker) -> None:
    nowhere = f"nats://127.0.0.1:{free_port()}"
    async with running_gateway(await database_maker.make("gateway"), nowhere, wants_events=False) as gateway:
        owner = await gateway.make_owner()
        health = (await gateway.client()("GET", "/api/health")).json
        assert (health["status"], health["events"]) == ("ok", "away")
        async with owner.client.listen() as client:
            assert (await heard(client, 1))[0]["type"] == "hello"


ENDINGS = {
    "ended": "DELETE FROM sessions WHERE id = $1",
    "expired": "UPDATE sessions SET expires_at = now() WHERE id = $1",
    "unused": "UPDATE sessions SET last_seen_at = now() - interval '8 days' WHERE id = $1",
    "member removed": "DELETE FROM memberships WHERE user_id = (SELECT user_id FROM sessions WHERE id = $1)",
    "token revoked": "UPDATE api_tokens SET revoked_at = now() WHERE id = $1",
    "token expired": "UPDATE api_tokens SET expires_at = now() WHERE id = $1",
}


async def test_whatever_ends_elsewhere_closes_its_sockets_here(gateway: Gateway, owner: Owner) -> None:
    hub, find = Hub(), "SELECT id::text FROM sessions WHERE user_id = $1"
    kept = (await gateway.pool.fetchval("SELECT id::text FROM api_tokens WHERE workspace_id = $1", owner.workspace_id),)
    held = {"kept": Listener(owner.workspace_id, "", *kept)}
    for name in ENDINGS:
        if name.startswith("token"):
            credential = (await owner.client("POST", "/api/tokens", {"name": name})).json["id"]
        else:
            credential = await gateway.pool.fetchval(find, (await gateway.make_member(owner)).user_id)
        held[name] = Listener(owner.workspace_id, "", credential)
    for one in held.values():
        hub.add(one)
    for name, ending in ENDINGS.items():
        await gateway.pool.execute(ending, held[name].credential_id)
    await Upkeep(gateway.pool, hub).recheck()
    assert {name: one.ended.result() for name, one in held.items() if one.ended.done()} == dict.fromkeys(
        ENDINGS, SESSION_ENDED
    )


async def test_upkeep_goes_on_whatever_went_wrong(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "RECHECK", 0.01)
    swept, broken = asyncio.Event(), RuntimeError("nobody foresaw it")

    async def breaks() -> None:
        raise broken

    async def sweeps() -> None:
        swept.set()

    hub = Hub()
    listening = Listener(new_id(), "", new_id())  # of a session that is none
    hub.add(listening)
    beside = Upkeep(gateway.pool, hub, (breaks, sweeps))
    rechecks = iter([broken])

    async def recheck(self: Upkeep) -> None:
        for error in rechecks:
            raise error
        await real(self)

    real = Upkeep.recheck
    monkeypatch.setattr(Upkeep, "recheck", recheck)
    running = asyncio.create_task(beside.run())
    await asyncio.wait_for(swept.wait(), 30)
    assert await asyncio.wait_for(listening.ended, 30) == SESSION_ENDED
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def raw_socket(gateway: Gateway, token: str) -> socket.socket:
    """A WebSocket whose client has shaken hands and then reads nothing, with next to no room in between."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, (gateway.config.http_listen.host, gateway.config.http_listen.port))
    lines = (
        "GET /api/realtime HTTP/1.1",
        "Host: showbill",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {token}",
        "",
        "",
    )
    await loop.sock_sendall(raw, "\r\n".join(lines).encode())
    assert (await loop.sock_recv(raw, 12)) == b"HTTP/1.1 101"
    return raw


async def test_a_client_that_does_not_read_hurts_no_neighbour(gateway: Gateway, owner: Owner) -> None:
    events = 6_000
    raw = await raw_socket(gateway, owner.token)
    loop = asyncio.get_running_loop()
    async with owner.client.listen() as neighbour, publisher(gateway.nats_url) as publish:
        await heard(neighbour, 1)

        async def listen() -> set[str]:
            told: set[str] = set()
            while len(told) < events:
                (message,) = await heard(neighbour, 1)
                told.add(message["id"])
            return told

        listening = asyncio.create_task(listen())
        published = []
        for place in range(events):
            event = paid_event(owner.workspace_id, new_id(), 1)
            published.append(event.id)
            await publish(event, flush=place % 100 == 0)
        assert await listening == set(published)
    taken = bytearray()
    too_slow = TOO_SLOW.to_bytes(2, "big")  # how a close frame ends that could still be sent
    while not taken.endswith(too_slow) and (chunk := await asyncio.wait_for(loop.sock_recv(raw, 65536), 20)):
        taken += chunk
    raw.close()
    assert taken.count(b'"invoice.updated"') < events  # it was let go; nothing was kept for it


async def test_an_ended_gateway_closes_sockets_with_1012(database_maker: DatabaseMaker, nats: Nats) -> None:
    async with aiohttp.ClientSession() as session:
        async with running_gateway(await database_maker.make("gateway"), nats.url) as gateway:
            owner = await gateway.make_owner()
            client: Any = await session.ws_connect(
                f"{gateway.url}/api/realtime", headers={"Authorization": f"Bearer {owner.token}"}
            )
            assert (await heard(client, 1))[0]["type"] == "hello"
        assert await closed_with(client) == 1012
        await eventually(lambda: client.closed)
