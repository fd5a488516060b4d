"""What the pages of a show list: rows with what stands beside them, and the counts for their filters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.gateway.schemas.shows import BuyerView, ClaimStatus, ClaimView, ItemView, ShowState, ShowView

ItemFilter = Literal["", "unpriced", "claimed", "unclaimed"]


@dataclass(frozen=True, slots=True)
class ShowRow:
    """A show with its money, in minor units."""

    show: ShowView
    claimed: int
    collected: int
    invoice_count: int
    error_count: int
    platforms: list[str]
    """Where its claims come from, most first."""


@dataclass(frozen=True, slots=True)
class ShowList:
    """Shows, newest first; the counts are of all that the search finds."""

    rows: list[ShowRow]
    next_page: str
    counts: dict[ShowState, int]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item, and who won it."""

    item: ItemView
    winner_count: int
    winner: str
    """Where exactly one won it."""


@dataclass(frozen=True, slots=True)
class ItemList:
    """Items; the counts are of all that the search finds."""

    rows: list[ItemRow]
    next_page: str
    all_count: int
    unpriced_count: int
    claimed_count: int


@dataclass(frozen=True, slots=True)
class ClaimList:
    """Claims; the counts are of all that the search finds."""

    rows: list[ClaimView]
    next_page: str
    counts: dict[ClaimStatus, int]


@dataclass(frozen=True, slots=True)
class BuyerList:
    """Buyers; the count is of all that the search finds."""

    rows: list[BuyerView]
    next_page: str
    count: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What the buyers of a show owe, in a few figures. Totals in minor units."""

    line_count: int
    largest_total: int
    largest_buyer: str


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """What was collected by a time."""

    at: datetime
    collected: int
    count: int
