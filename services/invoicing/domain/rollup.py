"""What a buyer owes for a show, and what was invoiced of it."""

from dataclasses import dataclass

from services.invoicing.domain.invoice import Status


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


@dataclass(frozen=True, slots=True)
class Billed:
    """The newest invoice of one buyer in one show that is not void."""

    invoice_id: str
    status: Status
    total: int
    """Minor units, over all invoices of the buyer that are not void."""
    digest: str
    """Of what was owed when it was planned."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where one buyer stands in one show."""

    buyer: Buyer
    owed: Owed
    billed: Billed | None
    revision: int
    """The highest revision so far, void ones included; 0 when there was none."""
