"""The integrations service."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import structlog
from google.protobuf.field_mask_pb2 import FieldMask

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.errors import Fault, Kind
from services.common.status import RemoteError
from services.gateway.backends.convert import enum_names, moment
from services.gateway.schemas.integrations import (
    AuditEntryView,
    AuditPage,
    Availability,
    ConnectedView,
    ConnectFieldView,
    DisconnectedView,
    HealthReport,
    IntegrationSettingsChange,
    IntegrationSettingsView,
    IntegrationStatus,
    IntegrationView,
    ListedIntegrationView,
    PermissionView,
    PreviewView,
    UpdateMode,
    WebhookEndpointView,
)
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from services.rpc.showbill.integrations.v1.integrations_pb2_grpc import IntegrationsServiceStub

log = structlog.get_logger()

AVAILABILITY: Final[dict[int, Availability]] = enum_names(pb.Availability.DESCRIPTOR, "AVAILABILITY_")
STATUS: Final[dict[int, IntegrationStatus]] = enum_names(pb.IntegrationStatus.DESCRIPTOR, "INTEGRATION_STATUS_")
UPDATE_MODE: Final[dict[int, UpdateMode | None]] = enum_names(pb.UpdateMode.DESCRIPTOR, "UPDATE_MODE_")

_ASKING_THE_PROVIDER: Final = 30.0
"""Seconds for calls that wait for the provider, with its retries."""


class Integrations:
    """Connections of the caller's workspace."""

    def __init__(self, client: GrpcClient) -> None:
        self._client = client
        self._stub = IntegrationsServiceStub(client.channel)

    async def list(self, caller: Identity) -> list[ListedIntegrationView]:
        answer = await self._client.call(self._stub.ListIntegrations, pb.ListIntegrationsRequest(), caller)
        return [_listed(listed) for listed in answer.integrations]

    async def list_if_known(self, caller: Identity) -> Sequence[ListedIntegrationView] | None:
        """For a page that is of use without it; None while the service is away."""
        try:
            return await self.list(caller)
        except RemoteError as error:
            if error.kind not in (Kind.UNAVAILABLE, Kind.TIMED_OUT):
                raise
            log.info("connections are not known", reason=error.reason)
            return None

    async def get(self, caller: Identity, provider: str) -> IntegrationView:
        request = pb.GetIntegrationRequest(provider=provider)
        answer = await self._client.call(self._stub.GetIntegration, request, caller)
        return IntegrationView(**_row(answer.integration))

    async def connect(self, caller: Identity, provider: str, credentials: dict[str, str]) -> ConnectedView:
        """`credentials` by the provider's own field names. Nothing is stored when a check fails."""
        request = pb.ConnectIntegrationRequest(provider=provider, credentials=credentials)
        with _plain_fields():
            answer = await self._client.call(
                self._stub.ConnectIntegration, request, caller, timeout=_ASKING_THE_PROVIDER
            )
        return _connected(answer)

    async def validate(self, caller: Identity, provider: str, credentials: dict[str, str]) -> Sequence[PermissionView]:
        """What these keys may do. Keeps nothing; keys that would not pass are refused as by `connect`."""
        request = pb.ConnectIntegrationRequest(provider=provider, credentials=credentials, validate_only=True)
        with _plain_fields():
            answer = await self._client.call(
                self._stub.ConnectIntegration, request, caller, timeout=_ASKING_THE_PROVIDER
            )
        return [_permission(permission) for permission in answer.permissions]

    async def replace_credentials(self, caller: Identity, provider: str, credentials: dict[str, str]) -> ConnectedView:
        """New keys of the same account and mode. The old ones work until the new ones passed every check."""
        request = pb.ReplaceCredentialsRequest(provider=provider, credentials=credentials)
        with _plain_fields():
            answer = await self._client.call(
                self._stub.ReplaceCredentials, request, caller, timeout=_ASKING_THE_PROVIDER
            )
        return _connected(answer)

    async def change_settings(
        self, caller: Identity, provider: str, change: IntegrationSettingsChange, etag: str = ""
    ) -> IntegrationSettingsView:
        """Changes what is set in `change`; `etag` is that of the settings as they were read, empty for any."""
        values = {
            name: getattr(change, name)
            for name in change.__struct_fields__
            if getattr(change, name) is not msgspec.UNSET
        }
        settings = pb.IntegrationSettings(**values, etag=etag)
        request = pb.UpdateIntegrationSettingsRequest(
            provider=provider, settings=settings, update_mask=FieldMask(paths=list(values))
        )
        answer = await self._client.call(self._stub.UpdateIntegrationSettings, request, caller)
        return _settings(answer.integration.settings)

    async def preview(
        self, caller: Identity, provider: str, template: str, values: dict[str, str], setting: str = ""
    ) -> PreviewView:
        request = pb.PreviewTemplateRequest(provider=provider, template=template, values=values, setting=setting)
        answer = await self._client.call(self._stub.PreviewTemplate, request, caller)
        return PreviewView(answer.text, list(answer.variables), answer.warning, answer.max_length)

    async def test(self, caller: Identity, provider: str, *, passive: bool = False) -> HealthReport:
        """`passive` when nobody asked for it: then the audit gets no entry."""
        request = pb.TestIntegrationRequest(provider=provider, passive=passive)
        answer = await self._client.call(self._stub.TestIntegration, request, caller, timeout=_ASKING_THE_PROVIDER)
        return HealthReport(
            healthy=answer.healthy,
            livemode=answer.livemode,
            latency_ms=round(answer.latency.ToMicroseconds() / 1000, 1),
            reason=answer.reason,
            account_id=answer.account_id,
            permissions=[_permission(permission) for permission in answer.permissions],
            webhook_endpoint=_endpoint(answer.webhook_endpoint) if answer.HasField("webhook_endpoint") else None,
            update_mode=UPDATE_MODE[answer.update_mode],
            last_event_at=moment(answer.last_event_time),
        )

    async def audit(self, caller: Identity, provider: str, page_size: int, page_token: str) -> AuditPage:
        request = pb.ListAuditEntriesRequest(provider=provider, page_size=page_size, page_token=page_token)
        answer = await self._client.call(self._stub.ListAuditEntries, request, caller)
        return AuditPage([_audit_entry(entry) for entry in answer.entries], answer.next_page_token)

    async def disconnect(self, caller: Identity, provider: str) -> DisconnectedView:
        request = pb.DisconnectIntegrationRequest(provider=provider)
        answer = await self._client.call(
            self._stub.DisconnectIntegration, request, caller, timeout=_ASKING_THE_PROVIDER
        )
        return DisconnectedView(
            **_row(answer.integration),
            orphaned_endpoint_id=answer.orphaned_endpoint_id,
            warning=answer.warning,
        )


