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

BEHAVIOURS: Final[tuple[str, ...]] = (
    "A recording is of API version 2026-08-26.dahlia; that 2026-10-28.endive answers with the same fields is assumed.",
    "An invoice object embeds its first 10 lines.",
    "More than 250 lines are refused with 400; the words are the sandbox's.",
    "Changing the lines of a finalized invoice is refused with 400; the words are the sandbox's.",
    "An amount above 99,999,999 is refused with code amount_too_large; the words are the sandbox's.",
    "Amounts that a currency forbids (last digit of KWD, parts of ISK) are refused; the words are the sandbox's.",
    "A line with amount and a quantity other than 1 is refused.",
    "Sending an invoice that is charged automatically, or that is void or uncollectible, is refused with 400.",
    "Paying a void invoice, and paying without a payment method, are refused with 400; the words are the sandbox's.",
    "An invoice paid out of band cannot be voided, with the message for an invoice that is not open.",
    "Below the minimum charge amount_due is 0, ending_balance is the debt; minimums are the invoice currency's own.",
    "A negative total leaves amount_due 0 and the rest as credit on the customer.",
    "Voiding gives back the credit that finalizing used up.",
    "A customer may have invoices in several currencies; the first invoice gives the customer its currency.",
    "A payment on the hosted page raises attempt_count by one, and so does a declined one.",
    "add_lines causes invoice.updated; invoiceitem, charge, payment_intent and invoice_payment events are not made.",
    "customer.updated comes on a change of the balance, not on a change of currency or next_invoice_sequence.",
    "Events are kept for 30 days.",
    "Creating the seventeenth endpoint is refused with the quoted words.",
    "A publishable key is refused with 403 and code secret_key_required; a revoked key with 401 and api_key_expired.",
    "Names of permissions other than rak_webhook_write and rak_accounts_kyc_basic_read follow their pattern.",
    "A refusal for a missing endpoint or event names the parameter webhook_endpoint or id.",
    "A second request under a key in use has type idempotency_error; a key above 255 characters is refused with 400.",
    "Rate limits are token buckets that hold one second's worth; refused requests use up nothing.",
    "The words of the 429, of the 500, and of refusals for too long texts.",
    "Deliveries of one endpoint may overtake each other; an event to a disabled endpoint is given up.",
)
