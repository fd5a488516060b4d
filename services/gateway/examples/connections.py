"""The connection to Stripe."""

from typing import Any, Final

from msgspec.structs import asdict

from services.gateway.examples.ids import AUDIT, CURSOR, ETAG, INTEGRATION, INVOICE, SHOW, USER, at
from services.gateway.schemas.integrations import (
    AuditEntryView,
    AuditPage,
    ConnectedView,
    ConnectFieldView,
    DisconnectedView,
    HealthReport,
    IntegrationList,
    IntegrationSettingsChange,
    IntegrationSettingsView,
    IntegrationView,
    ListedIntegrationView,
    PermissionView,
    PreviewBody,
    PreviewedInvoice,
    PreviewView,
    StripeKeys,
    WebhookEndpointView,
)
from services.gateway.schemas.verification import HearingView

_ACCOUNT: Final = "acct_1QxExample0000"
_SETTINGS: Final = IntegrationSettingsView(
    default_currency="GBP",
    default_currency_exponent=2,
    memo_template="{show_name}: thank you, {buyer}!",
    message_template="Hi {buyer}, your items from {show_name}: {pay_link}",
    days_until_due=7,
    footer="Posted within two days of payment.",
    automatic_sending=False,
    payment_instructions="",
    etag=ETAG,
)
_CONNECTION: Final = IntegrationView(
    id=INTEGRATION,
    provider="stripe",
    connected=True,
    status="active",
    status_reason="",
    status_since=None,
    account_id=_ACCOUNT,
    livemode=True,
    country="GB",
    default_currency="GBP",
    key_hint="9fQ2",
    account_name="Sunday Vintage",
    public_key_hint="k3Zt",
    key_kind="rk_live",
    invoices_url=f"https://dashboard.stripe.com/{_ACCOUNT}/invoices",
    update_mode="live",
    update_mode_reason="",
    settings=_SETTINGS,
    connected_at=at(9, 30),
    connected_by=f"user:{USER}",
    last_event_at=at(19, 57),
)
_PERMISSIONS: Final = [
    PermissionView(name="Invoices: Write", granted=True, required=True, purpose="Makes and sends invoices."),
    PermissionView(name="Webhook Endpoints: Write", granted=True, required=False, purpose="Hears of payments at once."),
]


def _shared(view: IntegrationView) -> dict[str, Any]:
    return asdict(view)


CONNECTIONS: Final = (
    IntegrationList(
        [
            ListedIntegrationView(
                provider="stripe",
                name="Stripe",
                description="Invoices with cards and wallets, on your own account.",
                icon="stripe",
                availability="available",
                required_plan="",
                connected=True,
                status="active",
                status_reason="",
                account_id=_ACCOUNT,
                livemode=True,
                key_hint="9fQ2",
                account_name="Sunday Vintage",
                invoices_url=f"https://dashboard.stripe.com/{_ACCOUNT}/invoices",
                update_mode="live",
                update_mode_reason="",
                connected_at=at(9, 30),
                last_event_at=at(19, 57),
                connect_fields=[
                    ConnectFieldView(
                        name="secret_key",
                        label="Secret key",
                        hint="A restricted key is better.",
                        placeholder="rk_live_…",
                        hidden=True,
                    )
                ],
                permissions=_PERMISSIONS,
                settings=["memo_template", "message_template", "days_until_due", "footer"],
                keys_url="https://dashboard.stripe.com/apikeys",
            )
        ]
    ),
    _CONNECTION,
    StripeKeys(secret_key="rk_live_…", publishable_key="pk_live_…"),
    ConnectedView(**_shared(_CONNECTION), permissions=_PERMISSIONS, warnings=[]),
    DisconnectedView(
        **{
            **_shared(_CONNECTION),
            "connected": False,
            "status": "inactive",
            "key_hint": "",
            "public_key_hint": "",
            "key_kind": "",
            "update_mode": None,
        },
        orphaned_endpoint_id="",
        warning="",
    ),
    HealthReport(
        healthy=True,
        livemode=True,
        latency_ms=184.2,
        reason="",
        account_id=_ACCOUNT,
        permissions=_PERMISSIONS,
        webhook_endpoint=WebhookEndpointView(
            exists=True,
            enabled=True,
            url=f"https://showbill.example/api/webhooks/stripe/{INTEGRATION}",
            api_version="2026-10-28.endive",
            missing_events=[],
        ),
        update_mode="live",
        last_event_at=at(19, 57),
    ),
    AuditPage(
        [AuditEntryView(id=AUDIT, action="use", actor="worker:invoicing", time=at(19), detail="", count=312)], CURSOR
    ),
    IntegrationSettingsChange(days_until_due=7, footer="Posted within two days of payment."),
    _SETTINGS,
    PreviewBody(
        template="Hi {buyer}, your items from {show_name}: {pay_link}",
        invoice=PreviewedInvoice(show_id=SHOW, invoice_id=INVOICE),
    ),
    PreviewView(
        text="Hi @rosa.finds, your items from Sunday vintage: https://showbill.example/p/…",
        variables=["buyer", "show_name", "show_date", "item_count", "total", "pay_link"],
        max_length=2_000,
    ),
    HearingView(
        mode="live",
        sentence="Payments are heard of at once.",
        last_heard_at=at(19, 57),
        last_success_at=at(19, 50),
        last_try_at=at(19, 50),
        failure="",
        account_id=_ACCOUNT,
        livemode=True,
        unpaid_invoice_count=21,
        event_count=61,
        told_event_count=58,
        read_event_count=3,
        last_event_type="invoice.paid",
        last_event_at=at(19, 57),
    ),
)
