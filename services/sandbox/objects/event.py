"""The event object, as recorded of API version 2026-08-26.dahlia."""

from typing import Any

import msgspec

from services.sandbox.records import Event, Json
from services.sandbox.store import Dataset


def pending_webhooks(dataset: Dataset, event: Event) -> int:
    """How many endpoints have not yet acknowledged the event."""
    deliveries = [dataset.deliveries[one] for one in dataset.deliveries_of.get(event.id, ())]
    acknowledged = {delivery.endpoint for delivery in deliveries if delivery.state == "delivered"}
    return len({delivery.endpoint for delivery in deliveries} - acknowledged)


def render(dataset: Dataset, event: Event, api_version: str | None = None) -> Json:
    shown: dict[str, Any] = {
        "id": event.id,
        "object": "event",
        "api_version": api_version or event.api_version,
        "created": event.created,
        "data": event.data,
        "livemode": event.livemode,
        "pending_webhooks": pending_webhooks(dataset, event),
        "request": {"id": event.request_id, "idempotency_key": event.idempotency_key},
        "type": event.type,
    }
    return shown


def wire_body(dataset: Dataset, event: Event, api_version: str | None) -> bytes:
    """What a webhook carries: the event, indented by two spaces as Stripe sends it."""
    return msgspec.json.format(msgspec.json.encode(render(dataset, event, api_version)), indent=2)
