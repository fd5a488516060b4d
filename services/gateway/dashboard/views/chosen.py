"""What of the list somebody asked for. The address of the page holds it: Back, a reload and a link show the same."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args
from urllib.parse import urlencode

from litestar.datastructures import FormMultiDict

from services.common.errors import InvalidRequest
from services.gateway.backends.invoices import InvoiceQuery
from services.gateway.dashboard.views.statuses import FILTERS, Filter
from services.gateway.schemas.invoices import InvoiceSort

Size = Literal[50, 100, 200, 500]
SIZES: Final[tuple[Size, ...]] = (50, 100, 200, 500)
"""Rows that the page can show at once: each press on the button shows the next more."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Filter, search, order and place of the list; which run and which sending the page follows."""

    show_id: str
    status: Filter = ""
    search: str = ""
    sort: InvoiceSort = ""
    size: Size = 50
    page: str = ""
    run: str = ""
    sending: str = ""

    def url(self, **changes: Any) -> str:
        """The address with other choices. It leads to the first page, unless the change names one."""
        wanted = replace(self, **{"page": "", **changes})
        values = {
            "status": wanted.status,
            "q": wanted.search,
            "sort": wanted.sort,
            "rows": "" if wanted.size == SIZES[0] else wanted.size,
            "page": wanted.page,
            "run": wanted.run,
            "sending": wanted.sending,
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return f"/shows/{self.show_id}" + (f"?{query}" if query else "")

    @property
    def more(self) -> Size | None:
        """The next larger number of rows."""
        return next((size for size in SIZES if size > self.size), None)

    def query(self, *, running: bool) -> InvoiceQuery:
        """What needs attention stands first, but while a run is on the order stays the plan's: no row moves."""
        sort: InvoiceSort = self.sort or ("" if running else "status")
        return InvoiceQuery(self.size, self.page, FILTERS[self.status], self.search, sort)


_SORTS: Final[tuple[InvoiceSort, ...]] = get_args(InvoiceSort)
_LONGEST_SEARCH: Final = 200
_LONGEST: Final = 2000


def chosen_of(show_id: str, query: Mapping[str, str]) -> Chosen:
    """Of an address. What is none of ours counts as not chosen."""
    text = {name: query.get(name, "")[:_LONGEST] for name in ("status", "sort", "rows", "page", "run", "sending")}
    return Chosen(
        show_id,
        status=next((status for status in FILTERS if status == text["status"]), ""),
        search=query.get("q", "").strip()[:_LONGEST_SEARCH],
        sort=next((sort for sort in _SORTS if sort == text["sort"]), ""),
        size=next((size for size in SIZES if str(size) == text["rows"]), SIZES[0]),
        page=text["page"],
        run=text["run"],
        sending=text["sending"],
    )


def uuids(text: str, most: int) -> list[str]:
    """Ids of an address, set apart by commas. What is none counts as not there."""
    found: dict[str, None] = {}
    for word in text.split(",")[:most]:
        try:
            found[str(uuid.UUID(word))] = None
        except ValueError:
            continue
    return list(found)


class NothingChosen(InvalidRequest):
    """No invoice was chosen. Go back to the list, and tick some."""

    reason = "NOTHING_CHOSEN"


def chosen_ids(form: FormMultiDict) -> list[str]:
    """Of a form, in one field or in many. Raises NothingChosen, for no ids at all would be everybody."""
    found = uuids(",".join(map(str, form.getall("ids", []))), SIZES[-1])
    if not found:
        raise NothingChosen
    return found


Direction = Literal["ascending", "descending", ""]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the list can be sorted by."""

    label: str
    css: str
    direction: Direction
    href: str


_COLUMNS: Final[tuple[tuple[InvoiceSort, InvoiceSort, str, str], ...]] = (
    ("handle", "-handle", "Buyer", ""),
    ("items", "-items", "Items", "h-items"),
    ("", "", "Invoice", "h-inv"),
    ("status", "-status", "Status", ""),
    ("amount", "-amount", "Amount", "end h-amount"),
    ("updated", "-updated", "Updated", "h-when"),
)


def columns_of(chosen: Chosen) -> list[Column]:
    """The head of the list: a press on a column sorts by it, another one the other way round."""
    found: list[Column] = []
    for up, down, label, css in _COLUMNS:
        direction: Direction = ""
        if up and chosen.sort == up:
            direction = "ascending"
        elif up and chosen.sort == down:
            direction = "descending"
        href = chosen.url(sort=down if direction == "ascending" else up) if up else ""
        found.append(Column(label, css, direction, href))
    return found
