"""What a provider can say of one invoice, for tests of the status machine, and every order of it."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import ProviderLine, Sighting

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OLD, NEW = "in_1", "in_2"


def said(standing: Standing, total: int = 1000, external_id: str = OLD, **fields: object) -> Sighting:
    final = None if standing is Standing.HELD_BACK else total
    told = {"external_url": "https://pay", "provider_url": "https://see", "number": "N-1", "paid_at": NOW} | fields
    return Sighting(standing, external_id, final, "GBP", **told)  # type: ignore[arg-type]  # fields of it, by name


SAID = [standing for standing in Standing if standing >= Standing.HELD_BACK]
OF_ONE = [*(said(standing) for standing in SAID), Sighting(Standing.VOID, OLD, deleted=True)]
"""Of an invoice that nothing replaces. The deletion is of its draft."""

_LINES = (ProviderLine("Edited", 1500),)
VOIDED_FOR_ANOTHER = said(Standing.VOID, replaced_by=NEW)
OF_REPLACEMENT = [
    said(standing, 1500, NEW, replaces=OLD, lines=_LINES, external_url="https://new", number="N-2")
    for standing in SAID
    if standing >= Standing.PAYABLE
]


def multisets(kinds: Sequence[Sighting], largest: int) -> Iterator[tuple[Sighting, ...]]:
    for size in range(largest + 1):
        yield from itertools.combinations_with_replacement(kinds, size)


def orders(sightings: Sequence[Sighting]) -> set[tuple[int, ...]]:
    """Every different order, as places: the same thing said twice stands in one order alone."""
    names = [sightings.index(one) for one in sightings]
    return set(itertools.permutations(names))
