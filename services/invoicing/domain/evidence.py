"""What the proof of a show looks at, and what comes of it. Frozen values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import DraftReason, Standing, Status
from services.invoicing.domain.rollup import Buyer, Owed


class Verdict(StrEnum):
    PROVEN = "proven"
    DISPROVED = "disproved"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Claimant:
    """A buyer of the show, and what they owe now."""

    buyer: Buyer
    owed: Owed


@dataclass(frozen=True, slots=True)
class Ours:
    """One of our invoices."""

    id: str
    buyer_id: str
    status: Status
    draft_reason: DraftReason | None
    total: int
    revision: int
    account: Account
    external_id: str
    adjusted: bool
    digest: str
    """Of what was owed when it was planned."""
    amounts: tuple[int, ...] | None = None
    """Minor units of its lines, sorted; None where they are too many to be compared."""

    @property
    def unsettled(self) -> bool:
        return self.status not in (Status.PAID, Status.VOID, Status.UNCOLLECTIBLE)


@dataclass(frozen=True, slots=True)
class Theirs:
    """One invoice at a provider that carries our mark."""

    account: Account
    external_id: str
    standing: Standing
    total: int
    currency: str
    invoice_id: str
    """Ours, from the mark."""
    replaced_by: str = ""
    paid_at: datetime | None = None
    amounts: tuple[int, ...] | None = None
    """Minor units of its lines, sorted; None where the list does not tell them all."""

    @property
    def place(self) -> "Place":
        return self.account, self.external_id


Place = tuple[Account, str]
"""An account and the provider's id in it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the proof looks at."""

    currency: str
    claimants: Sequence[Claimant]
    """With everybody who has an invoice of the show."""
    ours: Sequence[Ours]
    theirs: Mapping[Place, Theirs]
    strays: Sequence[Theirs]
    """With our mark, but of no invoice that is known here."""
    begun: Mapping[str, Sequence[Account]]
    """Accounts in which an invoice, by id, was begun before it was moved to another."""
    unchecked: Mapping[Account, str]
    """Accounts that could not be looked into, and why."""
    now: datetime
    settled: Collection[Place]
    """Where payments that count for no invoice came in, and somebody said what became of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `place` is to be read once more before it counts."""

    buyer_id: str
    problem: str
    invoice_id: str = ""
    external_id: str = ""
    accepted: bool = False
    unchecked: bool = False
    place: Place | None = None

    @property
    def fault(self) -> bool:
        return not (self.accepted or self.unchecked)


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence for one buyer."""

    claimant: Claimant
    invoiced: int
    provider_total: int
    invoice_count: int
    provider_invoice_count: int
    verdict: Verdict
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Report:
    """The proof of a show, or what is against it."""

    verdict: Verdict
    proofs: Sequence[Proof]
    findings: Sequence[Finding]
    """Faults first, then what could not be checked, then what was accepted."""
    evidence: Evidence

    @property
    def doubtful(self) -> list[Place]:
        """What differs, to be read once more."""
        return list({finding.place: None for finding in self.findings if finding.fault and finding.place})
