"""The providers that the hub shows, in its order: those that have an adapter, then those that are announced."""

from collections.abc import Iterator, Sequence
from typing import Final

from services.integrations.failures import AdapterError, Failure
from services.integrations.offers import Availability, Entry

ANNOUNCED: Final = (
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


class Catalogue:
    """Every provider that we speak of."""

    def __init__(self, offered: Sequence[Entry]) -> None:
        named = {entry.provider for entry in offered}
        self._entries = (*offered, *(entry for entry in ANNOUNCED if entry.provider not in named))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def find(self, provider: str) -> Entry:
        """Raises AdapterError PROVIDER_NOT_AVAILABLE for a slug that is not in the catalogue."""
        for entry in self._entries:
            if entry.provider == provider:
                return entry
        raise AdapterError(Failure.PROVIDER_NOT_AVAILABLE, "There is no such provider in the catalogue.")

    def require_available(self, provider: str, plan: str) -> Entry:
        """Raises AdapterError PROVIDER_NOT_AVAILABLE, saying why, unless a workspace of this plan may connect it."""
        entry = self.find(provider)
        match entry.availability(plan):
            case Availability.COMING_SOON:
                raise AdapterError(
                    Failure.PROVIDER_NOT_AVAILABLE, f"{entry.name} is coming soon and cannot be connected yet."
                )
            case Availability.REQUIRES_PLAN:
                raise AdapterError(
                    Failure.PROVIDER_NOT_AVAILABLE,
                    f"{entry.name} is available on {entry.required_plan.title()}. Change the plan of this workspace"
                    " first.",
                )
        return entry
