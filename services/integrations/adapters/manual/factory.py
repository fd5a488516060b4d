"""What the manual adapter offers, and how it is made."""

from typing import Final

from services.integrations.adapters.manual.adapter import ManualAdapter
from services.integrations.offers import Entry, Lent, Made, NoSettings, Offer


def make(_settings: NoSettings, lent: Lent) -> Made:
    return Made(ManualAdapter(lent.store))


OFFER: Final = Offer(
    Entry(
        ManualAdapter.provider,
        "Manual",
        "Take bank transfers or cash, and mark each invoice paid by hand.",
        available=True,
        icon="hand",
        place=20,
        settings=("default_currency", "message_template", "payment_instructions"),
    ),
    NoSettings,
    make,
)
