"""Calls to the integrations service in the name of the services that may call it."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.secret import Secret
from services.common.tokens import Signer
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as rpc

PATIENCE = 30.0


class Caller:
    """The gateway and the invoicing service, as the integrations service sees them."""

    def __init__(self, address: str, seeds: Mapping[str, str]) -> None:
        self.gateway = GrpcClient(address, "integrations", Signer("gateway", Secret(seeds["gateway"])))
        self.invoicing = GrpcClient(address, "integrations", Signer("invoicing", Secret(seeds["invoicing"])))
        self.integrations = rpc.IntegrationsServiceStub(self.gateway.channel)
        self.invoices = rpc.InvoiceProviderServiceStub(self.invoicing.channel)

    async def listed(self, who: Identity) -> dict[str, pb.ListedIntegration]:
        answer = await self.gateway.call(self.integrations.ListIntegrations, pb.ListIntegrationsRequest(), who)
        return {one.entry.provider: one for one in answer.integrations}

    async def get(self, who: Identity) -> pb.GetIntegrationResponse:
        return await self.gateway.call(
            self.integrations.GetIntegration, pb.GetIntegrationRequest(provider="stripe"), who
        )

    async def connect(
        self, who: Identity, credentials: Mapping[str, str], provider: str = "stripe", *, validate_only: bool = False
    ) -> pb.ConnectIntegrationResponse:
        request = pb.ConnectIntegrationRequest(provider=provider, credentials=credentials, validate_only=validate_only)
        return await self.gateway.call(self.integrations.ConnectIntegration, request, who, timeout=PATIENCE)

    async def replace(
        self, who: Identity, credentials: Mapping[str, str], provider: str = "stripe"
    ) -> pb.ReplaceCredentialsResponse:
        request = pb.ReplaceCredentialsRequest(provider=provider, credentials=credentials)
        return await self.gateway.call(self.integrations.ReplaceCredentials, request, who, timeout=PATIENCE)

    async def set(self, who: Identity, provider: str = "stripe", **settings: Any) -> pb.Integration:
        """Changes these settings and no other."""
        mask = FieldMask(paths=[name for name in settings if name != "etag"])
        request = pb.UpdateIntegrationSettingsRequest(
            provider=provider, settings=pb.IntegrationSettings(**settings), update_mask=mask
        )
        answer = await self.gateway.call(self.integrations.UpdateIntegrationSettings, request, who)
        return answer.integration

    async def preview(self, who: Identity, template: str, **values: str) -> pb.PreviewTemplateResponse:
        request = pb.PreviewTemplateRequest(provider="stripe", template=template, values=values)
        return await self.gateway.call(self.integrations.PreviewTemplate, request, who)

    async def test(self, who: Identity, *, passive: bool = False) -> pb.TestIntegrationResponse:
        request = pb.TestIntegrationRequest(provider="stripe", passive=passive)
        return await self.gateway.call(self.integrations.TestIntegration, request, who, timeout=PATIENCE)

    async def disconnect(self, who: Identity) -> pb.DisconnectIntegrationResponse:
        request = pb.DisconnectIntegrationRequest(provider="stripe")
        return await self.gateway.call(self.integrations.DisconnectIntegration, request, who, timeout=PATIENCE)

    async def audit(self, who: Identity, size: int = 0, token: str = "") -> pb.ListAuditEntriesResponse:
        request = pb.ListAuditEntriesRequest(provider="stripe", page_size=size, page_token=token)
        return await self.gateway.call(self.integrations.ListAuditEntries, request, who)

    async def verify(self, *deliveries: pb.WebhookDelivery) -> list[pb.WebhookVerdict]:
        request = pb.VerifyWebhooksRequest(deliveries=deliveries)
        everyone = Identity("", "worker:webhooks")
        answer = await self.gateway.call(self.integrations.VerifyWebhooks, request, everyone)
        return list(answer.verdicts)

    async def create(self, who: Identity, request: pb.CreateInvoiceRequest) -> pb.ProviderInvoice:
        answer = await self.invoicing.call(self.invoices.CreateInvoice, request, who, timeout=PATIENCE)
        return answer.invoice

    async def read(self, who: Identity, account: str, external_id: str) -> pb.ProviderInvoice:
        request = pb.GetInvoiceRequest(provider="stripe", external_id=external_id, account_id=account)
        return (await self.invoicing.call(self.invoices.GetInvoice, request, who, timeout=PATIENCE)).invoice

    async def list_invoices(self, who: Identity, account: str, size: int, token: str) -> pb.ListInvoicesResponse:
        request = pb.ListInvoicesRequest(provider="stripe", account_id=account, page_size=size, page_token=token)
        return await self.invoicing.call(self.invoices.ListInvoices, request, who, timeout=PATIENCE)

    async def list_changed(
        self, who: Identity, account: str, *, since: int = 0, size: int = 0, token: str = ""
    ) -> pb.ListChangedInvoicesResponse:
        """`since` in seconds of Unix time."""
        request = pb.ListChangedInvoicesRequest(provider="stripe", account_id=account, page_size=size, page_token=token)
        if since:
            request.occur_time_from.seconds = since
        return await self.invoicing.call(self.invoices.ListChangedInvoices, request, who, timeout=PATIENCE)

    async def finalize(self, who: Identity, account: str, made: pb.ProviderInvoice, total: int) -> pb.ProviderInvoice:
        request = pb.FinalizeInvoiceRequest(**_reference(account, made), total=total, currency=made.currency)
        return (await self.invoicing.call(self.invoices.FinalizeInvoice, request, who, timeout=PATIENCE)).invoice

    async def void(self, who: Identity, account: str, made: pb.ProviderInvoice) -> pb.ProviderInvoice:
        request = pb.VoidInvoiceRequest(**_reference(account, made))
        return (await self.invoicing.call(self.invoices.VoidInvoice, request, who, timeout=PATIENCE)).invoice

    async def mark_paid(self, who: Identity, account: str, made: pb.ProviderInvoice) -> pb.ProviderInvoice:
        return (await self.mark(who, account, made)).invoice

    async def mark(self, who: Identity, account: str, made: pb.ProviderInvoice) -> pb.MarkPaidResponse:
        request = pb.MarkPaidRequest(**_reference(account, made), total=made.total, currency=made.currency)
        return await self.invoicing.call(self.invoices.MarkPaid, request, who, timeout=PATIENCE)

    async def update_draft(
        self, who: Identity, account: str, made: pb.ProviderInvoice, lines: Sequence[pb.InvoiceLine], **values: Any
    ) -> pb.ProviderInvoice:
        return (await self.edit(who, account, made, lines, **values)).invoice

    async def edit(
        self, who: Identity, account: str, made: pb.ProviderInvoice, lines: Sequence[pb.InvoiceLine], **values: Any
    ) -> pb.UpdateDraftResponse:
        fields = {"currency": made.currency, "total": sum(line.amount for line in lines), **values}
        request = pb.UpdateDraftRequest(**_reference(account, made), lines=lines, **fields)
        return await self.invoicing.call(self.invoices.UpdateDraft, request, who, timeout=PATIENCE)

    async def find(self, who: Identity, order: pb.CreateInvoiceRequest) -> pb.ProviderInvoice | None:
        request = pb.FindInvoiceRequest(
            provider=order.provider,
            invoice_id=order.invoice_id,
            revision=order.revision,
            account_id=order.account_id,
            buyer=order.buyer,
        )
        answer = await self.invoicing.call(self.invoices.FindInvoice, request, who, timeout=PATIENCE)
        return answer.invoice if answer.HasField("invoice") else None

    async def send(
        self, who: Identity, account: str, made: pb.ProviderInvoice, delivery_id: str
    ) -> pb.SendInvoiceResponse:
        request = pb.SendInvoiceRequest(**_reference(account, made), delivery_id=delivery_id)
        return await self.invoicing.call(self.invoices.SendInvoice, request, who, timeout=PATIENCE)

    async def close(self) -> None:
        await self.gateway.close()
        await self.invoicing.close()


def _reference(account: str, made: pb.ProviderInvoice) -> dict[str, Any]:
    return {
        "provider": "stripe",
        "external_id": made.external_id,
        "invoice_id": made.invoice_id,
        "revision": made.revision,
        "account_id": account,
    }
