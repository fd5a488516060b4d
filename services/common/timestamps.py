"""Times between Python, which always carries a zone here, and protobuf."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.common.errors import InvalidRequest


class TimeOutOfRange(InvalidRequest):
    """A time of the request is out of range. Correct it and send the request again."""


def to_proto(moment: datetime | None) -> Timestamp | None:
    """None stays None: an unset field. Raises TimeOutOfRange."""
    if moment is None:
        return None
    stamp = Timestamp()
    try:
        stamp.FromDatetime(moment)
    except OverflowError as error:  # at the ends of the calendar, once its zone is taken off
        raise TimeOutOfRange from error
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
