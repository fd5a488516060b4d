"""Two gateways on one database and one NATS: a client may be on either."""

import asyncio
import os
import secrets
from pathlib import Path

import pytest

from services.cli.child import Child
from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from services.gateway.realtime import listener, upkeep
from services.rpc.showbill.invoicing.v1 import invoicing_pb2
from tests.conftest import DatabaseMaker
from tests.gateway.harness import Gateway, paid_event, publisher, running_gateway
from tests.gateway.test_realtime import closed_with, heard
from tests.waiting import free_port


async def moves_with_its_position(here: Gateway, there: Gateway) -> None:
    """A client that leaves one gateway goes on at the other, and is told whether it missed something between."""
    owner = await here.make_owner()
    elsewhere = there.bearer(owner.token)
    show = here.own_show(owner.workspace_id, seq=4)

    def position(seq: int) -> None:
        there.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=invoicing_pb2.Show(id=show, seq=seq)))

    async with publisher(here.nats_url) as publish:
        async with owner.client.listen(f"?show_id={show}&since=4") as leaving:
            (hello,) = await heard(leaving, 1)
            assert (hello["seq"], hello["data"]["behind"]) == (4, False)
            await publish(paid_event(owner.workspace_id, show, 5))
            assert (await heard(leaving, 1))[0]["seq"] == 5
        position(5)
        async with elsewhere.listen(f"?show_id={show}&since=5") as come:
            (hello,) = await heard(come, 1)
            assert (hello["seq"], hello["data"]["behind"]) == (5, False), "nothing happened between"
            await publish(paid_event(owner.workspace_id, show, 6))
            assert (await heard(come, 1))[0]["seq"] == 6
        await publish(paid_event(owner.workspace_id, show, 7))
        position(7)
        async with elsewhere.listen(f"?show_id={show}&since=6") as again:
            (hello,) = await heard(again, 1)
            assert (hello["seq"], hello["data"]["behind"]) == (7, True)
            await publish(paid_event(owner.workspace_id, show, 8))
            assert (await heard(again, 1))[0]["seq"] == 8


async def test_a_client_hears_the_same_on_either_gateway(
    database_maker: DatabaseMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "RECHECK", 0.2)
    server = Nats(tmp_path, free_port(), secrets.token_urlsafe(16))
    bus = Child(server.prepare(), tmp_path / "nats.log")
    await bus.start()
    database = await database_maker.make("gateway", migrated=True)
    try:
        async with running_gateway(database, server.url) as here, running_gateway(database, server.url) as there:
            owner = await here.make_owner()
            elsewhere = there.bearer(owner.token)
            made = (await owner.client("POST", "/api/tokens", {"name": "to be revoked"})).json
            async with (
                owner.client.listen() as one,
                elsewhere.listen() as other,
                there.bearer(made["token"]).listen() as leaving,
            ):
                for socket in (one, other, leaving):
                    assert (await heard(socket, 1))[0]["type"] == "hello"
                sent = [paid_event(owner.workspace_id, new_id(), seq) for seq in (1, 2, 3)]
                async with publisher(server.url) as publish:
                    for event in sent:
                        await publish(event)
                for socket in (one, other):
                    assert [message["id"] for message in await heard(socket, 3)] == [event.id for event in sent]

                await moves_with_its_position(here, there)
                await owner.client("DELETE", f"/api/tokens/{made['id']}")
                assert await closed_with(leaving) == listener.SESSION_ENDED

                os.kill(bus.pid, 9)
                await bus.wait()
                bus = Child(server.prepare(), tmp_path / "nats.log")
                await bus.start()
                resyncs = await asyncio.gather(heard(one, 1), heard(other, 1))
                assert [messages[0]["type"] for messages in resyncs] == ["resync", "resync"]
                last = paid_event(owner.workspace_id, new_id(), 4)
                async with publisher(server.url) as publish:
                    await publish(last)
                for socket in (one, other):
                    assert (await heard(socket, 1))[0]["id"] == last.id
    finally:
        await bus.stop()
