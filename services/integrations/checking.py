"""Test a connection with a live call."""

from dataclasses import dataclass

from services.integrations.audit import Action
from services.integrations.connection import Connection
from services.integrations.connection_values import Health
from services.integrations.failures import AdapterError, Failure
from services.integrations.opening import NotConnected, Opener
from services.integrations.registry import Registry
from services.integrations.repository import Repository


@dataclass(frozen=True, slots=True)
class Checked:
    """A connection and how it is."""

    connection: Connection
    health: Health


class Checking:
    """The use case. An unhealthy connection is an answer, not an error."""

    def __init__(self, repository: Repository, opener: Opener, registry: Registry) -> None:
        self._repository = repository
        self._opener = opener
        self._registry = registry

    async def check(self, workspace_id: str, provider: str, *, passive: bool = False) -> Checked:
        """`passive` when nobody asked for it: then it is no entry of the audit. Raises NotConnected."""
        connection = await self._repository.current_with_credentials(workspace_id, provider)
        if connection is None or not connection.connected:
            raise NotConnected
        health = await self._ask(connection)
        if health.rejected:
            await self._opener.note_rejected(connection)
        elif health.permission_missing:
            await self._opener.note_hindered(connection, health.sentence, "check")
        elif health.healthy:
            await self._opener.note_accepted(connection)
        await self._repository.note_names(connection, health.names)
        if not passive:
            await self._repository.record(connection, Action.TEST, health.sentence)
        return Checked(await self._repository.current(workspace_id, provider) or connection, health)

    async def _ask(self, connection: Connection) -> Health:
        try:
            link = await self._opener.unseal(connection)
        except AdapterError as error:
            if error.failure is not Failure.CREDENTIALS_REJECTED:
                raise
            return Health(healthy=False, sentence=error.message, seconds=0.0)
        return await self._registry.adapter(connection.provider).check(
            link, connection.webhook_endpoint_id, connection.webhook_url, connection.last_event_time
        )
