"""NATS JetStream: where events are published. Nothing depends on it to be correct; the outbox holds what it missed."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import PubAck, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from services.common.metrics import NATS_CONNECTED
from services.common.secret import Secret, redact

log = structlog.get_logger()

STREAM: Final = "SHOWBILL_EVENTS"
SUBJECTS: Final = "showbill.events.>"
REQUEST_ID: Final = "Showbill-Request-Id"
_AT_ONCE: Final = 1000
_PATIENCE: Final = 2.0
"""Seconds to wait for the acknowledgements of so many messages."""
_KEEP: Final = 7 * 24 * 3600
"""Seconds that events stay in the stream for consumers that were away."""


def subject(workspace_id: str, show_id: str, event_type: str) -> str:
    return f"showbill.events.{workspace_id}.{show_id or '-'}.{event_type}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way to the stream."""

    subject: str
    body: bytes
    message_id: str
    """The stream drops one that it already has."""
    headers: Mapping[str, str]


class Bus:
    """A connection that is made in the background and comes back by itself."""

    def __init__(self, url: Secret, name: str) -> None:
        self._url = url
        self._name = name
        self.client = Client()
        self._jetstream: JetStreamContext | None = None
        self._connecting: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        """Set once the first connection stood."""
        self.on_reconnect: list[Callable[[], None]] = []
        """Called after each later connection: a subscriber may have missed something in between."""
        NATS_CONNECTED.set_function(lambda: int(self.client.is_connected))

    def start(self) -> None:
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        while not self.ready.is_set():
            try:
                if not self.client.is_connected:
                    await self.client.connect(
                        self._url.reveal(),
                        name=self._name,
                        max_reconnect_attempts=-1,
                        reconnect_time_wait=1,
                        connect_timeout=2,
                        drain_timeout=5,
                        error_cb=self._note_error,
                        reconnected_cb=self._note_reconnect,
                        disconnected_cb=self._note_disconnect,
                    )
                jetstream = self.client.jetstream(timeout=2)
                await self._ensure_stream(jetstream)
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("nats is away", error=redact(str(error)))
                await asyncio.sleep(1)
                continue
            self._jetstream = jetstream
            self.ready.set()
            log.info("nats connected")

    async def _ensure_stream(self, jetstream: JetStreamContext) -> None:
        """Makes the stream where there is none. One that is there is the operator's to tune: replicas, age, size."""
        with contextlib.suppress(NotFoundError):
            await jetstream.stream_info(STREAM)
            return
        config = StreamConfig(
            name=STREAM,
            subjects=[SUBJECTS],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_age=_KEEP,
            duplicate_window=120,
        )
        await jetstream.add_stream(config)  # another replica's same configuration changes nothing

    async def publish(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Publishes in order; says of each whether the stream has it. All False while NATS is away."""
        had: list[bool] = []
        for first in range(0, len(messages), _AT_ONCE):
            had += await self._publish_some(messages[first : first + _AT_ONCE])
        return had

    async def _publish_some(self, messages: Sequence[Outgoing]) -> list[bool]:
        """One wait for the acknowledgements of all: a timer and a request for each cost more than the message."""
        if self._jetstream is None or not self.client.is_connected:
            return [False] * len(messages)
        sent: list[asyncio.Future[PubAck]] = []
        try:
            for message in messages:
                headers = {"Nats-Msg-Id": message.message_id, **message.headers}
                sent.append(await self._jetstream.publish_async(message.subject, message.body, headers=headers))
        except (NatsError, OSError) as error:
            log.warning("nats error", error=redact(str(error)))
        if sent:
            _, late = await asyncio.wait(sent, timeout=_PATIENCE)
            for one in late:
                one.cancel()
        had = [one.done() and not one.cancelled() and one.exception() is None for one in sent]
        return had + [False] * (len(messages) - len(had))

    async def close(self) -> None:
        """Sends what was not sent yet and leaves, also while it is still connecting or connecting again."""
        while self._connecting and not self._connecting.done():
            self._connecting.cancel()  # once more where it got lost: `wait_for` of 3.11 forgets one as a socket opens
            await asyncio.wait([self._connecting], timeout=0.1)
        if self.client.is_connected:
            with contextlib.suppress(NatsError, TimeoutError):
                await asyncio.wait_for(self.client.drain(), 5)
        await self.client.close()

    async def _note_error(self, error: Exception) -> None:
        log.warning("nats error", error=redact(str(error)))

    async def _note_reconnect(self) -> None:
        log.info("nats reconnected")
        for told in self.on_reconnect:
            told()

    async def _note_disconnect(self) -> None:
        log.warning("nats disconnected")


__all__ = ["REQUEST_ID", "STREAM", "SUBJECTS", "Bus", "Outgoing", "subject"]
