"""Claims, the order of their states, and what they tell of buyers. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

_ORDER: Final = ("waitlist", "winner", "released", "passed")

Rank: TypeAlias = tuple[int, datetime, int, int, list[str]]
Told: TypeAlias = tuple[datetime, str]
"""A label, and when the claim was made that told it. Without a label it was never told."""
_NOTHING: Final[Told] = (datetime.min.replace(tzinfo=UTC), "")


@dataclass(frozen=True, slots=True)
class Claim:
    """One state of a claim."""

    index: int
    """Place in the caller's request."""
    claim_id: str
    platform: str
    platform_user_id: str
    handle: str
    display_name: str
    email: str
    item_number: str
    quantity: int
    status: str
    claim_time: datetime | None
    sequence: int

    @property
    def person(self) -> tuple[str, str]:
        return self.platform, self.platform_user_id

    @property
    def rank(self) -> Rank:
        """The highest state of a claim stands: by sequence, then time, then status, then what makes the order total.

        The statement upsert_claims has the same order. The claim must have a time.
        """
        assert self.claim_time is not None
        names = [self.item_number, self.platform, self.platform_user_id]
        return self.sequence, self.claim_time, _ORDER.index(self.status), self.quantity, names


@dataclass(frozen=True, slots=True)
class Person:
    """What claims tell of a buyer."""

    platform: str
    platform_user_id: str
    handle: Told
    display_name: Told
    email: str


def timed(claims: Iterable[Claim], otherwise: datetime) -> list[Claim]:
    """A claim without a time counts as made with the show: the same value whenever it is sent again."""
    return [claim if claim.claim_time else replace(claim, claim_time=otherwise) for claim in claims]


def latest(claims: Sequence[Claim]) -> list[Claim]:
    """One state of each claim: the one that would stand if they came one after the other."""
    highest: dict[str, Claim] = {}
    for claim in claims:
        before = highest.get(claim.claim_id)
        if before is None or claim.rank > before.rank:
            highest[claim.claim_id] = claim
    return list(highest.values())


def people(claims: Iterable[Claim]) -> list[Person]:
    """Each buyer once, with the labels of the newest claims and the first e-mail."""
    known: dict[tuple[str, str], Person] = {}
    for claim in claims:
        before = known.get(claim.person, Person(*claim.person, _NOTHING, _NOTHING, ""))
        known[claim.person] = Person(
            *claim.person,
            _newer(before.handle, claim, claim.handle),
            _newer(before.display_name, claim, claim.display_name),
            before.email or claim.email,
        )
    return list(known.values())


def _newer(before: Told, claim: Claim, label: str) -> Told:
    """Of two claims made at once the one that is told later counts."""
    assert claim.claim_time is not None
    return (claim.claim_time, label) if label and claim.claim_time >= before[0] else before
