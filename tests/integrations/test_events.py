"""What the other services hear on NATS when a connection changes."""

import asyncio
from collections.abc import AsyncIterator

import nats as nats_client
import pytest
from nats.aio.msg import Msg

from services.cli.embedded.nats import Nats
from services.rpc.showbill.events.v1 import events_pb2
from tests.integrations.shop import Shop


class Listener:
    """Every event of the integrations service, in order."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()

    async def take(self, message: Msg) -> None:
        await self._arrived.put(message)

    async def next(self, workspace_id: str) -> tuple[Msg, events_pb2.Event]:
        async with asyncio.timeout(30):
            while True:
                message = await self._arrived.get()
                event = events_pb2.Event.FromString(message.data)
                if event.workspace_id == workspace_id:
                    return message, event


@pytest.fixture
async def listener(nats: Nats) -> AsyncIterator[Listener]:
    listener = Listener()
    client = await nats_client.connect(nats.url)
    await client.subscribe("showbill.events.*.*.integration.updated", cb=listener.take)
    await client.flush()
    yield listener
    await client.close()


async def test_each_change_of_a_connection_is_one_event(shop: Shop, listener: Listener) -> None:
    await shop.connect()
    message, event = await listener.next(shop.who.workspace_id)
    assert message.subject == f"showbill.events.{shop.who.workspace_id}.-.integration.updated"
    assert message.headers is not None
    assert message.headers["Nats-Msg-Id"] == event.id
    assert (event.type, event.show_id, event.seq) == ("integration.updated", "", 0)
    assert (event.integration_updated.provider, event.integration_updated.status) == ("stripe", "active")
    await shop.sandbox.revoke(shop.account.sk_test)
    await asyncio.gather(*(shop.create(shop.order()) for _ in range(3)), return_exceptions=True)
    _, event = await listener.next(shop.who.workspace_id)
    assert event.integration_updated.status == "needs_reconnect"
    assert event.integration_updated.status_reason
    await shop.caller.disconnect(shop.who)
    _, event = await listener.next(shop.who.workspace_id)
    assert event.integration_updated.status == "inactive", "three rejected calls are one change"
