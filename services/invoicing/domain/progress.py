"""How a run gets on: its counts, how fast lately, and how long the rest takes at that rate, where that can be said."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MEMORY: Final = 10.0
"""Seconds after which a result weighs a third of a fresh one. The query `count_results` has the same number."""
_SAYS_NOTHING_BEFORE: Final = 1.0
"""Seconds since the start: before that the rate is chance."""
_STALLED: Final = 0.5
"""Results in memory below which nothing moves: a time made of them would be a fantasy."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the invoices that a run set out to make, to change or to mark."""

    total: int
    created: int = 0
    failed: int = 0
    cancelled: int = 0
    marks: bool = False
    """The run marks invoices as paid elsewhere, and makes none."""

    @property
    def pending(self) -> int:
        return self.total - self.created - self.failed - self.cancelled


@dataclass(frozen=True, slots=True)
class Pace:
    """Results per second lately, and how long the rest takes at that rate; None where that cannot be said."""

    rate: float
    remaining: timedelta | None


STANDING: Final = Pace(0.0, None)


def pace(counts: Counts, weight: float, weighed_at: datetime, began_at: datetime, now: datetime) -> Pace:
    """Of a run that is under way. `weight` is its average of results per second as it stood at `weighed_at`.

    The average takes the time before the start for slowness: it is set against what a steady rate had come to by now.
    """
    age, run = (max(0.0, (now - since).total_seconds()) for since in (weighed_at, began_at))
    if run < _SAYS_NOTHING_BEFORE:
        return STANDING
    now_worth = weight * math.exp(-age / MEMORY)
    rate = now_worth / (1 - math.exp(-run / MEMORY))
    if now_worth * MEMORY < _STALLED:
        return Pace(round(rate, 2), None)
    return Pace(round(rate, 2), timedelta(seconds=math.ceil(counts.pending / rate)))
