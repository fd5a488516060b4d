"""What the show and the provider set, and what follows from it for one bill."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.common.money import format_money
from services.invoicing.domain.invoice import DraftReason
from services.invoicing.domain.rollup import Owed

UNCOUNTED: Final = 100_000_000_000_000
"""Minor units: what comes to as much or more is told as this. The view rollups has the same."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the show and the provider set."""

    currency: str
    healthy: bool = True
    """Whether the connection works."""
    livemode: bool = True
    account_id: str = ""
    minimum_totals: Mapping[str, int] = field(default_factory=dict)
    """Smallest payable total in minor units by currency."""
    maximum_totals: Mapping[str, int] = field(default_factory=dict)
    """Largest total in minor units by currency, where it differs from maximum_total."""
    maximum_total: int = 0
    """Minor units; 0 when the provider sets none."""
    maximum_lines: int = 0
    """0 when the provider sets none."""
    provider: str = ""
    emails: bool = True
    """Whether the provider mails invoices."""

    @property
    def smallest(self) -> int:
        return self.minimum_totals.get(self.currency, 0)

    @property
    def largest(self) -> int:
        return self.maximum_totals.get(self.currency, self.maximum_total)


def why_not(owed: Owed, terms: Terms) -> str:
    """Why no invoice is made for what is owed, a sentence; empty when one is."""
    if not owed.line_count:
        return "The buyer wins nothing any more."
    if owed.total == 0 and not owed.unpriced_count:
        return "Everything is free: there is nothing to pay."
    return too_much(owed.total, terms)


def too_much(total: int, terms: Terms) -> str:
    """Why a total cannot be charged at once, a sentence; empty when it can."""
    if not terms.largest and total >= UNCOUNTED:
        return "The total is more than is counted. Correct the quantities or the prices."
    if not terms.largest or total <= terms.largest:
        return ""
    limit = format_money(terms.largest, terms.currency)
    return f"The total is above what the provider can charge at once, which is {limit}."


def held_back(owed: Owed, terms: Terms) -> DraftReason | None:
    """Why the invoice would stay a draft; None when it is made payable."""
    if owed.unpriced_count:
        return DraftReason.NEEDS_PRICE
    return DraftReason.BELOW_MINIMUM if owed.total < terms.smallest else None
