"""What came back from Stripe, looked at before it is believed: a proxy or an outage may answer anything."""

from typing import Any, Final, TypeAlias

from services.integrations.adapters.stripe.errors import UNSURE
from services.integrations.adapters.stripe.operations import Operation
from services.integrations.failures import AdapterError, Failure

Json: TypeAlias = dict[str, Any]
"""An object of Stripe's API as it came: parsed JSON."""

_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "account": ("id",),
    "balance": ("livemode",),
    "customer": ("id",),
    "event": ("id",),
    "invoice": ("id", "status", "total", "currency", "lines"),
    "line_item": ("id", "amount"),
    "list": ("data", "has_more"),
    "webhook_endpoint": ("id", "url", "status", "enabled_events"),
}
"""By the object's own name: what is read from it without asking whether it is there."""


def read_object(data: object, operation: Operation) -> Json:
    """Raises AdapterError PROVIDER_UNAVAILABLE for what is no object of Stripe's: the outcome is unknown."""
    if not isinstance(data, dict) or data.get("object") != operation.answer or not _is_whole(data):
        raise not_understood(operation)
    if data["object"] == "list" and not (isinstance(data["data"], list) and all(map(_is_whole, data["data"]))):
        raise not_understood(operation)
    return data


def _is_whole(found: object) -> bool:
    if not isinstance(found, dict):
        return False
    needed = _NEEDED.get(str(found.get("object")))
    return needed is not None and bool(found.get("deleted") or all(name in found for name in needed))


def not_understood(operation: Operation) -> AdapterError:
    return AdapterError(
        Failure.PROVIDER_UNAVAILABLE, UNSURE, details={"operation": operation.name, "answer": "not understood"}
    )
