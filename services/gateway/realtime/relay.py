"""From the bus to the hub: each event is read once, turned into JSON once, and handed to all that listen."""

import asyncio
from collections import OrderedDict
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.common.bus import SUBJECTS, Bus
from services.gateway.backends import events
from services.gateway.realtime import messages
from services.gateway.realtime.hub import Hub

log = structlog.get_logger()

_REMEMBERED: Final = 65_536
"""Changes of which a repetition is recognised. The bus delivers at least once."""


class Relay:
    """Listens to the bus for as long as the process lives."""

    def __init__(self, bus: Bus, hub: Hub) -> None:
        self._bus = bus
        self._hub = hub
        self._seen: OrderedDict[str, None] = OrderedDict()
        bus.on_reconnect.append(hub.interrupted)

    async def run(self) -> None:
        """Subscribes once the bus is there; the client library does so again after each reconnection."""
        await self._bus.ready.wait()
        while True:
            try:
                await self._bus.client.subscribe(SUBJECTS, cb=self._hear)
            except NatsError as error:
                log.warning("events not subscribed yet", error=str(error))
                await asyncio.sleep(1)
            else:
                break
        self._hub.interrupted()  # sockets may have waited for the bus
        log.info("events subscribed")

    async def _hear(self, message: Msg) -> None:
        try:
            self.take(message.data)
        except (KeyError, ValueError) as error:
            # Something foreign on our subject, or an enum of a newer version: no reason to fall silent.
            log.warning("event not understood", subject=message.subject, error=type(error).__name__)

    def take(self, payload: bytes) -> None:
        """Hands one event on, unless it was told before."""
        event = events.decode(payload)
        if self._told(event.id) or self._told(event.change):
            return
        message = event.message
        # A kind that we do not know yet still has its position.
        self._hub.tell(
            event.workspace_id, event.show_id, event.seq, lambda: messages.encode(message) if message else ""
        )

    def _told(self, key: str) -> bool:
        if not key:
            return False
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False
