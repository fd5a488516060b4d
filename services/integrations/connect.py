"""Connect: check the shape of the keys, ask the provider, seal, store. Nothing is stored when a check fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.common.secret import Secret
from services.integrations.catalogue import require_available
from services.integrations.connection import LIVE, POLLING, Connection
from services.integrations.disconnect import Disconnecting
from services.integrations.failures import AdapterError
from services.integrations.keyring import UnreadableCredential
from services.integrations.ports import (
    WEBHOOK_SECRET,
    ConnectedAccount,
    Credentials,
    Endpoint,
    EndpointWish,
    IntegrationAdapter,
    Link,
    Permission,
)
from services.integrations.registry import Registry
from services.integrations.repository import ChangedMeanwhile, Hearing, Repository
from services.integrations.vault import Vault

log = structlog.get_logger()

NO_ADDRESS = (
    "This installation has no public address, so the provider cannot tell us of payments. They are read from time to"
    " time instead."
)


class ConnectedMeanwhile(ShowbillError):
    """This provider was connected by somebody else at the same moment. Look at the connection and try again."""

    kind = Kind.OUTDATED
    reason = "CONNECTED_MEANWHILE"


@dataclass(frozen=True, slots=True)
class Connected:
    """What connecting led to."""

    connection: Connection
    permissions: Sequence[Permission]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Ears:
    """How the connection will hear of payments, with the endpoint's secret where there is one."""

    hearing: Hearing
    secret: Secret | None = field(default=None, repr=False)
    made: str = ""
    """The endpoint that was made just now and is to be removed if the rest fails."""


class Connecting:
    """The use case."""

    def __init__(
        self,
        repository: Repository,
        vault: Vault,
        registry: Registry,
        disconnecting: Disconnecting,
        public_url: str,
    ) -> None:
        self._repository = repository
        self._vault = vault
        self._registry = registry
        self._disconnecting = disconnecting
        self._public_url = public_url.rstrip("/")

    async def connect(
        self, workspace_id: str, actor: str, plan: str, provider: str, fields: Mapping[str, str]
    ) -> Connected:
        """Raises AdapterError for keys that do not pass, ConnectedMeanwhile for a race that was lost."""
        require_available(provider, plan)
        adapter = self._registry.adapter(provider)
        credentials = adapter.read_credentials(fields)
        account = await adapter.probe(credentials)
        old = await self._repository.current_with_credentials(workspace_id, provider)
        if old is not None and not old.connected:
            old = None
        kept = old if old is not None and _same(old, account) else None
        link = Link(workspace_id, kept.id if kept else new_id(), account.account_id, account.livemode, credentials)
        ears = await self._ears(adapter, link, kept)
        try:
            connection = await self._store(link, account, ears, actor, provider, old, kept)
        except BaseException:
            if ears.made:
                await self._disconnecting.remove_endpoint(adapter, link, ears.made)
            raise
        warnings = [*account.warnings, *([ears.hearing.reason] if ears.hearing.reason else [])]
        log.info("connected", provider=provider, integration_id=connection.id, mode=ears.hearing.mode)
        return Connected(connection, account.permissions, warnings)

    async def _ears(self, adapter: IntegrationAdapter, link: Link, kept: Connection | None) -> _Ears:
        """Our webhook endpoint at the provider. Without one the connection works by polling, and says so."""
        sealed_secret = await self._sealed_secret(kept)
        if not self._public_url:
            if kept and kept.webhook_endpoint_id and sealed_secret:
                return _Ears(Hearing(kept.webhook_endpoint_id, kept.webhook_url, LIVE, ""), sealed_secret)
            return _Ears(Hearing("", "", POLLING, NO_ADDRESS))
        base = f"{self._public_url}/api/webhooks/{adapter.provider}/"
        url = base + link.integration_id
        known = kept.webhook_endpoint_id if kept and sealed_secret and kept.webhook_url == url else ""
        try:
            endpoint = await adapter.ensure_endpoint(
                link, EndpointWish(link.integration_id, link.workspace_id, url, base, known)
            )
        except AdapterError as error:
            log.warning("no webhook endpoint", reason=error.reason, error=error.message)
            return _Ears(Hearing("", "", POLLING, error.message))
        return _heard(endpoint, url, sealed_secret)

    async def _sealed_secret(self, kept: Connection | None) -> Secret | None:
        if kept is None or kept.sealed is None:
            return None
        try:
            credentials = await self._vault.open(kept.workspace_id, kept.id, kept.sealed)
        except UnreadableCredential:
            return None
        return credentials.get(WEBHOOK_SECRET)

    async def _store(
        self,
        link: Link,
        account: ConnectedAccount,
        ears: _Ears,
        actor: str,
        provider: str,
        old: Connection | None,
        kept: Connection | None,
    ) -> Connection:
        credentials = _with_secret(link.credentials, ears.secret)
        sealed = await self._vault.seal(link.workspace_id, link.integration_id, credentials)
        try:
            if kept is not None:
                return await self._repository.renew(kept, account, sealed, ears.hearing, actor)
            replaced = (old, await self._disconnecting.leave(old)) if old is not None else None
            new = (link.integration_id, link.workspace_id, provider)
            return await self._repository.add(new, account, sealed, ears.hearing, actor, replaced)
        except ChangedMeanwhile as error:
            raise ConnectedMeanwhile from error


def _same(old: Connection, account: ConnectedAccount) -> bool:
    return (old.account_id, old.livemode) == (account.account_id, account.livemode)


def _heard(endpoint: Endpoint, url: str, sealed_secret: Secret | None) -> _Ears:
    hearing = Hearing(endpoint.id, url, LIVE, "")
    if endpoint.secret is None:
        return _Ears(hearing, sealed_secret)
    return _Ears(hearing, endpoint.secret, made=endpoint.id)


def _with_secret(credentials: Credentials, secret: Secret | None) -> Credentials:
    return {**credentials, WEBHOOK_SECRET: secret} if secret else credentials
