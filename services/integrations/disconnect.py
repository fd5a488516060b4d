"""Disconnect: delete our webhook endpoint at the provider, then destroy the keys, whatever became of the first."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from services.common.errors import Unavailable
from services.integrations.connection import Connection
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError
from services.integrations.keyring import UnreadableCredential
from services.integrations.opening import NotConnected
from services.integrations.ports import IntegrationAdapter
from services.integrations.registry import Registry
from services.integrations.repository import Repository
from services.integrations.vault import Vault

log = structlog.get_logger()

PATIENCE: Final = 10.0
"""Seconds that the provider has to delete our endpoint."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What disconnecting led to."""

    connection: Connection
    orphan: str
    """The endpoint to remove by hand, or empty."""

    @property
    def warning(self) -> str:
        return orphan_warning(self.orphan)


def orphan_warning(endpoint_id: str) -> str:
    """Empty when no endpoint was left behind."""
    if not endpoint_id:
        return ""
    return (
        f"The webhook endpoint {endpoint_id} could not be deleted at the provider. Remove it there by hand; what it"
        " still sends is turned away."
    )


class Disconnecting:
    """The use case, and the part of it that a change of account needs."""

    def __init__(self, repository: Repository, vault: Vault, registry: Registry) -> None:
        self._repository = repository
        self._vault = vault
        self._registry = registry

    async def disconnect(self, workspace_id: str, provider: str) -> Disconnected:
        """Idempotent. Raises NotConnected when the workspace never connected the provider."""
        connection = await self._known(workspace_id, provider)
        while connection.connected:
            orphan = await self.leave(connection)
            ended = await self._repository.deactivate(connection, orphan)
            if ended is not None:
                log.info("disconnected", provider=provider, integration_id=ended.id, orphan=orphan)
                return Disconnected(ended, orphan)
            # It was renewed meanwhile, perhaps with an endpoint of its own: that one has to go too.
            connection = await self._known(workspace_id, provider)
        return Disconnected(connection, connection.webhook_endpoint_id)

    async def _known(self, workspace_id: str, provider: str) -> Connection:
        connection = await self._repository.current_with_credentials(workspace_id, provider)
        if connection is None:
            raise NotConnected
        return connection

    async def leave(self, connection: Connection) -> str:
        """Deletes the connection's endpoint with its own keys; answers its id where that failed, else nothing."""
        if not connection.webhook_endpoint_id:
            return ""
        try:
            if connection.sealed is None:
                return connection.webhook_endpoint_id
            credentials = await self._vault.open(connection.workspace_id, connection.id, connection.sealed)
        except (UnreadableCredential, Unavailable) as error:  # keys that are far away may be out of reach
            log.warning("the endpoint stays, its key cannot be read", error=str(error))
            return connection.webhook_endpoint_id
        link = Link(connection.workspace_id, connection.id, connection.account_id, connection.livemode, credentials)
        adapter = self._registry.adapter(connection.provider)
        removed = await self.remove_endpoint(adapter, link, connection.webhook_endpoint_id)
        return "" if removed else connection.webhook_endpoint_id

    async def remove_endpoint(self, adapter: IntegrationAdapter, link: Link, endpoint_id: str) -> bool:
        """Whether the endpoint is gone at the provider."""
        try:
            async with asyncio.timeout(PATIENCE):
                await adapter.remove_endpoint(link, endpoint_id)
        except (AdapterError, TimeoutError) as error:
            log.warning("the webhook endpoint could not be deleted", endpoint_id=endpoint_id, error=str(error))
            return False
        return True