@contextmanager
def _plain_fields() -> Iterator[None]:
    """Names the faults of credentials by the fields of our body."""
    try:
        yield
    except RemoteError as error:
        error.faults = tuple(Fault(_credential_field(fault.field), fault.problem) for fault in error.faults)
        raise


def _connected(answer: pb.ConnectIntegrationResponse | pb.ReplaceCredentialsResponse) -> ConnectedView:
    return ConnectedView(
        **_row(answer.integration),
        permissions=[_permission(permission) for permission in answer.permissions],
        warnings=list(answer.warnings),
    )


def _credential_field(field: str) -> str:
    """`credentials.secret_key` and `credentials[secret_key]` are a plain field of our body."""
    return field.removeprefix("credentials").strip(".[]\"'")


def _settings(settings: pb.IntegrationSettings) -> IntegrationSettingsView:
    return IntegrationSettingsView(
        default_currency=settings.default_currency,
        default_currency_exponent=settings.default_currency_exponent,
        memo_template=settings.memo_template,
        message_template=settings.message_template,
        days_until_due=settings.days_until_due,
        footer=settings.footer,
        automatic_sending=settings.automatic_sending,
        payment_instructions=settings.payment_instructions,
        etag=settings.etag,
    )


def _row(integration: pb.Integration) -> dict[str, Any]:
    return {
        "id": integration.id,
        "provider": integration.provider,
        "connected": integration.status != pb.INTEGRATION_STATUS_INACTIVE,
        "status": STATUS[integration.status],
        "status_reason": integration.status_reason,
        "status_since": moment(integration.status_time),
        "account_id": integration.account_id,
        "livemode": integration.livemode,
        "country": integration.country,
        "default_currency": integration.default_currency,
        "key_hint": integration.key_hint,
        "account_name": integration.account_name,
        "public_key_hint": integration.public_key_hint,
        "key_kind": integration.key_kind,
        "invoices_url": integration.invoices_url,
        "update_mode": UPDATE_MODE[integration.update_mode],
        "update_mode_reason": integration.update_mode_reason,
        "settings": _settings(integration.settings),
        "connected_at": moment(integration.connect_time),
        "connected_by": integration.connected_by,
        "last_event_at": moment(integration.last_event_time),
    }


def _listed(listed: pb.ListedIntegration) -> ListedIntegrationView:
    entry = listed.entry
    found = IntegrationView(**_row(listed.integration)) if listed.HasField("integration") else None
    return ListedIntegrationView(
        provider=entry.provider,
        name=entry.name,
        description=entry.description,
        icon=entry.icon,
        availability=AVAILABILITY[entry.availability],
        required_plan=entry.required_plan,
        connected=listed.connected,
        status=found.status if found else None,
        status_reason=found.status_reason if found else "",
        account_id=found.account_id if found else "",
        livemode=found.livemode if found else None,
        key_hint=found.key_hint if found else "",
        account_name=found.account_name if found else "",
        invoices_url=found.invoices_url if found else "",
        update_mode=found.update_mode if found else None,
        update_mode_reason=found.update_mode_reason if found else "",
        connected_at=found.connected_at if found else None,
        last_event_at=found.last_event_at if found else None,
        connect_fields=[_asked(field) for field in entry.connect_fields],
        permissions=[_permission(permission) for permission in entry.permissions],
        settings=list(entry.settings),
        keys_url=entry.keys_url,
    )


def _asked(field: pb.ConnectField) -> ConnectFieldView:
    return ConnectFieldView(
        name=field.name, label=field.label, hint=field.hint, placeholder=field.placeholder, hidden=field.hidden
    )


def _permission(permission: pb.Permission) -> PermissionView:
    return PermissionView(
        name=permission.name, granted=permission.granted, required=permission.required, purpose=permission.purpose
    )


def _audit_entry(entry: pb.AuditEntry) -> AuditEntryView:
    return AuditEntryView(
        id=entry.id,
        action=entry.action,
        actor=entry.actor,
        time=moment(entry.create_time),
        detail=entry.detail,
        count=entry.count,
    )


def _endpoint(endpoint: pb.WebhookEndpointState) -> WebhookEndpointView:
    return WebhookEndpointView(
        exists=endpoint.exists,
        enabled=endpoint.enabled,
        url=endpoint.url,
        api_version=endpoint.api_version,
        missing_events=list(endpoint.missing_events),
    )
