"""How a connection to Stripe is: its keys, their permissions, our endpoint, and whether news got through."""

import asyncio
import time
from datetime import datetime
from typing import Final

from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.endpoints import EVENTS, Endpoints
from services.integrations.adapters.stripe.operations import LIST_EVENTS
from services.integrations.adapters.stripe.permissions import examine, missing_permissions
from services.integrations.adapters.stripe.probe import NO_CHARGES, names_of
from services.integrations.connection_values import EndpointState, Health, Link
from services.integrations.failures import AdapterError, Failure

_RETRIED_FOR: Final = 3 * 24 * 3600
"""Seconds for which Stripe goes on trying to deliver an event."""
_UNDER_WAY: Final = 5
"""Seconds that an event may take without being late."""
_NOTED_WITHIN: Final = 10
"""Seconds by which what we heard last may be later than it is noted."""

STOPPED = "Stripe stopped accepting this key. Connect again with a new key. Links already sent still take payments."
BEHIND = "Some news of payments could not be delivered yet. Stripe tries again, and what is missing is read meanwhile."


async def health(
    api: StripeApi, endpoints: Endpoints, link: Link, endpoint_id: str, url: str, heard: datetime | None
) -> Health:
    """Raises nothing: being unwell is an answer."""
    began = time.perf_counter()
    try:
        found, endpoint, behind = await asyncio.gather(
            examine(lambda operation, params: api.call(link, operation, params)),
            _endpoint(endpoints, link, endpoint_id, url),
            _is_behind(api, link, endpoint_id, heard),
        )
    except AdapterError as error:
        rejected = error.failure is Failure.CREDENTIALS_REJECTED
        sentence = STOPPED if rejected else error.message
        return Health(healthy=False, sentence=sentence, seconds=time.perf_counter() - began, rejected=rejected)
    answered = f"Stripe answered in {found.seconds * 1000:.0f} ms."
    if found.missing:
        sentence = missing_permissions(found.missing).message
    elif endpoint is not None and endpoint.problem:
        sentence = f"{answered} {endpoint.problem}"
    elif found.account.get("charges_enabled") is False:
        sentence = f"{answered} {NO_CHARGES}"
    else:
        sentence = f"{answered} {BEHIND}" if behind else answered
    return Health(
        healthy=not found.missing,
        sentence=sentence,
        seconds=found.seconds,
        permissions=found.permissions,
        endpoint=endpoint,
        behind=behind,
        names=names_of(link.credentials, found.account),
    )


async def _endpoint(endpoints: Endpoints, link: Link, endpoint_id: str, url: str) -> EndpointState | None:
    """None where there is none to look at, or the key may not look."""
    if not endpoint_id:
        return None
    try:
        return await endpoints.state(link, endpoint_id, url)
    except AdapterError as error:
        if error.failure is Failure.PERMISSION_MISSING:
            return None
        raise


async def _is_behind(api: StripeApi, link: Link, endpoint_id: str, heard: datetime | None) -> bool:
    """Whether an event of ours has been waiting for its delivery for longer than that takes.

    Stripe does not say which endpoint it waits for. What is older than what we heard last waits for somebody else's.
    """
    if not endpoint_id:
        return False
    now = int(time.time())
    since = max(now - _RETRIED_FOR, int(heard.timestamp()) + _NOTED_WITHIN if heard else 0)
    if since > now - _UNDER_WAY:
        return False
    params = {
        "delivery_success": "false",
        "types": list(EVENTS),
        "created": {"gte": since, "lte": now - _UNDER_WAY},
        "limit": 1,
    }
    try:
        return bool((await api.call(link, LIST_EVENTS, params))["data"])
    except AdapterError as error:
        if error.failure is Failure.PERMISSION_MISSING:
            return False
        raise
