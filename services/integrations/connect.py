"""Connect: check the shape of the keys, ask the provider, seal, store. Nothing is stored when a check fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.common.secret import Secret
from services.integrations.audit import Action
from services.integrations.catalogue import Catalogue
from services.integrations.connection import Connection
from services.integrations.connection_values import (
    EARLIER_WEBHOOK_SECRETS,
    WEBHOOK_SECRET,
    ConnectedAccount,
    Link,
    Permission,
)
from services.integrations.disconnect import Disconnecting, orphan_warning
from services.integrations.failures import AdapterError, Failure
from services.integrations.listening import Hearing, Listening
from services.integrations.opening import NotConnected
from services.integrations.ports import IntegrationAdapter
from services.integrations.registry import Registry
from services.integrations.repository import ChangedMeanwhile, Repository
from services.integrations.vault import Vault

log = structlog.get_logger()


class ConnectedMeanwhile(ShowbillError):
    """This provider was connected by somebody else at the same moment. Look at the connection and try again."""

    kind = Kind.OUTDATED
    reason = "CONNECTED_MEANWHILE"


class OtherAccount(AdapterError):
    """These keys belong to another account or mode than this connection, so nothing was changed. Connect them as a new
    connection instead; the invoices of this one then stay with it."""

    def __init__(self) -> None:
        super().__init__(Failure.ACCOUNT_CHANGED, " ".join((self.__doc__ or "").split()))


@dataclass(frozen=True, slots=True)
class Connected:
    """What connecting led to."""

    connection: Connection
    permissions: Sequence[Permission]
    warnings: Sequence[str]


class Connecting:
    """The use case."""

    def __init__(
        self,
        catalogue: Catalogue,
        repository: Repository,
        vault: Vault,
        registry: Registry,
        listening: Listening,
        disconnecting: Disconnecting,
    ) -> None:
        self._catalogue = catalogue
        self._repository = repository
        self._vault = vault
        self._registry = registry
        self._listening = listening
        self._disconnecting = disconnecting

    async def connect(
        self, workspace_id: str, actor: str, plan: str, provider: str, fields: Mapping[str, str]
    ) -> Connected:
        """Raises AdapterError for keys that do not pass, ConnectedMeanwhile for a race that was lost."""
        self._catalogue.require_available(provider, plan)
        async with self._repository.telling_refusals(workspace_id, provider, Action.CONNECT_REFUSED):
            return await self._connect(workspace_id, actor, provider, fields)

    async def validate(self, plan: str, provider: str, fields: Mapping[str, str]) -> ConnectedAccount:
        """What these keys are of and may do. Keeps nothing. Raises AdapterError for keys that would not pass."""
        self._catalogue.require_available(provider, plan)
        adapter = self._registry.adapter(provider)
        return await adapter.probe(adapter.read_credentials(fields))

    async def _connect(self, workspace_id: str, actor: str, provider: str, fields: Mapping[str, str]) -> Connected:
        adapter = self._registry.adapter(provider)
        credentials = adapter.read_credentials(fields)
        account = await adapter.probe(credentials)
        old = await self._repository.current_with_credentials(workspace_id, provider)
        old = old if old is not None and old.connected else None
        kept = old if old is not None and _same(old, account) else None
        link = Link(workspace_id, kept.id if kept else new_id(), account.account_id, account.livemode, credentials)
        return await self._settle(adapter, link, account, actor, kept, old, Action.CONNECT)

    async def replace(self, workspace_id: str, actor: str, provider: str, fields: Mapping[str, str]) -> Connected:
        """New keys in place. The old ones work until these passed every check.

        Raises NotConnected, OtherAccount for keys of another account or mode, else as `connect`.
        """
        async with self._repository.telling_refusals(workspace_id, provider, Action.REPLACE_REFUSED):
            return await self._replace(workspace_id, actor, provider, fields)

    async def _replace(self, workspace_id: str, actor: str, provider: str, fields: Mapping[str, str]) -> Connected:
        adapter = self._registry.adapter(provider)
        old = await self._repository.current_with_credentials(workspace_id, provider)
        if old is None or not old.connected:
            raise NotConnected
        credentials = adapter.read_credentials(fields)
        account = await adapter.probe(credentials)
        if not _same(old, account):
            raise OtherAccount
        link = Link(workspace_id, old.id, account.account_id, account.livemode, credentials)
        return await self._settle(adapter, link, account, actor, old, old, Action.REPLACE)

    async def _settle(
        self,
        adapter: IntegrationAdapter,
        link: Link,
        account: ConnectedAccount,
        actor: str,
        kept: Connection | None,
        old: Connection | None,
        action: Action,
    ) -> Connected:
        """`kept` goes on with new keys; without it a new connection replaces `old`, if there is one."""
        hearing = await self._listening.set_up(adapter, link, kept)
        try:
            if kept is not None:
                connection, orphan = await self._renew(kept, link, account, hearing, actor, action), ""
            else:
                connection, orphan = await self._add(adapter.provider, link, account, hearing, actor, old)
        except BaseException as error:
            if hearing.made and not await self._stored(link, adapter.provider, hearing):
                await self._disconnecting.remove_endpoint(adapter, link, hearing.endpoint_id)
            if isinstance(error, ChangedMeanwhile):
                raise ConnectedMeanwhile from error
            raise
        await self._listening.tidy(adapter, link, hearing, kept)
        log.info("connected", provider=adapter.provider, integration_id=connection.id, mode=hearing.mode)
        warnings = [*account.warnings, hearing.reason, orphan_warning(orphan)]
        return Connected(connection, account.permissions, [one for one in warnings if one])

    async def _stored(self, link: Link, provider: str, hearing: Hearing) -> bool:
        """Whether the connection names this endpoint after all: the answer to a commit may be lost. When in doubt it
        stays: one that nobody knows the secret of harms nothing, and goes with the strays."""
        try:
            now = await self._repository.current(link.workspace_id, provider)
        except Exception as error:  # noqa: BLE001  # whatever keeps us from knowing
            log.warning("an endpoint may be left behind", endpoint_id=hearing.endpoint_id, error=str(error))
            return True
        return now is not None and now.webhook_endpoint_id == hearing.endpoint_id

    async def _renew(
        self,
        kept: Connection,
        link: Link,
        account: ConnectedAccount,
        hearing: Hearing,
        actor: str,
        action: Action,
    ) -> Connection:
        sealed = await self._vault.seal(link.workspace_id, link.integration_id, _credentials(link, hearing))
        while True:
            try:
                return await self._repository.renew(kept, account, sealed, hearing, actor, action)
            except ChangedMeanwhile:
                kept = await self._still(kept)

    async def _still(self, old: Connection) -> Connection:
        """It as it is now, where nobody renewed or ended it: its old keys may have been rejected just now.

        Raises ChangedMeanwhile."""
        now = await self._repository.current_with_credentials(old.workspace_id, old.provider)
        if now is None or now.id != old.id or now.sealed is None or old.sealed is None:
            raise ChangedMeanwhile
        if now.sealed.fields != old.sealed.fields:
            raise ChangedMeanwhile
        return now

    async def _add(
        self,
        provider: str,
        link: Link,
        account: ConnectedAccount,
        hearing: Hearing,
        actor: str,
        old: Connection | None,
    ) -> tuple[Connection, str]:
        """The new connection, and the endpoint that the replaced one left behind at the provider."""
        sealed = await self._vault.seal(link.workspace_id, link.integration_id, _credentials(link, hearing))
        orphan = await self._disconnecting.leave(old) if old is not None else ""
        while True:
            replaced = (old, orphan) if old is not None else None
            try:
                return await self._repository.add(link, provider, account, sealed, hearing, actor, replaced), orphan
            except ChangedMeanwhile:
                if old is None:
                    raise
                old = await self._still(old)


def _same(old: Connection, account: ConnectedAccount) -> bool:
    return (old.account_id, old.livemode) == (account.account_id, account.livemode)


def _credentials(link: Link, hearing: Hearing) -> dict[str, Secret]:
    secrets = {WEBHOOK_SECRET: hearing.secret, EARLIER_WEBHOOK_SECRETS: hearing.earlier}
    return {**link.credentials, **{name: secret for name, secret in secrets.items() if secret is not None}}
