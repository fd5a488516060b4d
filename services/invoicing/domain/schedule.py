"""How often an unsettled invoice is read again: young ones often, old ones rarely. Pure.

The reading of events finds every change within an hour; this finds what even that cannot, such as what happened while
nothing ran for longer than the provider remembers. Stripe allows 500 readings for each transaction, averaged over 30
days, and 10,000 a month at least. An invoice that stays open is read 17 times in its first 30 days, so the allowance
holds as long as one invoice in 29 is paid; the events take one call in five minutes at the most, 8,640 in 30 days.
"""

from typing import Final

_PART_OF_AGE: Final = 0.5
_WRITTEN_OFF: Final = 7 * 24
"""An invoice that was written off rests so many times longer at the least: it is rarely paid after all."""
_LONGEST: Final = 30 * 24 * 3600.0


def rest(age: float, least: float, *, written_off: bool) -> float:
    """Seconds until the next reading of an invoice that is `age` seconds old."""
    shortest = least * _WRITTEN_OFF if written_off else least
    return max(shortest, min(age * _PART_OF_AGE, _LONGEST))
