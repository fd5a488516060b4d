"""Messages that the gateway itself says to a socket, besides the events."""

from datetime import UTC, datetime

import msgspec

from services.gateway.schemas.events import HelloView, Message, ResyncView

_ENCODER = msgspec.json.Encoder()


def encode(message: Message) -> str:
    return _ENCODER.encode(message).decode()


def hello(show_id: str, seq: int, since: int | None) -> str:
    """`since` is the position that the client has; None when it has none."""
    behind = since not in (None, seq)  # before us, or ahead: then ours was brought back from a copy
    return encode(_own("hello", show_id, seq, HelloView(seq=seq, behind=behind)))


def ping() -> str:
    return encode(_own("ping", "", 0, None))


def resync(reason: str) -> str:
    """The client should read the snapshot again."""
    return encode(_own("resync", "", 0, ResyncView(reason=reason)))


def _own(kind: str, show_id: str, seq: int, data: HelloView | ResyncView | None) -> Message:
    return Message(v=1, type=kind, id="", seq=seq, at=datetime.now(UTC), show_id=show_id, data=data)
