"""Invoices, plans and generations."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from services.gateway.schemas.base import Amount, Body, View
from services.gateway.schemas.shows import BuyerView

InvoiceStatus = Literal["pending", "draft", "sent", "paid", "error", "payment_failed", "void", "uncollectible"]
DraftReason = Literal["needs_price", "below_minimum", "not_finalized"]
PlanAction = Literal["create", "unchanged", "changed", "skip"]
PlanWarning = Literal[
    "unpriced",
    "below_minimum",
    "no_email",
    "many_lines",
    "test_mode",
    "connection_unhealthy",
    "currency_conflict",
    "nothing_to_pay",
    "made_in_test_mode",
]
ChangeKind = Literal["edit_draft", "reissue", "supplement", "void", "retry", "none"]
GenerationState = Literal["running", "finished", "cancelled"]
InvoiceSort = Literal[
    "", "handle", "-handle", "amount", "-amount", "status", "-status", "updated", "-updated", "items", "-items"
]
Channel = Literal["email", "dm", "manual"]
DeliveryState = Literal["queued", "requested", "delivered", "failed"]
MOST_IDS = 10_000


class InvoiceView(View):
    """What one buyer owes for one show: the data of `invoice.updated`; a row of the list says more."""

    id: str
    show_id: str
    buyer_id: str
    platform: str
    platform_user_id: str
    handle: str
    display_name: str
    email: str
    status: InvoiceStatus
    draft_reason: Annotated[DraftReason | None, msgspec.Meta(description="Why a draft is held back and not payable.")]
    status_reason: Annotated[str, msgspec.Meta(description="A sentence for the operator.")]
    total: Annotated[int, msgspec.Meta(description="Minor units of the currency.")]
    currency: str
    line_count: int
    unpriced_count: int
    revision: int
    attempt: int
    version: Annotated[int, msgspec.Meta(description="Rises with every change; ignore an older one.")]
    provider: str
    external_id: str
    external_url: Annotated[str, msgspec.Meta(description="Where the buyer pays, at the provider.")]
    provider_url: Annotated[str, msgspec.Meta(description="Where the operator sees it, at the provider.")]
    external_account: str
    livemode: bool
    number: str
    paid_at: datetime | None
    sent_at: datetime | None
    send_count: int
    created_at: datetime | None
    updated_at: datetime | None
    pay_path: Annotated[str, msgspec.Meta(description="The buyer's pay link, a path on this server.")]
    adjusted_at_provider: bool


class InvoiceLineView(View):
    """One line, as it was when the invoice was planned."""

    item_number: str
    title: str
    quantity: int
    unit_price: int | None
    amount: int


class InvoiceRow(InvoiceView):
    """A row of the list, with what events do not carry."""

    opened_count: Annotated[int, msgspec.Meta(description="How often the buyer opened the pay link.")]
    first_opened_at: datetime | None
    priced_since: Annotated[
        bool, msgspec.Meta(description="Held back for want of prices, and by now all have one: update the draft.")
    ]
    provider_request_id: Annotated[
        str, msgspec.Meta(description="In status `error`: the provider's name of the request that failed, or empty.")
    ]
    paid_outside: Annotated[
        str, msgspec.Meta(description="The note, where it was marked as paid outside the provider; `yes` without one.")
    ]
    being_made: Annotated[
        bool, msgspec.Meta(description="In status `pending`: it is being made just now, the others wait.")
    ]


class InvoiceDetail(InvoiceRow):
    """An invoice with its lines."""

    lines: list[InvoiceLineView]


class InvoicePage(View):
    """A page of invoices, with the position of the snapshot: events after `seq` are news."""

    items: list[InvoiceRow]
    seq: int
    total_size: int
    next_page_token: str
    counts: Annotated[
        dict[InvoiceStatus, int],
        msgspec.Meta(description="How many of all that the search finds are in each status; 0 is left out."),
    ]


class InvoiceChangeView(View):
    """One change of an invoice's status."""

    from_status: InvoiceStatus | None
    to_status: InvoiceStatus
    reason: str
    actor: str
    created_at: datetime | None
    version: int
    provider_request_id: Annotated[
        str, msgspec.Meta(description="The provider's name of the request that failed, or empty.")
    ]


class InvoiceHistory(View):
    """Every change, oldest first."""

    items: list[InvoiceChangeView]


class PlannedChangeView(View):
    """What is proposed about an invoice whose claims or prices changed since. Amounts in minor units."""

    kind: ChangeKind
    before: Annotated[int, msgspec.Meta(description="What is invoiced.")]
    after: Annotated[int, msgspec.Meta(description="What is owed.")]
    difference: Annotated[int, msgspec.Meta(description="`after` less `before`.")]
    sentence: Annotated[str, msgspec.Meta(description="What would be done, or what you can do.")]
    optional: Annotated[bool, msgspec.Meta(description="Only carried out with `reissueForEmail`.")]
    draft_reason: Annotated[DraftReason | None, msgspec.Meta(description="Why what comes of it would stay a draft.")]


class PlanEntryView(View):
    """What a generation would do for one buyer."""

    buyer: BuyerView
    action: PlanAction
    reason: str
    warnings: list[PlanWarning]
    total: int
    invoiced_total: int | None
    invoice_id: str
    change: Annotated[PlannedChangeView | None, msgspec.Meta(description="Null where the invoice is right as it is.")]


class PlanView(View):
    """What a generation would do. `planHash` names exactly this plan."""

    items: list[PlanEntryView]
    plan_hash: str
    warnings: list[PlanWarning]
    currency: str
    create_total: int


