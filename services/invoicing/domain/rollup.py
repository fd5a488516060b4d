"""What a buyer owes for a show, and what was invoiced of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.invoicing.domain.invoice import UNSETTLED, DraftReason, Status


@dataclass(frozen=True, slots=True)
class Buyer:
    """A person on a live platform. Only platform and platform_user_id name them; the rest are labels."""

    id: str
    platform: str
    platform_user_id: str
    handle: str
    display_name: str
    email: str
    pay_token: str = ""
    """Of the link for the show at hand; empty when there is none in force."""


@dataclass(frozen=True, slots=True)
class Owed:
    """The winner claims of one buyer in one show, summed."""

    total: int
    """Minor units, of the priced lines."""
    claim_count: int
    line_count: int
    unpriced_count: int
    digest: str
    """Changes with items, quantities and prices."""


NOTHING = Owed(total=0, claim_count=0, line_count=0, unpriced_count=0, digest="")
_UNTOLD: Final = "untold "
"""Before a digest: the provider may not have what the invoice bills. So it is like no digest, nor like none."""


def untold(digest: str) -> str:
    """Of a draft that the provider is to be told of, until it said that it has it."""
    return _UNTOLD + digest


def digest_of(noted: str, *, taken: bool) -> str:
    """What is noted, as what is owed is compared with it. `taken`: at the provider it came to what it bills here."""
    return noted.removeprefix(_UNTOLD) if taken else noted


class ChangeKind(StrEnum):
    """What is done about an invoice whose buyer's claims or prices changed since."""

    EDIT_DRAFT = "edit_draft"
    """The provider's draft is brought to what is owed now."""
    REISSUE = "reissue"
    """It is voided, and issued again as the next revision behind the same pay link."""
    SUPPLEMENT = "supplement"
    """Another invoice beside what is settled, for the difference."""
    VOID = "void"
    RETRY = "retry"
    """Its making failed: tried again with what is owed now."""
    NONE = "none"
    """Nothing that can be done here; the sentence says what the operator can do."""


@dataclass(frozen=True, slots=True)
class Made:
    """Where an invoice was made."""

    provider: str
    account_id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class Billed:
    """The newest invoice of one buyer in one show that is not void, and what those before it come to.

    An unsettled one is always the newest. One that is void is given only while a change of it is under way.
    """

    invoice_id: str
    status: Status
    total: int
    """Minor units, over all invoices of the buyer that are not void."""
    digest: str
    """Of what was owed when it was planned; one of its own for what the provider may have otherwise."""
    draft_reason: DraftReason | None = None
    settled: int = 0
    """Minor units, over those that are paid or written off."""
    settled_count: int = 0
    paid: int = 0
    """Minor units, over those that are paid: what was written off brought no money."""
    settled_adjusted: bool = False
    """The total of one that is paid or written off was changed at the provider."""
    own: int = 0
    """Minor units of the newest alone."""
    beside: int = 0
    """What the others had settled, in minor units, when the newest was planned."""
    adjusted: bool = False
    """Somebody edited the newest at the provider."""
    told_email: str = ""
    """The e-mail address that the provider was told for the newest; empty where it was told none."""
    made: Made | None = None
    """Where the newest was made; None when nothing is known to stand there."""
    changing: str | None = None
    """The digest of what was owed when the change that is under way was planned; None when none is."""

    @property
    def unsettled(self) -> bool:
        return self.status in UNSETTLED

    @property
    def settled_by_others(self) -> int:
        """Minor units."""
        return self.settled if self.unsettled else self.settled - self.own


@dataclass(frozen=True, slots=True)
class Position:
    """Where one buyer stands in one show."""

    buyer: Buyer
    owed: Owed
    billed: Billed | None
    revision: int
    """The highest revision so far, void ones included; 0 when there was none."""
    other_currency: bool = False
    """Whether the buyer was billed in another currency than the show's."""
