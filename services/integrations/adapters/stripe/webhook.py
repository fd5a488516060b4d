"""Stripe's webhooks: the raw bytes are verified first, then read, then translated by a literal table."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from stripe import SignatureVerificationError, WebhookSignature

from services.integrations.adapters.stripe.mapping import InvoiceMapper, moment
from services.integrations.invoice_values import (
    BadSignature,
    Binding,
    EventType,
    MalformedEvent,
    ProviderEvent,
    ProviderInvoice,
)

UNREADABLE: Final = "The body is signed, but is no event that can be read."
SIGNATURE: Final = "stripe-signature"
TOLERANCE: Final = 300
"""Seconds that a signature may be old."""

TYPES: Final = {
    "invoice.finalized": EventType.FINALIZED,
    "invoice.sent": EventType.SENT,
    "invoice.paid": EventType.PAID,
    "invoice.payment_failed": EventType.PAYMENT_FAILED,
    "invoice.voided": EventType.VOIDED,
    "invoice.marked_uncollectible": EventType.MARKED_UNCOLLECTIBLE,
    "invoice.finalization_failed": EventType.FINALIZATION_FAILED,
    "invoice.deleted": EventType.DELETED,
    "invoice.overdue": EventType.OVERDUE,
}
"""What moves an invoice of ours. All other types are recorded only."""


def read_event(mapper: InvoiceMapper, binding: Binding, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
    """Raises BadSignature, or MalformedEvent for a signed body that is no event of the bound account and mode."""
    _verify(binding, body, headers.get(SIGNATURE, ""))
    try:
        event = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise MalformedEvent(UNREADABLE) from error
    return translate(mapper, binding, event)


def translate(mapper: InvoiceMapper, binding: Binding, event: Any) -> ProviderEvent:
    """A delivered event and a listed one alike. Raises MalformedEvent."""
    try:
        return _translate(mapper, binding, event)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise MalformedEvent(UNREADABLE) from error


def _verify(binding: Binding, body: bytes, header: str) -> None:
    if not header.isascii():  # the SDK's comparison takes nothing else
        raise BadSignature
    for secret in binding.secrets:
        try:
            WebhookSignature.verify_header(body, header, secret.reveal(), TOLERANCE)
        except (SignatureVerificationError, UnicodeDecodeError):
            continue
        return
    raise BadSignature


def _translate(mapper: InvoiceMapper, binding: Binding, event: dict[str, Any]) -> ProviderEvent:
    if event["object"] != "event" or not isinstance(event["id"], str) or not event["id"]:
        raise MalformedEvent("The body is signed, but is no event of Stripe’s first API.")
    if event["livemode"] is not binding.livemode:
        raise MalformedEvent("The event is of another mode than the connection that its secret belongs to.")
    name = event["type"]
    invoice = _invoice(mapper, binding, event, name)
    return ProviderEvent(
        event_id=event["id"],
        account_id=binding.account_id,
        livemode=binding.livemode,
        type=TYPES.get(name, EventType.OTHER) if invoice else EventType.OTHER,
        provider_type=name,
        occur_time=moment(event["created"]),
        invoice=invoice,
    )


def _invoice(mapper: InvoiceMapper, binding: Binding, event: dict[str, Any], name: str) -> ProviderInvoice | None:
    """The invoice that the event carries. One of a connected account is somebody else's."""
    if event.get("account") not in (None, binding.account_id):
        return None
    found = event["data"]["object"]
    if found.get("object") != "invoice" or not found.get("id"):  # an upcoming one has no id
        return None
    if name == "invoice.deleted":
        found = {**found, "deleted": True}
    return mapper.invoice(found, binding.account_id, livemode=binding.livemode)
