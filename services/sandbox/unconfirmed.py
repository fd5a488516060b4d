"""What no recording confirms: shapes taken from the SDK's classes, and words taken from elsewhere.

docs/sandbox.md lists them for readers; tests hold both to the same list.
"""

from typing import Final

UNCONFIRMED: Final[dict[str, tuple[str, ...]]] = {
    "Account": (
        "business_profile",
        "business_type",
        "capabilities",
        "charges_enabled",
        "controller",
        "country",
        "created",
        "default_currency",
        "details_submitted",
        "email",
        "external_accounts",
        "future_requirements",
        "id",
        "metadata",
        "object",
        "payouts_enabled",
        "requirements",
        "settings",
        "tos_acceptance",
        "type",
    ),
    "WebhookEndpoint": (
        "api_version",
        "application",
        "created",
        "description",
        "enabled_events",
        "id",
        "livemode",
        "metadata",
        "object",
        "secret",
        "status",
        "url",
    ),
}
