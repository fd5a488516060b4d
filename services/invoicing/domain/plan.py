"""What a generation would do for each buyer. A pure function of what is owed, what is invoiced, and the terms."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.common.money import format_money
from services.invoicing.domain.changes import Proposal, propose
from services.invoicing.domain.invoice import DraftReason, Status
from services.invoicing.domain.rollup import Billed, Buyer, ChangeKind, Owed, Position
from services.invoicing.domain.terms import Terms, held_back, why_not


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
    CURRENCY_CONFLICT = "currency_conflict"
    NOTHING_TO_PAY = "nothing_to_pay"
    MADE_IN_TEST_MODE = "made_in_test_mode"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What of the changes is to be carried out. Without, a run touches nothing that exists."""

    changes: bool = False
    """Those that claims and prices ask for."""
    emails: bool = False
    """Issuing again what could not be mailed to the buyer, where an e-mail address became known or changed."""

    def include(self, proposal: Proposal | None) -> bool:
        if proposal is None or proposal.change is ChangeKind.NONE:
            return False
        return self.emails if proposal.optional else self.changes


@dataclass(frozen=True, slots=True)
class Entry:
    """What would be done for one buyer."""

    buyer: Buyer
    owed: Owed
    billed: Billed | None
    action: Action
    reason: str
    proposal: Proposal | None
    draft_reason: DraftReason | None
    """Why the invoice to make, to issue again or to edit stays a draft."""
    warnings: tuple[Warn, ...]
    revision: int
    """Of the invoice to create, beside or in place of another one."""

    @property
    def change(self) -> ChangeKind | None:
        return self.proposal.change if self.proposal else None

    @property
    def beside(self) -> int:
        """Minor units that are settled beside the invoice that comes of it."""
        return self.billed.settled if self.billed else 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a generation would do, buyers in the order of their handles."""

    entries: tuple[Entry, ...]
    warnings: tuple[Warn, ...]
    wishes: Wishes
    hash: str
    """Names exactly this plan."""

    def having(self, action: Action) -> list[Entry]:
        return [entry for entry in self.entries if entry.action is action]

    @property
    def to_change(self) -> list[Entry]:
        """Whose invoices a run of this plan changes."""
        return [entry for entry in self.entries if self.wishes.include(entry.proposal)]

    def without(self, buyer_ids: Collection[str]) -> "Plan":
        """The part of it that is about other buyers. It keeps the name of the whole that was looked at."""
        left = tuple(entry for entry in self.entries if entry.buyer.id not in buyer_ids)
        return replace(self, entries=left) if buyer_ids else self

    @property
    def create_total(self) -> int:
        """Minor units."""
        return sum(entry.owed.total for entry in self.having(Action.CREATE))


def plan(positions: Sequence[Position], terms: Terms, wishes: Wishes = Wishes()) -> Plan:  # frozen
    """Plans every position. The order of the input makes no difference."""
    ordered = sorted(positions, key=lambda position: (position.buyer.handle.casefold(), position.buyer.id))
    entries = tuple(_entry(position, terms) for position in ordered)
    warnings = []
    if not terms.healthy:
        warnings.append(Warn.CONNECTION_UNHEALTHY)
    if not terms.livemode:
        warnings.append(Warn.TEST_MODE)
    return Plan(entries, tuple(warnings), wishes, _hash(entries, terms, wishes))


def _entry(position: Position, terms: Terms) -> Entry:
    owed, billed = position.owed, position.billed
    if billed is None:
        why = why_not(owed, terms)
        action, reason, proposal = (Action.SKIP if why else Action.CREATE), why, None
        draft_reason = None if why else held_back(owed, terms)
    else:
        proposal = propose(position.buyer, owed, billed, terms)
        action, reason = _beside(owed, billed, proposal, terms)
        draft_reason = proposal.draft_reason if proposal else _of_a_retry(owed, billed, terms)
    return Entry(
        buyer=position.buyer,
        owed=owed,
        billed=billed,
        action=action,
        reason=reason,
        proposal=proposal,
        draft_reason=draft_reason,
        warnings=_warnings(position, terms),
        revision=position.revision + 1,
    )


def _of_a_retry(owed: Owed, billed: Billed, terms: Terms) -> DraftReason | None:
    """Why a failed invoice would stay a draft when it is tried again as it is."""
    return held_back(owed, terms) if billed.status is Status.ERROR and not billed.settled_count else None


def _beside(owed: Owed, billed: Billed, proposal: Proposal | None, terms: Terms) -> tuple[Action, str]:
    """Of a buyer who has an invoice: whether it is right, and what happened since where it is not."""
    if billed.changing is not None and proposal is None:
        return Action.UNCHANGED, "A change of it is under way."
    if billed.status is Status.ERROR:
        return _beside_a_failure(owed, proposal, terms)
    if proposal is None or proposal.optional:
        return Action.UNCHANGED, ""
    if not owed.line_count:
        return Action.CHANGED, "The buyer no longer wins anything, but has an invoice."
    was, now = (format_money(amount, terms.currency) for amount in (billed.total, owed.total))
    return Action.CHANGED, f"Claims or prices changed since it was invoiced: it was {was}, now it is {now}."


def _beside_a_failure(owed: Owed, proposal: Proposal | None, terms: Terms) -> tuple[Action, str]:
    if proposal is None:
        return Action.UNCHANGED, "Its making failed; retry it."
    if proposal.change is ChangeKind.RETRY:
        return Action.CHANGED, "Its making failed; retry it, and it bills the claims and prices of now."
    return Action.CHANGED, f"Its making failed, so no invoice is there. {why_not(owed, terms)}".strip()


def _warnings(position: Position, terms: Terms) -> tuple[Warn, ...]:
    owed = position.owed
    free = owed.total == 0 and not owed.unpriced_count
    reason = held_back(owed, terms)
    found = (
        (Warn.UNPRICED, reason is DraftReason.NEEDS_PRICE),
        (Warn.BELOW_MINIMUM, reason is DraftReason.BELOW_MINIMUM and not free),
        (Warn.NO_EMAIL, not position.buyer.email),
        (Warn.MANY_LINES, 0 < terms.maximum_lines < owed.line_count),
        (Warn.CURRENCY_CONFLICT, position.other_currency),
        (Warn.NOTHING_TO_PAY, free),
        (Warn.MADE_IN_TEST_MODE, _is_of_a_rehearsal(position.billed, terms)),
    )
    return tuple([warning for warning, holds in found if holds])


def _is_of_a_rehearsal(billed: Billed | None, terms: Terms) -> bool:
    """Whether the newest invoice is of test mode, though the provider's connection is live by now."""
    made = billed.made if billed else None
    return terms.livemode and made is not None and made.provider == terms.provider and not made.livemode


def _hash(entries: Sequence[Entry], terms: Terms, wishes: Wishes) -> str:
    """Over all that is proposed, whether a run is to carry it out or not: the operator looked at all of it."""
    told = [f"{terms.currency} {terms.provider} {terms.account_id} {terms.livemode} {wishes}"]
    for entry in sorted(entries, key=lambda entry: entry.buyer.id):
        line = f"{entry.buyer.id} {entry.action} {entry.owed.digest} {entry.draft_reason} {entry.revision}"
        proposal, billed = entry.proposal, entry.billed
        if proposal and billed:
            line += f" {billed.invoice_id} {proposal.change} {proposal.before} {proposal.bill} {billed.settled}"
        told.append(line)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
