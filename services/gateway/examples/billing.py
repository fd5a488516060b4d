"""Plan, invoices, links sent, and the proof."""

from typing import Any, Final

from msgspec.structs import asdict

from services.gateway.examples.ids import (
    BUYER,
    CURSOR,
    DELIVERY,
    GENERATION,
    INVOICE,
    PAY_PATH,
    SENDING,
    SHOW,
    STRAY,
    USER,
    at,
)
from services.gateway.examples.sale import BUYER_OF_SHOW
from services.gateway.schemas.invoices import (
    DeliveryView,
    GenerateBody,
    GenerationView,
    InvoiceChangeView,
    InvoiceDetail,
    InvoiceHistory,
    InvoiceLineView,
    InvoicePage,
    InvoiceRow,
    InvoiceView,
    MarkPaidBody,
    PlanEntryView,
    PlanView,
    RetryBody,
    RetryView,
    SendBody,
    SentView,
    SummaryPartView,
    SummaryView,
)
from services.gateway.schemas.marks import MarksReport
from services.gateway.schemas.sendings import DeliveryPage, PayLinkView, SendingView, SendManyBody
from services.gateway.schemas.shows import RejectedLine
from services.gateway.schemas.strays import SettleStrayBody, StrayPaymentPage, StrayPaymentView
from services.gateway.schemas.verification import BuyerProofView, VerificationView

_OPERATOR: Final = f"user:{USER}"
_PLAN_HASH: Final = "b5f1c0de7a"
_EXTERNAL: Final = "in_1QxExample0001"
SENT_INVOICE: Final = InvoiceView(
    id=INVOICE,
    show_id=SHOW,
    buyer_id=BUYER,
    platform="facebook",
    platform_user_id="10221940",
    handle="@rosa.finds",
    display_name="Rosa M.",
    email="rosa@example.com",
    status="sent",
    draft_reason=None,
    status_reason="",
    total=1530,
    currency="GBP",
    line_count=2,
    unpriced_count=0,
    revision=1,
    attempt=1,
    version=4,
    provider="stripe",
    external_id=_EXTERNAL,
    external_url="https://invoice.stripe.com/i/acct_1QxExample0000/live_…",
    provider_url=f"https://dashboard.stripe.com/invoices/{_EXTERNAL}",
    external_account="acct_1QxExample0000",
    livemode=True,
    number="RBN-0042",
    paid_at=None,
    sent_at=at(19, 52),
    send_count=1,
    created_at=at(19, 50),
    updated_at=at(19, 52),
    pay_path=PAY_PATH,
    adjusted_at_provider=False,
)
_LINES: Final = [
    InvoiceLineView("85123A", "White hanging heart T-light holder", 2, 255, 510),
    InvoiceLineView("71053", "White metal lantern", 3, 340, 1020),
]
_GENERATION: Final = GenerationView(
    id=GENERATION,
    show_id=SHOW,
    state="running",
    total_count=74,
    created_count=31,
    failed_count=0,
    pending_count=43,
    draft_count=2,
    unchanged_count=0,
    skipped_buyers=[],
    created_at=at(19, 50),
    finished_at=None,
    actor=_OPERATOR,
    change_count=0,
    cancelled_count=0,
    marks_paid=False,
    rate=8.2,
    remaining_seconds=5.3,
)
_DELIVERY: Final = DeliveryView(
    id=DELIVERY,
    invoice_id=INVOICE,
    channel="email",
    state="delivered",
    reason="",
    message="Hi @rosa.finds, your items from Sunday vintage: https://showbill.example/p/…",
    link=f"https://showbill.example{PAY_PATH}",
    sending_id=SENDING,
    automatic=False,
    actor=_OPERATOR,
    created_at=at(19, 52),
    finished_at=at(19, 52, 1),
)
_SENDING: Final = SendingView(
    id=SENDING,
    show_id=SHOW,
    state="running",
    total_count=72,
    queued_count=40,
    requested_count=0,
    delivered_count=32,
    failed_count=0,
    skipped_count=0,
    created_at=at(19, 52),
    finished_at=None,
    actor=_OPERATOR,
)


def _row() -> dict[str, Any]:
    return asdict(SENT_INVOICE) | {
        "opened_count": 1,
        "first_opened_at": at(19, 55),
        "priced_since": False,
        "provider_request_id": "",
        "paid_outside": "",
        "being_made": False,
    }


