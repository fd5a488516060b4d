"""The parts of a show's page: its tabs, each with how much there is, and where their filters and pages lead."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode

from services.gateway.dashboard.views.money import Money
from services.gateway.dashboard.views.panel import Connection
from services.gateway.schemas.shows import ClaimStatus, ShowView

TabName = Literal["items", "claims", "buyers", "invoices"]
MOST_ROWS: Final = 50
"""Of a page."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the page."""

    name: TabName
    label: str
    path: str
    count: int


def tabs_of(show: ShowView, money: Money) -> list[Tab]:
    home = f"/shows/{show.id}"
    return [
        Tab("items", "Items", f"{home}/items", show.item_count),
        Tab("claims", "Claims", f"{home}/claims", show.claim_count),
        Tab("buyers", "Buyers", f"{home}/buyers", show.buyer_count),
        Tab("invoices", "Invoices", home, money.invoice_count),
    ]


@dataclass(frozen=True, slots=True)
class TabPanel:
    """What the frame of the page asks of whatever stands below its tabs."""

    state: TabName
    connection: Connection


@dataclass(frozen=True, slots=True)
class Pill:
    """A filter with what it lets through."""

    value: str
    label: str
    count: int
    path: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class View:
    """What of a list is looked at: all of it is in the address."""

    path: str
    chosen: str = ""
    search: str = ""
    page: str = ""
    unpriced_first: bool = False
    key: str = "filter"
    """What the address calls the filter."""

    def to(
        self, *, chosen: str | None = None, page: str = "", unpriced_first: bool | None = None, search: bool = True
    ) -> str:
        """The address of a neighbouring view; another filter begins at the first page."""
        ordered = self.unpriced_first if unpriced_first is None else unpriced_first
        told = {
            self.key: self.chosen if chosen is None else chosen,
            "q": self.search if search else "",
            "first": "unpriced" if ordered else "",
            "page": page,
        }
        query = urlencode({name: value for name, value in told.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def pill(self, value: str, label: str, count: int) -> Pill:
        return Pill(value, label, count, self.to(chosen=value), chosen=value == self.chosen)


CLAIM_LABELS: Final[dict[ClaimStatus, str]] = {
    "winner": "Winners",
    "waitlist": "Waitlist",
    "released": "Released",
    "passed": "Passed",
}
