"""Times cross to protobuf and back to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from services.common.timestamps import from_proto, to_proto

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC) | ZONES))  # noqa: DTZ001  # zone drawn
def test_times_are_those_that_the_library_makes(moment: datetime) -> None:
    known = Timestamp()
    known.FromDatetime(moment)
    made = to_proto(moment)
    assert made == known
    if known != Timestamp():
        assert from_proto(known) == moment


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_a_stamp_is_read_as_the_library_reads_it(seconds: int, nanos: int) -> None:
    stamp = Timestamp(seconds=seconds, nanos=nanos)
    try:
        known = stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        with pytest.raises(ValueError, match="no time"):
            from_proto(stamp)
    else:
        assert from_proto(stamp) == (known if stamp != Timestamp() else None)


def test_no_time_stays_none() -> None:
    assert to_proto(None) is None
    assert from_proto(Timestamp()) is None
