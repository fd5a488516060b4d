"""The providers that the hub shows, in its order."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.integrations.failures import AdapterError, Failure

PLANS: Final = ("free", "pro")
"""From the lowest to the highest."""


class Availability(Enum):
    AVAILABLE = "available"
    COMING_SOON = "coming_soon"
    REQUIRES_PLAN = "requires_plan"


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider as the hub describes it."""

    provider: str
    name: str
    description: str
    available: bool
    required_plan: str = ""

    def availability(self, plan: str) -> Availability:
        """What a workspace of this plan may do with it. A plan that we do not know counts as the lowest."""
        rank = PLANS.index(plan) if plan in PLANS else 0
        if self.required_plan and rank < PLANS.index(self.required_plan):
            return Availability.REQUIRES_PLAN
        return Availability.AVAILABLE if self.available else Availability.COMING_SOON


CATALOGUE: Final = (
    Entry("stripe", "Stripe", "Invoice your buyers and take payments into your own Stripe account.", available=True),
    Entry("shopify", "Shopify", "Keep stock and orders of your shop in step with your shows.", available=False),
    Entry("square", "Square", "Take payments with Square, online and at the counter.", available=False),
    Entry("medusajs", "MedusaJS", "Sell from your own open-source shop.", available=False),
    Entry("paypal", "PayPal", "Invoice your buyers through PayPal.", available=False),
    Entry(
        "quickbooks",
        "QuickBooks",
        "Book every paid invoice in QuickBooks.",
        available=False,
        required_plan="pro",
    ),
)

_BY_PROVIDER: Final = {entry.provider: entry for entry in CATALOGUE}


def find(provider: str) -> Entry:
    """Raises AdapterError PROVIDER_NOT_AVAILABLE for a slug that is not in the catalogue."""
    entry = _BY_PROVIDER.get(provider)
    if entry is None:
        raise AdapterError(Failure.PROVIDER_NOT_AVAILABLE, "There is no such provider in the catalogue.")
    return entry


def require_available(provider: str, plan: str) -> Entry:
    """Raises AdapterError PROVIDER_NOT_AVAILABLE, saying why, unless a workspace of this plan may connect it now."""
    entry = find(provider)
    match entry.availability(plan):
        case Availability.COMING_SOON:
            raise AdapterError(
                Failure.PROVIDER_NOT_AVAILABLE, f"{entry.name} is coming soon and cannot be connected yet."
            )
        case Availability.REQUIRES_PLAN:
            raise AdapterError(
                Failure.PROVIDER_NOT_AVAILABLE,
                f"{entry.name} is available on {entry.required_plan.title()}. Change the plan of this workspace first.",
            )
    return entry