def _part(amount: int, count: int) -> SummaryPartView:
    return SummaryPartView(amount=amount, count=count)


_STRAY: Final = StrayPaymentView(
    id=STRAY,
    show_id=SHOW,
    invoice_id=INVOICE,
    handle="@rosa.finds",
    display_name="Rosa M.",
    platform_user_id="10221940",
    provider="stripe",
    external_account="acct_1QxExampleOld",
    livemode=True,
    external_id="in_1QxExample0009",
    provider_url="https://dashboard.stripe.com/invoices/in_1QxExample0009",
    total=1530,
    currency="GBP",
    paid_at=at(20, 4),
    noted_at=at(20, 9),
    settlement="returned",
    note="Refunded at Stripe.",
    settled_by=_OPERATOR,
    settled_at=at(20, 31),
)
BILLING: Final = (
    PlanView(
        items=[
            PlanEntryView(
                buyer=BUYER_OF_SHOW,
                action="create",
                reason="",
                warnings=[],
                total=1530,
                invoiced_total=None,
                invoice_id="",
                change=None,
            )
        ],
        plan_hash=_PLAN_HASH,
        warnings=[],
        currency="GBP",
        create_total=1530,
    ),
    GenerateBody(plan_hash=_PLAN_HASH),
    _GENERATION,
    RetryBody(invoice_ids=[INVOICE]),
    RetryView(retried_count=1, generation=_GENERATION),
    SENT_INVOICE,
    InvoicePage(
        items=[InvoiceRow(**_row())],
        seq=1204,
        total_size=74,
        next_page_token=CURSOR,
        counts={"draft": 2, "sent": 60, "paid": 12},
    ),
    InvoiceDetail(**_row(), lines=_LINES),
    InvoiceHistory(
        [
            InvoiceChangeView(None, "pending", "", _OPERATOR, at(19, 50), 1, ""),
            InvoiceChangeView("pending", "draft", "", "worker:invoicing", at(19, 50, 2), 2, ""),
            InvoiceChangeView("draft", "sent", "", _OPERATOR, at(19, 52), 4, ""),
        ]
    ),
    MarksReport(
        created=0,
        updated=12,
        unchanged=61,
        rejected=[RejectedLine(17, "The invoice is of £12.50, the file says £10.00. A part cannot be marked.")],
        rejected_count=1,
        encoding="UTF-8",
        separator="comma",
        updated_total=34_000,
        currency="GBP",
        generation_ids=[GENERATION],
    ),
    MarkPaidBody(note="Cash, at the door."),
    SendBody(channel="email"),
    SentView(invoice=SENT_INVOICE, delivery=_DELIVERY),
    SendManyBody(channel_without_email="manual"),
    _SENDING,
    DeliveryPage([_DELIVERY], CURSOR),
    PayLinkView(pay_path=PAY_PATH),
    SummaryView(
        currency="GBP",
        claimed=_part(182_340, 74),
        not_invoiced=_part(0, 0),
        pending=_part(0, 0),
        draft=_part(3_100, 1),
        held_back=_part(1_700, 1),
        sent=_part(150_000, 60),
        paid=_part(27_540, 12),
        error=_part(0, 0),
        payment_failed=_part(0, 0),
        void=_part(0, 0),
        uncollectible=_part(0, 0),
        moved=_part(0, 0),
        unpriced_lines=_part(0, 1),
        unexplained=_part(0, 0),
        stray=_part(0, 0),
        balanced=True,
        running_sending_id="",
        seq=1204,
    ),
    SettleStrayBody(settlement="returned", note="Refunded at Stripe."),
    _STRAY,
    StrayPaymentPage([_STRAY], CURSOR),
    VerificationView(
        verdict="proven",
        proven=True,
        show_name="Sunday vintage",
        currency="GBP",
        verified_at=at(20),
        invoice_count=1,
        provider_invoice_count=1,
        findings=[],
        buyers=[
            BuyerProofView(
                buyer_id=BUYER,
                platform="facebook",
                platform_user_id="10221940",
                handle="@rosa.finds",
                owed=1530,
                invoiced=1530,
                provider_total=1530,
                invoice_count=1,
                provider_invoice_count=1,
                verdict="proven",
                reason="",
            )
        ],
        unchecked_accounts=[],
    ),
)
