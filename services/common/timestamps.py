"""Times between Python, which always carries a zone here, and protobuf."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def to_proto(moment: datetime | None) -> Timestamp | None:
    """None stays None: an unset field."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def from_proto(stamp: Timestamp) -> datetime | None:
    """None for the zero stamp, which is what an unset field reads as."""
    return stamp.ToDatetime(tzinfo=UTC) if stamp.seconds or stamp.nanos else None


def to_duration(span: timedelta | None) -> Duration | None:
    """None stays None: an unset field."""
    if span is None:
        return None
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
