"""Opens a workspace's connection for use, and notes when its keys turn out to be of no use any more."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from services.integrations.connection import ACTIVE, ERROR, INACTIVE, NEEDS_RECONNECT, Connection
from services.integrations.connection_values import Credentials, Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.keyring import UnreadableCredential
from services.integrations.repository import Repository
from services.integrations.vault import Vault

log = structlog.get_logger()

T = TypeVar("T")

KEYS_REJECTED = (
    "The provider stopped accepting this key. Links that were sent still take payments. Connect again with a new key to"
    " create invoices."
)
KEYS_UNREADABLE = "The stored keys cannot be read. Connect again with the keys from the provider."


class NotConnected(AdapterError):
    """The workspace has no connection to this provider. Connect it first."""

    def __init__(self) -> None:
        super().__init__(Failure.NOT_CONNECTED, self.__doc__ or "")


class Opener:
    """The one way to the opened keys of a connection."""

    def __init__(self, repository: Repository, vault: Vault) -> None:
        self._repository = repository
        self._vault = vault

    async def open(self, workspace_id: str, provider: str) -> tuple[Connection, Link]:
        """A connection that works as far as we know. Raises AdapterError NOT_CONNECTED or CREDENTIALS_REJECTED."""
        connection = await self._repository.current_with_credentials(workspace_id, provider)
        if connection is None or not connection.connected:
            raise NotConnected
        if connection.status == NEEDS_RECONNECT:
            raise AdapterError(Failure.CREDENTIALS_REJECTED, connection.status_reason)
        return connection, await self.unseal(connection)

    async def unseal(self, connection: Connection) -> Link:
        """Opens the credentials read along. Raises AdapterError CREDENTIALS_REJECTED, and notes it, where it cannot."""
        try:
            credentials = await self._credentials(connection)
        except UnreadableCredential as error:
            log.warning("credentials cannot be read", integration_id=connection.id, error=str(error))
            await self._repository.change_status(connection, NEEDS_RECONNECT, KEYS_UNREADABLE)
            raise AdapterError(Failure.CREDENTIALS_REJECTED, KEYS_UNREADABLE) from error
        return Link(connection.workspace_id, connection.id, connection.account_id, connection.livemode, credentials)

    async def _credentials(self, connection: Connection) -> Credentials:
        """Raises UnreadableCredential."""
        try:
            return await self._open(connection)
        except UnreadableCredential:
            again = await self._repository.current_with_credentials(connection.workspace_id, connection.provider)
            if again is None or (again.id, again.version) != (connection.id, connection.version):
                raise
            if again.sealed is None or connection.sealed is None or again.sealed.wrapped == connection.sealed.wrapped:
                raise
            # Wrapped anew since it was read, and the older key is gone already: nothing is wrong with it.
            return await self._open(again)

    async def _open(self, connection: Connection) -> Credentials:
        if connection.sealed is None:
            raise UnreadableCredential("The connection's credentials are missing.")
        return await self._vault.open(connection.workspace_id, connection.id, connection.sealed)

    async def look(self, workspace_id: str, provider: str) -> None:
        """Notes it where the keys of the connection in use cannot be read."""
        connection = await self._repository.current_with_credentials(workspace_id, provider)
        if connection is not None and connection.status not in (INACTIVE, NEEDS_RECONNECT):
            with contextlib.suppress(AdapterError):
                await self.unseal(connection)

    async def use(self, connection: Connection, verb: str, call: Callable[[], Awaitable[T]]) -> T:
        """Runs a provider call; keys that it rejects turn the connection to `needs_reconnect`, once.

        A permission that was taken from them turns it to `error`, until the same verb succeeds: another one asks for
        other permissions. Whatever else fails is the provider's passing trouble and says nothing of the connection.
        """
        try:
            answer = await call()
        except AdapterError as error:
            log.info("provider call failed", provider=connection.provider, reason=error.reason, details=error.details)
            if error.failure is Failure.CREDENTIALS_REJECTED:
                await self.note_rejected(connection)
            elif error.failure is Failure.PERMISSION_MISSING:
                await self.note_hindered(connection, error.message, verb)
            raise
        if connection.status == ERROR and connection.hindered_verb == verb:
            await self.note_accepted(connection)
        return answer

    async def note_rejected(self, connection: Connection) -> None:
        if await self._repository.change_status(connection, NEEDS_RECONNECT, KEYS_REJECTED):
            log.warning("the provider rejected the keys", integration_id=connection.id)

    async def note_hindered(self, connection: Connection, sentence: str, verb: str) -> None:
        """The keys are taken, but may not do what is needed."""
        if await self._repository.change_status(connection, ERROR, sentence, verb):
            log.warning("the keys lack a permission", integration_id=connection.id)

    async def note_accepted(self, connection: Connection) -> None:
        """The provider takes the keys after all."""
        if connection.status != ACTIVE:
            await self._repository.change_status(connection, ACTIVE, "")
