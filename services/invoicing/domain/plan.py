"""What a generation would do for each buyer. A pure function of what is owed, what is invoiced, and the terms."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.common.money import format_money
from services.invoicing.domain.invoice import DraftReason, Status
from services.invoicing.domain.rollup import Billed, Buyer, Owed, Position


class Action(StrEnum):
    CREATE = "create"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    SKIP = "skip"


class Warn(StrEnum):
    """What the operator should know before a run."""

    UNPRICED = "unpriced"
    BELOW_MINIMUM = "below_minimum"
    NO_EMAIL = "no_email"
    MANY_LINES = "many_lines"
    TEST_MODE = "test_mode"
    CONNECTION_UNHEALTHY = "connection_unhealthy"
    NOTHING_TO_PAY = "nothing_to_pay"


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

    @property
    def smallest(self) -> int:
        return self.minimum_totals.get(self.currency, 0)

    @property
    def largest(self) -> int:
        return self.maximum_totals.get(self.currency, self.maximum_total)


@dataclass(frozen=True, slots=True)
class Entry:
    """What would be done for one buyer."""

    buyer: Buyer
    owed: Owed
    billed: Billed | None
    action: Action
    reason: str
    draft_reason: DraftReason | None
    warnings: tuple[Warn, ...]
    revision: int
    """Of the invoice to create."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a generation would do, buyers in the order of their handles."""

    entries: tuple[Entry, ...]
    warnings: tuple[Warn, ...]
    hash: str
    """Names exactly this plan."""

    def having(self, action: Action) -> list[Entry]:
        return [entry for entry in self.entries if entry.action is action]

    @property
    def create_total(self) -> int:
        """Minor units."""
        return sum(entry.owed.total for entry in self.having(Action.CREATE))


def plan(positions: Sequence[Position], terms: Terms) -> Plan:
    """Plans every position. The order of the input makes no difference."""
    ordered = sorted(positions, key=lambda position: (position.buyer.handle.casefold(), position.buyer.id))
    entries = tuple(_entry(position, terms) for position in ordered)
    warnings = []
    if not terms.healthy:
        warnings.append(Warn.CONNECTION_UNHEALTHY)
    if not terms.livemode:
        warnings.append(Warn.TEST_MODE)
    return Plan(entries, tuple(warnings), _hash(entries, terms))


def _entry(position: Position, terms: Terms) -> Entry:
    owed, billed = position.owed, position.billed
    draft_reason = held_back(owed, terms)
    action, reason = _beside(owed, billed, terms) if billed is not None else afresh(owed, terms)
    return Entry(
        buyer=position.buyer,
        owed=owed,
        billed=billed,
        action=action,
        reason=reason,
        draft_reason=draft_reason if action is Action.CREATE else None,
        warnings=_warnings(position, draft_reason, terms),
        revision=position.revision + 1,
    )


def _beside(owed: Owed, billed: Billed, terms: Terms) -> tuple[Action, str]:
    """Of a buyer who has an invoice."""
    if billed.status is Status.ERROR:
        return _beside_a_failure(owed, billed, terms)
    if owed.digest == billed.digest:
        return Action.UNCHANGED, ""
    if not owed.line_count:
        return Action.CHANGED, "The buyer no longer wins anything, but has an invoice."
    was, now = (format_money(amount, terms.currency) for amount in (billed.total, owed.total))
    return Action.CHANGED, f"Claims or prices changed since it was invoiced: it was {was}, now it is {now}."


def _beside_a_failure(owed: Owed, billed: Billed, terms: Terms) -> tuple[Action, str]:
    if owed.digest == billed.digest:
        return Action.UNCHANGED, "Its making failed; retry it."
    action, why_not = afresh(owed, terms)
    if action is Action.SKIP:
        return Action.CHANGED, f"Its making failed, so no invoice is there. {why_not}"
    return Action.CHANGED, "Its making failed; retry it, and it bills the claims and prices of now."


def afresh(owed: Owed, terms: Terms) -> tuple[Action, str]:
    """Of a buyer who has no invoice, or only void ones: create, or skip and why."""
    if not owed.line_count:
        return Action.SKIP, "The buyer wins nothing any more."
    if owed.total == 0 and not owed.unpriced_count:
        return Action.SKIP, "Everything is free: there is nothing to pay."
    if terms.largest and owed.total > terms.largest:
        limit = format_money(terms.largest, terms.currency)
        return Action.SKIP, f"The total is above what the provider can charge at once, which is {limit}."
    return Action.CREATE, ""


def held_back(owed: Owed, terms: Terms) -> DraftReason | None:
    """Why the invoice would stay a draft; None when it is made payable."""
    if owed.unpriced_count:
        return DraftReason.NEEDS_PRICE
    return DraftReason.BELOW_MINIMUM if owed.total < terms.smallest else None


def _warnings(position: Position, draft_reason: DraftReason | None, terms: Terms) -> tuple[Warn, ...]:
    owed = position.owed
    free = owed.total == 0 and not owed.unpriced_count
    found = {
        Warn.UNPRICED: draft_reason is DraftReason.NEEDS_PRICE,
        Warn.BELOW_MINIMUM: draft_reason is DraftReason.BELOW_MINIMUM and not free,
        Warn.NO_EMAIL: not position.buyer.email,
        Warn.MANY_LINES: 0 < terms.maximum_lines < owed.line_count,
        Warn.NOTHING_TO_PAY: free,
    }
    return tuple(warning for warning, holds in found.items() if holds)


def _hash(entries: Sequence[Entry], terms: Terms) -> str:
    digest = hashlib.sha256(f"{terms.currency} {terms.account_id} {terms.livemode}".encode())
    for entry in sorted(entries, key=lambda entry: entry.buyer.id):
        digest.update(
            f"\n{entry.buyer.id} {entry.action} {entry.owed.digest} {entry.draft_reason} {entry.revision}".encode()
        )
    return digest.hexdigest()
