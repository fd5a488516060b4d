"""How the money of a show came in, as a picture: collected against claimed, from the first payment until now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.gateway.schemas.browsing import TrendPoint

POINTS: Final = 48
"""Stretches of time that the picture has at most."""
_WIDTH, _HEIGHT, _TOP = 300.0, 84.0, 4.0
"""Of the picture; the top is where all that was claimed is collected."""


@dataclass(frozen=True, slots=True)
class TrendRow:
    """A line of the table that says the same as the picture."""

    at: datetime
    collected: int
    outstanding: int
    count: int


@dataclass(frozen=True, slots=True)
class Trend:
    """Steps, as paths of an SVG of 300 by 84."""

    line: str
    area: str
    goal: float
    """Height of what was claimed."""
    begin: datetime
    end: datetime
    rows: list[TrendRow]


def trend_of(points: Sequence[TrendPoint], claimed: int, now: datetime) -> Trend | None:
    """None while nothing is paid."""
    if not points:
        return None
    begin, end = points[0].at, max(now, points[-1].at)
    span = (end - begin).total_seconds() or 1.0
    most = max(claimed, points[-1].collected) or 1
    steps = (
        f"H{_WIDTH * (point.at - begin).total_seconds() / span:.1f}V{_y(point.collected, most):.1f}" for point in points
    )
    line = f"M0 {_HEIGHT:g}{''.join(steps)}H{_WIDTH:g}"
    rows = [TrendRow(one.at, one.collected, max(claimed - one.collected, 0), one.count) for one in points]
    return Trend(line, f"{line}V{_HEIGHT:g}Z", _y(claimed, most), begin, end, rows)


def _y(amount: int, most: int) -> float:
    return _HEIGHT - (_HEIGHT - _TOP) * amount / most
