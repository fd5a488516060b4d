"""Connections to payment providers."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from services.gateway.schemas.base import Body, View

Availability = Literal["available", "coming_soon", "requires_plan"]
IntegrationStatus = Literal["active", "inactive", "needs_reconnect", "error"]
UpdateMode = Literal["live", "polling", "catching_up", "broken"]
ApiKey = Annotated[str, msgspec.Meta(max_length=512)]
Template = Annotated[str, msgspec.Meta(max_length=10_000)]


class StripeKeys(Body):
    """The operator's own keys, of one account and mode."""

    secret_key: Annotated[ApiKey, msgspec.Meta(description="sk_… or, better, a restricted key rk_…")]
    publishable_key: Annotated[ApiKey, msgspec.Meta(description="pk_…")]


class IntegrationSettingsChange(Body):
    """What is to change; the rest stays. Variables in templates stand in braces, for example {buyer}."""

    default_currency: (
        Annotated[str, msgspec.Meta(max_length=3, description="ISO 4217; empty for the account’s.")] | UnsetType
    ) = UNSET
    memo_template: Template | UnsetType = UNSET
    message_template: Template | UnsetType = UNSET
    days_until_due: Annotated[int, msgspec.Meta(ge=1, le=365)] | UnsetType = UNSET
    footer: Template | UnsetType = UNSET
    automatic_sending: bool | UnsetType = UNSET
    payment_instructions: Template | UnsetType = UNSET


class PreviewedInvoice(Body):
    """The invoice that a preview takes its values from."""

    show_id: str
    invoice_id: str


class PreviewBody(Body):
    """A template, and values for its variables: your own, else those of an invoice, else a sample."""

    template: Template
    setting: Annotated[
        Literal["", "memo_template", "message_template"],
        msgspec.Meta(description="The setting that it is for: a memo has no link. The message when left out."),
    ] = ""
    values: dict[str, Annotated[str, msgspec.Meta(max_length=2000)]] = msgspec.field(default_factory=dict)
    invoice: PreviewedInvoice | None = None


class PreviewView(View):
    """A template with its values put in."""

    text: str
    variables: Annotated[list[str], msgspec.Meta(description="What a template may use.")]
    warning: Annotated[
        str,
        msgspec.Meta(description="A sentence where the text is too long, so that its end would be cut; else empty."),
    ] = ""
    max_length: Annotated[int, msgspec.Meta(description="Characters that the template may have.")] = 0


class IntegrationSettingsView(View):
    """What the operator may set."""

    default_currency: str
    default_currency_exponent: Annotated[int, msgspec.Meta(description="Digits after its decimal point.")]
    memo_template: str
    message_template: str
    days_until_due: int
    footer: str
    automatic_sending: bool
    payment_instructions: str
    etag: Annotated[str, msgspec.Meta(description="Names this state of the settings, for `If-Match` of a change.")]


class IntegrationView(View):
    """A workspace's connection to a provider. Holds no secret."""

    id: str
    provider: str
    connected: bool
    status: IntegrationStatus
    status_reason: str
    status_since: Annotated[
        datetime | None, msgspec.Meta(description="Null while it has not changed since connecting.")
    ]
    account_id: str
    livemode: bool
    country: str
    default_currency: str
    key_hint: Annotated[str, msgspec.Meta(description="At most the last four characters of the key.")]
    account_name: Annotated[str, msgspec.Meta(description="Empty where the key may not read it.")]
    public_key_hint: Annotated[
        str, msgspec.Meta(description="At most the last four characters of the key that is no secret.")
    ]
    key_kind: Annotated[
        str, msgspec.Meta(description="What the key begins with, such as `rk_live`; empty while that is not known.")
    ]
    invoices_url: Annotated[
        str, msgspec.Meta(description="All invoices of the account at the provider; empty where it has no such page.")
    ]
    update_mode: Annotated[UpdateMode | None, msgspec.Meta(description="How the connection hears of payments.")]
    update_mode_reason: str
    settings: IntegrationSettingsView
    connected_at: datetime | None
    connected_by: str
    last_event_at: datetime | None


class PermissionView(View):
    """One permission of the key."""

    name: str
    granted: bool
    required: bool
    purpose: str


class ConnectFieldView(View):
    """One field of the credentials that a provider asks for."""

    name: Annotated[str, msgspec.Meta(description="As the provider has it; in bodies of requests in camelCase.")]
    label: str
    hint: str
    placeholder: str
    hidden: Annotated[bool, msgspec.Meta(description="Never shown again once it was typed.")]


class ListedIntegrationView(View):
    """A provider of the catalogue, with the workspace's connection to it."""

    provider: str
    name: str
    description: str
    icon: str
    availability: Availability
    required_plan: str
    connected: bool
    status: Annotated[IntegrationStatus | None, msgspec.Meta(description="Null when it was never connected.")]
    status_reason: str
    account_id: str
    livemode: bool | None
    key_hint: str
    account_name: str
    invoices_url: Annotated[str, msgspec.Meta(description="All invoices of the account at the provider.")]
    update_mode: UpdateMode | None
    update_mode_reason: str
    connected_at: datetime | None
    last_event_at: datetime | None
    connect_fields: Annotated[
        list[ConnectFieldView], msgspec.Meta(description="What connecting asks for; empty where nothing is needed.")
    ]
    permissions: Annotated[
        list[PermissionView],
        msgspec.Meta(description="What the keys are examined for. Only a test says what is granted."),
    ]
    settings: Annotated[list[str], msgspec.Meta(description="The settings that have an effect, by name.")]
    keys_url: Annotated[str, msgspec.Meta(description="Where its keys are found and made; empty without such a page.")]


class ConnectedView(IntegrationView):
    """The new connection, and what the operator should read."""

    permissions: list[PermissionView]
    warnings: list[str]


class DisconnectedView(IntegrationView):
    """The connection as it is now. `warning` names an endpoint that has to be removed by hand."""

    orphaned_endpoint_id: str
    warning: str


class WebhookEndpointView(View):
    """Our webhook endpoint on the operator's account."""

    exists: bool
    enabled: bool
    url: str
    api_version: str
    missing_events: list[str]


class HealthReport(View):
    """What a live call to the provider told."""

    healthy: bool
    livemode: bool
    latency_ms: float
    reason: str
    account_id: str
    permissions: list[PermissionView]
    webhook_endpoint: WebhookEndpointView | None
    update_mode: UpdateMode | None
    last_event_at: datetime | None


class AuditEntryView(View):
    """Something that was done with a connection's keys."""

    id: str
    action: Annotated[str, msgspec.Meta(description="connect, replace, test, settings, disconnect, use, lose, …")]
    actor: Annotated[str, msgspec.Meta(description="user:…, token:… (an API token) or worker:… (the service itself)")]
    time: Annotated[datetime | None, msgspec.Meta(description="Of what is counted, the first time in its hour.")]
    detail: str
    count: Annotated[int, msgspec.Meta(description="How often within the hour, for `use`; 1 for all others.")]


class AuditPage(View):
    """A page of the audit, newest first."""

    items: list[AuditEntryView]
    next_page_token: str


class IntegrationList(View):
    """The whole catalogue, in its order."""

    items: list[ListedIntegrationView]
