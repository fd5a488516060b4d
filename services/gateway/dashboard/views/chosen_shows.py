"""Which shows somebody asked for. The address of the page holds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from services.gateway.schemas.shows import ShowState

STATES: Final[Mapping[str, Sequence[ShowState]]] = {
    "": (),
    "live": ("active", "paused"),
    "scheduled": ("draft",),
    "ended": ("ended",),
}
"""What a pill stands for."""
LABELS: Final = {"": "All", "live": "Live", "scheduled": "Not started", "ended": "Ended"}


@dataclass(frozen=True, slots=True)
class ChosenShows:
    """Filter, search and place of the list of shows."""

    state: str = ""
    search: str = ""
    page: str = ""

    def url(self, **changes: Any) -> str:
        """The address with other choices. It leads to the first page, unless the change names one."""
        wanted = replace(self, **{"page": "", **changes})
        values = {"only": wanted.state, "q": wanted.search, "page": wanted.page}
        query = urlencode({name: value for name, value in values.items() if value})
        return "/shows" + (f"?{query}" if query else "")


def pills_of(counts: Mapping[ShowState, int]) -> list[tuple[str, str, int]]:
    """Key, word and number of each; the counts are of what the search finds."""
    return [
        (key, label, sum(count for state, count in counts.items() if not key or state in STATES[key]))
        for key, label in LABELS.items()
    ]