class GenerateBody(Body):
    """Whom to invoice: all buyers when `buyerIds` is left out. With a plan's hash, only that plan runs.

    Invoices that exist are touched only with `applyChanges` or `reissueForEmail`; ask for the plan with the same.
    """

    buyer_ids: Annotated[list[str], msgspec.Meta(max_length=MOST_IDS)] = msgspec.field(default_factory=list)
    plan_hash: str = ""
    provider: Annotated[str, msgspec.Meta(max_length=50, description="Who invoices; Stripe when it is left out.")] = ""
    apply_changes: Annotated[bool, msgspec.Meta(description="Carry out the changes that the plan proposes.")] = False
    reissue_for_email: Annotated[bool, msgspec.Meta(description="Carry out those that are `optional`.")] = False
    except_buyer_ids: Annotated[
        list[str], msgspec.Meta(max_length=MOST_IDS, description="Left out of the plan that `planHash` names.")
    ] = msgspec.field(default_factory=list)
    automatic_sending: Annotated[
        bool | None,
        msgspec.Meta(
            description="Whether each link is e-mailed once its invoice is ready; null: as the setting has it."
        ),
    ] = None
    expected_total: Annotated[
        Amount | None,
        msgspec.Meta(description="What the invoices to make come to in all, as you saw it: over another sum none is."),
    ] = None


class SkippedBuyerView(View):
    """A buyer that a generation left out."""

    buyer_id: str
    handle: str
    reason: str


class GenerationView(View):
    """One durable run."""

    id: str
    show_id: str
    state: GenerationState
    total_count: int
    created_count: int
    failed_count: int
    pending_count: int
    draft_count: int
    unchanged_count: int
    skipped_buyers: list[SkippedBuyerView]
    created_at: datetime | None
    finished_at: datetime | None
    actor: str
    change_count: Annotated[int, msgspec.Meta(description="Of the total, changes of invoices that stood before.")]
    cancelled_count: Annotated[int, msgspec.Meta(description="Left undone because run or invoice was cancelled.")]
    marks_paid: Annotated[bool, msgspec.Meta(description="It marks invoices as paid outside the provider.")]
    rate: Annotated[float, msgspec.Meta(description="Invoices per second, about over the last ten seconds.")]
    remaining_seconds: Annotated[
        float | None,
        msgspec.Meta(description="At this rate; null while that says nothing: just begun, nothing moves, or finished."),
    ]


class MarkPaidBody(Body):
    """A payment taken outside the provider."""

    note: Annotated[str, msgspec.Meta(max_length=500, description="Kept in the history.")] = ""
    amount: Annotated[
        Amount | None,
        msgspec.Meta(
            description="What was paid, in minor units: the whole of the invoice, or it is not marked. Left out, "
            "nobody says."
        ),
    ] = None


class RetryBody(Body):
    """Which invoices to try again: all in status `error` when left out."""

    invoice_ids: Annotated[list[str], msgspec.Meta(max_length=MOST_IDS)] = msgspec.field(default_factory=list)


class RetryView(View):
    """What was queued again."""

    retried_count: int
    generation: Annotated[GenerationView | None, msgspec.Meta(description="Null when there was nothing to retry.")]


class SendBody(Body):
    """How to deliver the link: `email` where the buyer has an address, else `manual`, when left out."""

    channel: Channel | None = None


class DeliveryView(View):
    """One attempt to deliver a link."""

    id: str
    invoice_id: str
    channel: Channel
    state: Annotated[
        DeliveryState,
        msgspec.Meta(
            description="`queued` waits for its turn or to be tried again; `requested` was handed to the messaging "
            "service, whose report is still to come."
        ),
    ]
    reason: Annotated[str, msgspec.Meta(description="A failure, a warning, or why it waits.")]
    message: Annotated[
        str, msgspec.Meta(description="The text to send, with the link in it; empty while it is queued.")
    ]
    link: str
    sending_id: Annotated[str, msgspec.Meta(description="The run that it belongs to, if any.")]
    automatic: Annotated[bool, msgspec.Meta(description="Sent on its own, as the settings say.")]
    actor: str
    created_at: datetime | None
    finished_at: datetime | None


class SentView(View):
    """The invoice as it is now, and what became of the delivery."""

    invoice: InvoiceView
    delivery: DeliveryView


class SummaryPartView(View):
    """Money and count of one part of a show."""

    amount: int
    count: int


class SummaryView(View):
    """A show's money; the parts always balance: claimed = not invoiced + moved + all invoices that are not void.

    `moved` is what claims, prices or an edit at the provider changed since the invoices were made; it may be negative.
    """

    currency: str
    claimed: SummaryPartView
    not_invoiced: SummaryPartView
    pending: SummaryPartView
    draft: SummaryPartView
    held_back: SummaryPartView
    sent: SummaryPartView
    paid: SummaryPartView
    error: SummaryPartView
    payment_failed: SummaryPartView
    void: SummaryPartView
    uncollectible: SummaryPartView
    moved: SummaryPartView
    unpriced_lines: SummaryPartView
    unexplained: Annotated[
        SummaryPartView,
        msgspec.Meta(description="The part of `moved` that neither claims, nor prices, nor an edit explain."),
    ]
    stray: Annotated[
        SummaryPartView,
        msgspec.Meta(
            description="Payments for what a late try had left at the provider: in no other part, and to be given back."
        ),
    ]
    balanced: Annotated[bool, msgspec.Meta(description="Whether nothing is unexplained.")]
    running_sending_id: Annotated[str, msgspec.Meta(description="The run that is sending links; empty when none is.")]
    seq: int
