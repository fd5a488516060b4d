"""Our webhook endpoint on the operator's account."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, cast

import stripe
import structlog
from stripe.params import WebhookEndpointCreateParams

from services.common.ids import new_id
from services.common.secret import Secret
from services.integrations.adapters.stripe.answers import Json, not_understood
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.errors import NotThere
from services.integrations.adapters.stripe.operations import (
    CREATE_ENDPOINT,
    DELETE_ENDPOINT,
    LIST_ENDPOINTS,
    READ_ENDPOINT,
)
from services.integrations.adapters.stripe.parameters import ATTEMPT, INTEGRATION, WORKSPACE
from services.integrations.connection_values import Endpoint, EndpointState, EndpointWish, Link
from services.integrations.failures import AdapterError, Failure

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


REMEDY: Final = "Replace the keys, with the same ones if you like, and it is made anew."
FULL: Final = (
    "Stripe allows 16 webhook endpoints for an account and mode, and this account has them all. In Stripe, under"
    " Developers, Webhooks, delete one that nobody uses, then replace the keys here, with the same ones if you like."
)


class AccountFull(AdapterError):
    """The account has no room for one more."""


class Endpoints:
    """Creates, keeps, replaces and deletes it."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def ensure(self, link: Link, wish: EndpointWish) -> Endpoint:
        """The known endpoint if it works, else a new one."""
        if wish.known_id and wish.secret_known and not (await self.state(link, wish.known_id, wish.url)).problem:
            return Endpoint(wish.known_id, None)
        try:
            made = await self._create(link, wish)
        except AccountFull:
            # What of ours is of no use any more comes first here, to make room.
            if not await self._remove_where(link, lambda one: _is_stray(one, wish)):
                raise
            made = await self._create(link, wish)
        if not made.get("secret"):
            raise not_understood(CREATE_ENDPOINT)
        return Endpoint(made["id"], Secret(made["secret"]))

    async def state(self, link: Link, endpoint_id: str, url: str) -> EndpointState:
        """`url` is where it should deliver."""
        try:
            found = await self._api.call(link, READ_ENDPOINT, id=endpoint_id)
        except NotThere:
            return EndpointState(exists=False, problem=f"Our webhook endpoint is gone at Stripe. {REMEDY}")
        enabled_events = set(found["enabled_events"])
        missing = () if "*" in enabled_events else tuple(one for one in EVENTS if one not in enabled_events)
        return EndpointState(
            exists=True,
            enabled=found["status"] == "enabled",
            url=found["url"],
            api_version=found.get("api_version") or "",
            missing_events=missing,
            problem=_problem(found, missing, url),
        )

    async def remove(self, link: Link, endpoint_id: str) -> None:
        try:
            await self._api.call(link, DELETE_ENDPOINT, id=endpoint_id)
        except NotThere:
            log.info("the webhook endpoint was gone already", endpoint_id=endpoint_id)

    async def _create(self, link: Link, wish: EndpointWish) -> Json:
        """Its secret is told once: an answer that was lost is asked for again under the same key. Where that is in
        vain, nothing is left behind."""
        attempt = new_id()
        params: WebhookEndpointCreateParams = {
            "url": wish.url,
            "enabled_events": cast(Any, list(EVENTS)),
            "api_version": cast(Any, API_VERSION),
            "description": "Showbill: tells of payments as they happen",
            "metadata": {INTEGRATION: wish.integration_id, WORKSPACE: wish.workspace_id, ATTEMPT: attempt},
        }

        async def create(key: str) -> Json:
            return await self._api.call(link, CREATE_ENDPOINT, params, key=key)

        async def look() -> None:
            """One that a fault left behind is of no use without its secret: it goes with the strays."""

        try:
            return await _again(lambda: self._api.chains.walk(f"endpoint:{attempt}", create, look))
        except AdapterError as error:
            if error.failure is Failure.PROVIDER_UNAVAILABLE:
                await self._remove_where(link, lambda one: _mark(one, ATTEMPT) == attempt)
            if error.failure is Failure.PROVIDER_REFUSED and "maximum" in error.message:
                raise AccountFull(error.failure, FULL, details=error.details) from error
            raise

    async def remove_strays(self, link: Link, wish: EndpointWish, kept_id: str) -> None:
        """Ours that nobody knows the secret of any more."""
        await self._remove_where(link, lambda one: one["id"] != kept_id and _is_stray(one, wish))

    async def _remove_where(self, link: Link, unwanted: Callable[[Json], bool]) -> int:
        """How many are gone. Failing at this harms nothing: what they send is turned away."""
        removed = 0
        try:
            listed = await self._api.call(link, LIST_ENDPOINTS, {"limit": 100})
            for one in listed["data"]:
                if unwanted(one):
                    await self.remove(link, one["id"])
                    removed += 1
        except AdapterError as error:
            log.warning("stray webhook endpoints stay", error=error.message)
        return removed


async def _again(make: Callable[[], Awaitable[Json]]) -> Json:
    """Once more where the outcome is unknown."""
    try:
        return await make()
    except AdapterError as error:
        if error.failure is not Failure.PROVIDER_UNAVAILABLE:
            raise
        return await make()


def _problem(found: Json, missing: Sequence[str], url: str) -> str:
    """A finished sentence that says what to do, or nothing."""
    if found["status"] != "enabled":
        return f"Our webhook endpoint was disabled at Stripe. {REMEDY}"
    if found["url"] != url:
        return f"Our webhook endpoint at Stripe delivers to another address. {REMEDY}"
    if missing:
        return f"Our webhook endpoint at Stripe does not deliver {', '.join(missing)}. {REMEDY}"
    if found.get("api_version") != API_VERSION:
        return f"Our webhook endpoint at Stripe speaks another API version than {API_VERSION}. {REMEDY}"
    return ""


def _is_stray(one: Json, wish: EndpointWish) -> bool:
    here = _mark(one, WORKSPACE) == wish.workspace_id and one["url"].startswith(wish.ours_begin_with)
    return bool(here or one["url"] == wish.url or one["id"] == wish.known_id)


def _mark(one: Json, name: str) -> object:
    return (one.get("metadata") or {}).get(name)
