"""What happened to invoices, from Stripe's list of events: what the webhooks would have told, under the same ids."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.endpoints import EVENTS
from services.integrations.adapters.stripe.mapping import InvoiceMapper
from services.integrations.adapters.stripe.operations import LIST_EVENTS
from services.integrations.adapters.stripe.webhook import translate
from services.integrations.connection_values import Link
from services.integrations.invoice_values import Binding, EventPage, MalformedEvent, ProviderEvent

log = structlog.get_logger()


async def list_changed(
    api: StripeApi, mapper: InvoiceMapper, link: Link, since: datetime | None, size: int, after: str
) -> EventPage:
    """One call. Stripe keeps events for 30 days, and takes at most 20 types: ours are those of the endpoint."""
    params: dict[str, Any] = {"types": list(EVENTS), "limit": size}
    if since:
        params["created"] = {"gte": int(since.timestamp())}
    if after:
        params["starting_after"] = after
    page = await api.call(replace(link, background=True), LIST_EVENTS, params)
    read = [(_read(mapper, link, one), one) for one in page["data"]]
    next_after = page["data"][-1]["id"] if page["has_more"] and page["data"] else ""
    unreadable = (_invoice_of(told) for one, told in read if one is None)
    return EventPage([one for one, _ in read if one], next_after, tuple(filter(None, unreadable)))


def _read(mapper: InvoiceMapper, link: Link, event: Any) -> ProviderEvent | None:
    """The event as its webhook would have it; None where it cannot be read. Lists have the dialect of the account's own
    API version, the endpoint has ours: an event noted here as telling nothing would keep its webhook from counting."""
    try:
        return translate(mapper, Binding(link.account_id, link.livemode, ()), event)
    except MalformedEvent as error:
        named = event.get("id") if isinstance(event, dict) else None
        log.warning("a listed event cannot be read", event_id=str(named), error=str(error))
        return None


def _invoice_of(event: Any) -> str:
    """The id of the invoice that an unreadable event is about; empty where it does not even say that."""
    try:
        told = event["data"]["object"]
        return str(told["id"]) if told["object"] == "invoice" else ""
    except (KeyError, TypeError):
        return ""
