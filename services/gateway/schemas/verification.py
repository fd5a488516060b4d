"""How it is known that a show is right, and how payments are heard of."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from services.gateway.schemas.base import View

Verdict = Literal["proven", "disproved", "unchecked"]
HearingMode = Literal["live", "polling", "catching_up", "broken"]


class FindingView(View):
    """One thing that verification found."""

    buyer_id: str
    invoice_id: str
    external_id: str
    problem: str
    accepted: Annotated[bool, msgspec.Meta(description="Explained, for example by an edit at the provider: no fault.")]


class BuyerProofView(View):
    """The evidence for one buyer. Amounts in minor units; void invoices count nowhere."""

    buyer_id: str
    platform: str
    platform_user_id: str
    handle: str
    owed: Annotated[int, msgspec.Meta(description="What the buyer’s priced winner claims come to.")]
    invoiced: Annotated[int, msgspec.Meta(description="The sum of our invoices.")]
    provider_total: Annotated[int, msgspec.Meta(description="The sum of the provider’s.")]
    invoice_count: int
    provider_invoice_count: int
    verdict: Verdict
    reason: str


class UncheckedAccountView(View):
    """A provider account that could not be looked into."""

    provider: str
    account_id: str
    livemode: bool
    reason: str


class VerificationView(View):
    """The proof of a show, or what is against it.

    `unchecked` means that nothing is known to be wrong, but not everything could be looked at.
    """

    verdict: Verdict
    proven: bool
    show_name: str
    currency: str
    verified_at: datetime | None
    invoice_count: int
    provider_invoice_count: int
    findings: Annotated[list[FindingView], msgspec.Meta(description="Faults first, then what was accepted.")]
    buyers: list[BuyerProofView]
    unchecked_accounts: list[UncheckedAccountView]


class VerificationProgressView(View):
    """How far the provider was listed."""

    seen_count: Annotated[int, msgspec.Meta(description="Invoices of the workspace seen there, of whatever show.")]
    found_count: Annotated[int, msgspec.Meta(description="Those of them that are of this show.")]
    expected_count: Annotated[int, msgspec.Meta(description="What is to be found of this show, as far as is known.")]


class VerificationRowsView(View):
    """A part of the proof, in its order."""

    findings: list[FindingView]
    buyers: list[BuyerProofView]


class HearingView(View):
    """How news of payments comes from a provider."""

    mode: Annotated[HearingMode | None, msgspec.Meta(description="`broken`: nothing is heard just now.")]
    sentence: str
    last_heard_at: Annotated[datetime | None, msgspec.Meta(description="By webhook or by reading the provider.")]
    last_success_at: Annotated[datetime | None, msgspec.Meta(description="When it was last read without a gap.")]
    last_try_at: datetime | None
    failure: Annotated[str, msgspec.Meta(description="Why the last reading failed; empty when it did not.")]
    account_id: str
    livemode: bool
    unpaid_invoice_count: Annotated[
        int, msgspec.Meta(description="Invoices of the account that buyers can pay and have not paid, of all shows.")
    ]
    event_count: Annotated[int, msgspec.Meta(description="Events of the account within the last 24 hours.")]
    told_event_count: Annotated[int, msgspec.Meta(description="Those of them that a webhook told.")]
    read_event_count: Annotated[int, msgspec.Meta(description="Those that were read, since no webhook had told them.")]
    last_event_type: Annotated[
        str, msgspec.Meta(description="The provider’s name of the event that came last, of 30 days; empty for none.")
    ]
    last_event_at: Annotated[datetime | None, msgspec.Meta(description="When it came.")]
