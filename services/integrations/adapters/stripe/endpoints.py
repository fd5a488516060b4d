"""Our webhook endpoint on the operator's account."""

from typing import Any, Final, cast

import stripe
import structlog
from stripe.params import WebhookEndpointCreateParams

from services.common.secret import Secret
from services.integrations.adapters.stripe.api import Json, StripeApi
from services.integrations.adapters.stripe.errors import NotThere
from services.integrations.adapters.stripe.operations import (
    CREATE_ENDPOINT,
    DELETE_ENDPOINT,
    LIST_ENDPOINTS,
    READ_ENDPOINT,
)
from services.integrations.adapters.stripe.parameters import INTEGRATION, WORKSPACE
from services.integrations.failures import AdapterError
from services.integrations.ports import Endpoint, EndpointState, EndpointWish, Link

log = structlog.get_logger()

API_VERSION: Final = stripe.api_version
"""The SDK's: without it every account sends the dialect that it happens to be set to."""

EVENTS: Final = (
    "invoice.deleted",
    "invoice.finalization_failed",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.sent",
    "invoice.voided",
)


class Endpoints:
    """Creates, keeps, replaces and deletes it."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def ensure(self, link: Link, wish: EndpointWish) -> Endpoint:
        """The known endpoint if it works, else a new one."""
        if wish.known_id and wish.secret_known and _works(await self.state(link, wish.known_id), wish):
            return Endpoint(wish.known_id, None)
        made = await self._create(link, wish)
        return Endpoint(made["id"], Secret(made["secret"]))

    async def state(self, link: Link, endpoint_id: str) -> EndpointState:
        try:
            found = await self._api.call(link, READ_ENDPOINT, id=endpoint_id)
        except NotThere:
            return EndpointState(exists=False)
        enabled_events = set(found["enabled_events"])
        missing = () if "*" in enabled_events else tuple(one for one in EVENTS if one not in enabled_events)
        return EndpointState(
            exists=True,
            enabled=found["status"] == "enabled",
            url=found["url"],
            api_version=found["api_version"] or "",
            missing_events=missing,
        )

    async def remove(self, link: Link, endpoint_id: str) -> None:
        try:
            await self._api.call(link, DELETE_ENDPOINT, id=endpoint_id)
        except NotThere:
            log.info("the webhook endpoint was gone already", endpoint_id=endpoint_id)

    async def _create(self, link: Link, wish: EndpointWish) -> Json:
        params: WebhookEndpointCreateParams = {
            "url": wish.url,
            "enabled_events": cast(Any, list(EVENTS)),
            "api_version": cast(Any, API_VERSION),
            "description": "Showbill: tells of payments as they happen",
            "metadata": {INTEGRATION: wish.integration_id, WORKSPACE: wish.workspace_id},
        }
        return await self._api.call(link, CREATE_ENDPOINT, params)

    async def remove_strays(self, link: Link, wish: EndpointWish, kept_id: str) -> None:
        """Ours that nobody knows the secret of any more. Failing at this harms nothing: they are turned away."""
        try:
            listed = await self._api.call(link, LIST_ENDPOINTS, {"limit": 100})
            for one in listed["data"]:
                if one["id"] != kept_id and _is_stray(one, wish):
                    await self.remove(link, one["id"])
        except AdapterError as error:
            log.warning("stray webhook endpoints stay", error=error.message)


def _works(state: EndpointState, wish: EndpointWish) -> bool:
    return state.exists and state.enabled and state.url == wish.url and not state.missing_events


def _is_stray(one: Json, wish: EndpointWish) -> bool:
    ours = (one.get("metadata") or {}).get(WORKSPACE) == wish.workspace_id
    here = ours and one["url"].startswith(wish.ours_begin_with)
    return bool(here or one["url"] == wish.url or one["id"] == wish.known_id)
