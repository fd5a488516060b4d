"""The rate and the remaining time of a run: right when steady, silent when they would be guesses."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from services.invoicing.domain.progress import MEMORY, Counts, pace

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def steady(per_second: float, seconds: float) -> float:
    """The weight after so many seconds of results in even steps, taken further as the query does."""
    gap, weight = 1 / per_second, 0.0
    for _ in range(int(per_second * seconds)):
        weight = weight * math.exp(-gap / MEMORY) + 1 / MEMORY
    return weight


@pytest.mark.parametrize("per_second", [2.0, 8.0, 40.0])
@pytest.mark.parametrize("seconds", [3, 30, 300])
def test_steady_rate_is_told_from_the_start(per_second: float, seconds: int) -> None:
    now = BEGAN + timedelta(seconds=seconds)
    counts = Counts(total=100_000, created=int(per_second * seconds))
    told = pace(counts, steady(per_second, seconds), now, BEGAN, now)
    assert told.rate == pytest.approx(per_second, rel=0.1)
    assert told.remaining
    assert told.remaining.total_seconds() == pytest.approx(counts.pending / per_second, rel=0.1)


def test_first_moment_promises_nothing() -> None:
    now = BEGAN + timedelta(seconds=0.5)
    assert pace(Counts(10, 5), 1.0, now, BEGAN, now).remaining is None


def test_stalled_run_promises_nothing() -> None:
    told = pace(Counts(1000, 500), steady(8, 60), BEGAN + timedelta(seconds=60), BEGAN, BEGAN + timedelta(seconds=160))
    assert (told.rate, told.remaining) == (0.0, None)


def test_clock_that_is_behind_makes_no_negative_time() -> None:
    told = pace(Counts(10, 5), 1.0, BEGAN + timedelta(seconds=5), BEGAN, BEGAN + timedelta(seconds=4))
    assert told.rate > 0
    assert told.remaining


def test_cancelled_invoices_are_not_waited_for() -> None:
    assert Counts(total=10, created=3, failed=1, cancelled=4).pending == 2
