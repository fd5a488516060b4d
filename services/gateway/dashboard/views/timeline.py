"""What happened to one invoice, in the order in which it happened: its changes, its deliveries, its opening."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.gateway.dashboard.views.statuses import BADGES, badge_of
from services.gateway.schemas.invoices import (
    Channel,
    DeliveryState,
    DeliveryView,
    InvoiceChangeView,
    InvoiceDetail,
)

_CHANNELS: Final[dict[Channel, str]] = {"email": "by e-mail", "dm": "as a message", "manual": "by hand"}
_DELIVERED: Final[dict[DeliveryState, tuple[str, str]]] = {
    "queued": ("Link waits to be sent", "clock"),
    "requested": ("Link handed to the messaging service", "send"),
    "delivered": ("Link sent", "send"),
    "failed": ("Link was not sent", "triangle-alert"),
}
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    at: datetime | None
    icon: str
    title: str
    sentence: str
    who: str
    request_id: str = ""
    """The provider's name of the request that failed."""
    message: str = ""
    """The text to send by hand."""


def timeline_of(
    invoice: InvoiceDetail,
    changes: list[InvoiceChangeView],
    deliveries: list[DeliveryView],
    people: Mapping[str, str],
) -> list[Event]:
    """Newest first. `people` has the names of members by their ids."""
    events = [_change(change, people) for change in changes]
    events += [_delivery(delivery, people) for delivery in deliveries]
    if invoice.first_opened_at:
        times = invoice.opened_count
        again = f"Opened {times} times by now." if times > 1 else ""
        events.append(Event(invoice.first_opened_at, "eye", "Buyer opened the link", again, "Buyer"))
    return sorted(events, key=lambda event: event.at or _FIRST, reverse=True)


def _change(change: InvoiceChangeView, people: Mapping[str, str]) -> Event:
    word, icon = BADGES[badge_of(change.to_status)]
    same = change.from_status == change.to_status
    return Event(
        change.created_at,
        "info" if same else icon,
        "Noted" if same else word,
        change.reason,
        _who(change.actor, people),
        change.provider_request_id,
    )


def _delivery(delivery: DeliveryView, people: Mapping[str, str]) -> Event:
    title, icon = _DELIVERED[delivery.state]
    how = _CHANNELS[delivery.channel]
    who = "Showbill, as your settings say" if delivery.automatic else _who(delivery.actor, people)
    message = delivery.message if delivery.channel == "manual" else ""
    at = delivery.finished_at or delivery.created_at
    return Event(at, icon, f"{title} {how}", delivery.reason, who, message=message)


def _who(actor: str, people: Mapping[str, str]) -> str:
    """A member by name; a program; Stripe; or Showbill itself."""
    kind, _, one = actor.partition(":")
    if kind == "user":
        return people.get(one, "Somebody who has left")
    if kind == "token":
        return "A program, with an API token"
    return "Stripe" if kind == "event" else "Showbill"
