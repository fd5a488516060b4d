"""The IntegrationsService of the contract: read the request, call the use case, render the answer."""

from typing import Any

import grpc

from services.common.context import identity
from services.common.db import Pool
from services.common.errors import Fault, NotFound, require
from services.common.ids import parse_id
from services.common.paging import decode_token, encode_token, page_size
from services.integrations import audit, rendering
from services.integrations.catalogue import Catalogue
from services.integrations.checking import Checking
from services.integrations.connect import Connecting
from services.integrations.connection import Connection
from services.integrations.disconnect import Disconnecting
from services.integrations.registry import Registry
from services.integrations.repository import Repository
from services.integrations.settings import ChangingSettings
from services.integrations.webhooks import Delivery, Verifying
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as rpc

MOST_DELIVERIES = 256
USUAL_AUDIT_PAGE = 50
LARGEST_AUDIT_PAGE = 200

Context = grpc.aio.ServicerContext[Any, Any]


class IntegrationsServicer(rpc.IntegrationsServiceServicer):
    """See integrations.proto for what each method promises."""

    def __init__(
        self,
        catalogue: Catalogue,
        repository: Repository,
        registry: Registry,
        connecting: Connecting,
        disconnecting: Disconnecting,
        checking: Checking,
        changing_settings: ChangingSettings,
        verifying: Verifying,
        pool: Pool,
    ) -> None:
        self._catalogue = catalogue
        self._repository = repository
        self._registry = registry
        self._connecting = connecting
        self._disconnecting = disconnecting
        self._checking = checking
        self._changing_settings = changing_settings
        self._verifying = verifying
        self._pool = pool

    def _told(self, one: Connection) -> pb.Integration:
        return rendering.integration(one, self._registry.find(one.provider))

    async def ListIntegrations(
        self, request: pb.ListIntegrationsRequest, context: Context
    ) -> pb.ListIntegrationsResponse:
        caller = identity()
        connections = await self._repository.all_current(caller.workspace_id)
        listed = []
        for one in self._catalogue:
            connection = connections.get(one.provider)
            listed.append(
                pb.ListedIntegration(
                    entry=rendering.entry(one, caller.plan, self._registry.find(one.provider)),
                    connected=connection is not None and connection.connected,
                    integration=self._told(connection) if connection else None,
                )
            )
        return pb.ListIntegrationsResponse(integrations=listed)

    async def GetIntegration(self, request: pb.GetIntegrationRequest, context: Context) -> pb.GetIntegrationResponse:
        self._catalogue.find(request.provider)
        connection = await self._repository.current(identity().workspace_id, request.provider)
        if connection is None:
            raise NotFound("This provider was never connected in your workspace.")
        return pb.GetIntegrationResponse(
            integration=self._told(connection),
            limits=rendering.limits(self._registry.adapter(request.provider).limits()),
        )

    async def ConnectIntegration(
        self, request: pb.ConnectIntegrationRequest, context: Context
    ) -> pb.ConnectIntegrationResponse:
        caller = identity()
        if request.validate_only:
            found = await self._connecting.validate(caller.plan, request.provider, request.credentials)
            told = rendering.permissions(found.permissions)
            return pb.ConnectIntegrationResponse(permissions=told, warnings=found.warnings)
        done = await self._connecting.connect(
            caller.workspace_id, caller.actor, caller.plan, request.provider, request.credentials
        )
        return pb.ConnectIntegrationResponse(
            integration=self._told(done.connection),
            permissions=rendering.permissions(done.permissions),
            warnings=done.warnings,
        )

    async def ReplaceCredentials(
        self, request: pb.ReplaceCredentialsRequest, context: Context
    ) -> pb.ReplaceCredentialsResponse:
        self._catalogue.find(request.provider)
        caller = identity()
        done = await self._connecting.replace(caller.workspace_id, caller.actor, request.provider, request.credentials)
        return pb.ReplaceCredentialsResponse(
            integration=self._told(done.connection),
            permissions=rendering.permissions(done.permissions),
            warnings=done.warnings,
        )

    async def TestIntegration(self, request: pb.TestIntegrationRequest, context: Context) -> pb.TestIntegrationResponse:
        self._catalogue.find(request.provider)
        checked = await self._checking.check(identity().workspace_id, request.provider, passive=request.passive)
        return rendering.test_response(checked)

    async def DisconnectIntegration(
        self, request: pb.DisconnectIntegrationRequest, context: Context
    ) -> pb.DisconnectIntegrationResponse:
        self._catalogue.find(request.provider)
        done = await self._disconnecting.disconnect(identity().workspace_id, request.provider)
        return pb.DisconnectIntegrationResponse(
            integration=self._told(done.connection),
            orphaned_endpoint_id=done.orphan,
            warning=done.warning,
        )

    async def ListAuditEntries(
        self, request: pb.ListAuditEntriesRequest, context: Context
    ) -> pb.ListAuditEntriesResponse:
        self._catalogue.find(request.provider)
        size = page_size(request.page_size, USUAL_AUDIT_PAGE, LARGEST_AUDIT_PAGE)
        key = decode_token(request.page_token, (str,))
        before = parse_id(str(key[0]), "audit entry") if key else None
        found = await audit.entries(self._pool, identity().workspace_id, request.provider, size + 1, before)
        page = found[:size]
        return pb.ListAuditEntriesResponse(
            entries=[rendering.audit_entry(one) for one in page],
            next_page_token=encode_token(page[-1].id) if len(found) > size else "",
        )

    async def UpdateIntegrationSettings(
        self, request: pb.UpdateIntegrationSettingsRequest, context: Context
    ) -> pb.UpdateIntegrationSettingsResponse:
        self._catalogue.find(request.provider)
        changed = await self._changing_settings.change(
            identity().workspace_id,
            request.provider,
            rendering.settings(request.settings),
            list(request.update_mask.paths),
            request.settings.etag,
        )
        return pb.UpdateIntegrationSettingsResponse(integration=self._told(changed))

    async def PreviewTemplate(self, request: pb.PreviewTemplateRequest, context: Context) -> pb.PreviewTemplateResponse:
        self._catalogue.find(request.provider)
        shown = await self._changing_settings.preview(
            identity().workspace_id, request.provider, request.setting, request.template, request.values
        )
        return pb.PreviewTemplateResponse(
            text=shown.text, variables=shown.variables, warning=shown.warning, max_length=shown.longest
        )

    async def VerifyWebhooks(self, request: pb.VerifyWebhooksRequest, context: Context) -> pb.VerifyWebhooksResponse:
        if len(request.deliveries) > MOST_DELIVERIES:
            require([Fault("deliveries", f"At most {MOST_DELIVERIES} deliveries fit into one call.")])
        deliveries = [Delivery(one.provider, one.integration_id, one.body, one.headers) for one in request.deliveries]
        verdicts = await self._verifying.verify(deliveries)
        return pb.VerifyWebhooksResponse(
            verdicts=[
                rendering.verdict(verdict, delivery.provider)
                for verdict, delivery in zip(verdicts, deliveries, strict=True)
            ]
        )
