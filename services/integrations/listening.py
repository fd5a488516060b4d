"""How a connection hears of payments: by our webhook endpoint on the operator's account, or else by polling."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from services.common.secret import Secret
from services.integrations.connection import LIVE, POLLING, Connection
from services.integrations.connection_values import EARLIER_WEBHOOK_SECRETS, WEBHOOK_SECRET, EndpointWish, Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.keyring import UnreadableCredential
from services.integrations.overlap import still, with_replaced
from services.integrations.ports import IntegrationAdapter
from services.integrations.vault import Vault

log = structlog.get_logger()

NO_ADDRESS = (
    "This installation has no public address, so the provider cannot tell us of payments. They are read from time to"
    " time instead."
)
INSTEAD = "Until then payments are read from time to time."


AGAIN = "Replace the keys, with the same ones if you like, and it is tried again."


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a connection hears of payments, with the endpoint's secret where there is one."""

    mode: str
    reason: str = ""
    """A finished sentence when it is not by webhooks."""
    endpoint_id: str = ""
    url: str = ""
    secret: Secret | None = field(default=None, repr=False)
    made: bool = False
    """The endpoint was made just now: it is to be removed if the rest fails."""
    earlier: Secret | None = field(default=None, repr=False)
    """The secrets of the endpoints before it, as overlap.py has them."""


class Listening:
    """Sets up the endpoint. Failing at that does not fail the connection: it polls, and says so."""

    def __init__(self, vault: Vault, public_url: str) -> None:
        self._vault = vault
        self._public_url = public_url.rstrip("/")

    async def set_up(self, adapter: IntegrationAdapter, link: Link, kept: Connection | None) -> Hearing:
        """`kept` is the connection whose keys are renewed. Its endpoint goes on as long as nothing is wrong with it."""
        if not adapter.has_webhooks:
            return Hearing(LIVE)
        so_far = await self._so_far(kept)
        if not self._public_url:
            return so_far or Hearing(POLLING, NO_ADDRESS)
        wish = self._wish(adapter, link, kept, secret_known=so_far is not None)
        try:
            endpoint = await adapter.ensure_endpoint(link, wish)
        except AdapterError as error:
            log.warning("no webhook endpoint", reason=error.reason, error=error.message)
            # A key that may not look at endpoints says nothing against the one that delivers.
            return so_far if so_far and so_far.url == wish.url else _polling(kept, so_far, error)
        if endpoint.secret is None and so_far is not None:
            return so_far
        earlier = None
        if so_far and so_far.secret:
            earlier = with_replaced(so_far.earlier, so_far.secret, datetime.now(UTC))
        return Hearing(LIVE, "", endpoint.id, wish.url, endpoint.secret, made=True, earlier=earlier)

    async def tidy(self, adapter: IntegrationAdapter, link: Link, hearing: Hearing, kept: Connection | None) -> None:
        """Removes what a new endpoint replaces. Only once the connection is stored: a loser removes nothing."""
        if hearing.made:
            wish = self._wish(adapter, link, kept, secret_known=False)
            await adapter.remove_strays(link, wish, hearing.endpoint_id)

    def _wish(
        self, adapter: IntegrationAdapter, link: Link, kept: Connection | None, *, secret_known: bool
    ) -> EndpointWish:
        base = f"{self._public_url}/api/webhooks/{adapter.provider}/"
        known = kept.webhook_endpoint_id if kept else ""
        return EndpointWish(
            link.integration_id, link.workspace_id, base + link.integration_id, base, known, secret_known
        )

    async def _so_far(self, kept: Connection | None) -> Hearing | None:
        """The endpoint that the connection has, if its secret can be read."""
        if kept is None or kept.sealed is None or not kept.webhook_endpoint_id:
            return None
        try:
            credentials = await self._vault.open(kept.workspace_id, kept.id, kept.sealed)
        except UnreadableCredential:
            return None
        secret = credentials.get(WEBHOOK_SECRET)
        if secret is None:
            return None
        earlier = still(credentials.get(EARLIER_WEBHOOK_SECRETS), datetime.now(UTC))
        return Hearing(LIVE, "", kept.webhook_endpoint_id, kept.webhook_url, secret, earlier=earlier)


def _polling(kept: Connection | None, so_far: Hearing | None, error: AdapterError) -> Hearing:
    """What stands at another address is still ours: it is deleted with the connection, and its last news is taken."""
    passing = error.failure in (Failure.PROVIDER_UNAVAILABLE, Failure.RATE_LIMITED)
    reason = f"The provider did not take our webhook endpoint. {AGAIN}" if passing else error.message
    return Hearing(
        POLLING,
        f"{reason} {INSTEAD}",
        kept.webhook_endpoint_id if kept else "",
        kept.webhook_url if kept else "",
        so_far.secret if so_far else None,
        earlier=so_far.earlier if so_far else None,
    )
