"""The provider as the integrations service offers it, over gRPC."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.errors import Kind
from services.common.status import RemoteError
from services.common.timestamps import from_proto, to_proto
from services.invoicing.domain.evidence import Theirs
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import ProviderLine, Sighting
from services.invoicing.domain.terms import Terms
from services.invoicing.parse_invoices import event
from services.invoicing.ports import Connection, Happened, Order, UpdateMode
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from services.rpc.showbill.integrations.v1.integrations_pb2_grpc import (
    IntegrationsServiceStub,
    InvoiceProviderServiceStub,
)

log = structlog.get_logger()

CREATE_DEADLINE: Final = 50.0
"""Seconds: several paced waits may add up. A lease is renewed while the call is under way, so it outlives this."""
_READ_DEADLINE: Final = 10.0
_BACKGROUND_DEADLINE: Final = 45.0
"""A call that yields to others waits longer."""
_LIST_DEADLINE: Final = 30.0
_SEND_DEADLINE: Final = 20.0
_CHANGE_DEADLINE: Final = 30.0
"""A change is a reading, the change itself and at times another reading, each in its turn."""

STANDINGS: Final = {
    pb.PROVIDER_INVOICE_STATUS_DRAFT: Standing.HELD_BACK,
    pb.PROVIDER_INVOICE_STATUS_OPEN: Standing.PAYABLE,
    pb.PROVIDER_INVOICE_STATUS_PAID: Standing.PAID,
    pb.PROVIDER_INVOICE_STATUS_VOID: Standing.VOID,
    pb.PROVIDER_INVOICE_STATUS_UNCOLLECTIBLE: Standing.UNCOLLECTIBLE,
    pb.PROVIDER_INVOICE_STATUS_DELETED: Standing.VOID,
}


class UnknownAnswer(RemoteError):
    """The provider's answer has a status that this version does not know."""

    def __init__(self) -> None:
        super().__init__(Kind.INTERNAL, "UNKNOWN_ANSWER", self.__doc__ or "")


def sighting(invoice: pb.ProviderInvoice) -> Sighting:
    """What an answer says of the invoice. Raises UnknownAnswer."""
    standing = STANDINGS.get(invoice.status)
    if standing is None:
        raise UnknownAnswer
    return Sighting(
        standing=standing,
        external_id=invoice.external_id,
        total=None if standing is Standing.HELD_BACK else invoice.total,
        currency=invoice.currency,
        external_url=invoice.external_url,
        provider_url=invoice.provider_url,
        number=invoice.number,
        paid_at=from_proto(invoice.paid_time),
        lines=tuple(ProviderLine(line.description, line.amount) for line in invoice.lines),
        deleted=invoice.status == pb.PROVIDER_INVOICE_STATUS_DELETED,
        replaced_by=invoice.replaced_by,
        replaces=invoice.replaces,
        payment_instructions=invoice.payment_instructions,
        mailed_to=invoice.mailed_to if invoice.HasField("mailed_to") else None,
    )


class IntegrationsProvider:
    """Calls the integrations service. Raises RemoteError."""

    def __init__(self, client: GrpcClient) -> None:
        self._client = client
        self._connections = IntegrationsServiceStub(client.channel)
        self._invoices = InvoiceProviderServiceStub(client.channel)

    async def connection(self, identity: Identity, provider: str) -> Connection | None:
        request = pb.GetIntegrationRequest(provider=provider)
        try:
            answer = await self._client.call(self._connections.GetIntegration, request, identity)
        except RemoteError as error:
            if error.kind is Kind.NOT_FOUND:
                return None
            raise
        return _connection(answer)

    async def create(self, identity: Identity, order: Order) -> Sighting:
        # A service that is starting is waited for: failing at once would only put the same call off.
        answer = await self._client.call(
            self._invoices.CreateInvoice,
            _create_request(order),
            identity,
            timeout=CREATE_DEADLINE,
            wait_for_ready=True,
        )
        return sighting(answer.invoice)

    async def read(
        self, identity: Identity, account: Account, external_id: str, *, background: bool = False
    ) -> Sighting:
        request = pb.GetInvoiceRequest(
            provider=account.provider,
            external_id=external_id,
            account_id=account.account_id,
            livemode=account.livemode,
            background=background,
        )
        timeout = _BACKGROUND_DEADLINE if background else _READ_DEADLINE
        answer = await self._client.call(self._invoices.GetInvoice, request, identity, timeout=timeout)
        return sighting(answer.invoice)

    async def happened(self, identity: Identity, account: Account, since: datetime, page_token: str) -> Happened:
        request = pb.ListChangedInvoicesRequest(
            provider=account.provider,
            account_id=account.account_id,
            livemode=account.livemode,
            occur_time_from=to_proto(since),
            page_token=page_token,
        )
        call = self._invoices.ListChangedInvoices
        answer = await self._client.call(call, request, identity, timeout=_BACKGROUND_DEADLINE)
        return _happened(account, answer)

    async def listed(
        self, identity: Identity, account: Account, since: datetime, until: datetime | None, page_token: str
    ) -> tuple[list[Theirs], str]:
        request = pb.ListInvoicesRequest(
            provider=account.provider,
            account_id=account.account_id,
            livemode=account.livemode,
            create_time_from=to_proto(since),
            create_time_to=to_proto(until),
            page_token=page_token,
        )
        answer = await self._client.call(self._invoices.ListInvoices, request, identity, timeout=_LIST_DEADLINE)
        return [_theirs(account, one) for one in answer.invoices], answer.next_page_token

    async def look(self, identity: Identity, account: Account, external_id: str) -> Theirs | None:
        request = pb.GetInvoiceRequest(
            provider=account.provider,
            external_id=external_id,
            account_id=account.account_id,
            livemode=account.livemode,
        )
        answer = await self._client.call(self._invoices.GetInvoice, request, identity, timeout=_READ_DEADLINE)
        gone = answer.invoice.status == pb.PROVIDER_INVOICE_STATUS_DELETED
        return None if gone else _theirs(account, answer.invoice)

    async def send(
        self, identity: Identity, account: Account, external_id: str, invoice_id: str, revision: int, delivery_id: str
    ) -> tuple[Sighting, str]:
        request = pb.SendInvoiceRequest(
            provider=account.provider,
            external_id=external_id,
            invoice_id=invoice_id,
            revision=revision,
            account_id=account.account_id,
            livemode=account.livemode,
            delivery_id=delivery_id,
        )
        answer = await self._client.call(self._invoices.SendInvoice, request, identity, timeout=_SEND_DEADLINE)
        return sighting(answer.invoice), answer.warning

    async def void(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        *,
        background: bool = False,
    ) -> Sighting:
        request = pb.VoidInvoiceRequest(
            provider=account.provider,
            external_id=external_id,
            invoice_id=invoice_id,
            revision=revision,
            account_id=account.account_id,
            livemode=account.livemode,
            background=background,
        )
        timeout = _BACKGROUND_DEADLINE if background else _CHANGE_DEADLINE
        answer = await self._client.call(self._invoices.VoidInvoice, request, identity, timeout=timeout)
        return sighting(answer.invoice)

    async def mark_paid(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        total: int,
        currency: str,
    ) -> Sighting:
        request = pb.MarkPaidRequest(
            provider=account.provider,
            external_id=external_id,
            invoice_id=invoice_id,
            revision=revision,
            account_id=account.account_id,
            livemode=account.livemode,
            total=total,
            currency=currency,
        )
        answer = await self._client.call(self._invoices.MarkPaid, request, identity, timeout=_CHANGE_DEADLINE)
        outside = answer.paid_outside if answer.HasField("paid_outside") else None
        return replace(sighting(answer.invoice), paid_before=answer.paid_before, paid_outside=outside)

    async def finalize(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        total: int,
        currency: str,
    ) -> Sighting:
        request = pb.FinalizeInvoiceRequest(
            provider=account.provider,
            external_id=external_id,
            invoice_id=invoice_id,
            revision=revision,
            account_id=account.account_id,
            livemode=account.livemode,
            total=total,
            currency=currency,
        )
        answer = await self._client.call(self._invoices.FinalizeInvoice, request, identity, timeout=_CHANGE_DEADLINE)
        return sighting(answer.invoice)

    async def update_draft(self, identity: Identity, order: Order, external_id: str) -> Sighting:
        request = pb.UpdateDraftRequest(
            provider=order.account.provider,
            external_id=external_id,
            invoice_id=order.id,
            revision=order.revision,
            attempt=order.attempt,
            account_id=order.account.account_id,
            livemode=order.account.livemode,
            lines=[pb.InvoiceLine(**line) for line in order.lines],
            total=order.total,
            currency=order.currency,
            keep_draft=order.keep_draft,
            buyer=pb.InvoiceBuyer(**order.buyer),
        )
        answer = await self._client.call(self._invoices.UpdateDraft, request, identity, timeout=CREATE_DEADLINE)
        return replace(sighting(answer.invoice), other_lines=answer.other_lines)

    async def find(
        self,
        identity: Identity,
        account: Account,
        invoice_id: str,
        revision: int,
        buyer: dict[str, str],
        *,
        background: bool = False,
    ) -> Sighting | None:
        request = pb.FindInvoiceRequest(
            provider=account.provider,
            invoice_id=invoice_id,
            revision=revision,
            account_id=account.account_id,
            livemode=account.livemode,
            buyer=pb.InvoiceBuyer(**buyer),
            background=background,
        )
        timeout = _BACKGROUND_DEADLINE if background else _CHANGE_DEADLINE
        answer = await self._client.call(self._invoices.FindInvoice, request, identity, timeout=timeout)
        return sighting(answer.invoice) if answer.HasField("invoice") else None


def _happened(account: Account, answer: pb.ListChangedInvoicesResponse) -> Happened:
    """An event that makes no sense must not keep the others from counting."""
    events, unreadable = [], list(answer.unreadable_external_ids)
    for told in answer.events:
        try:
            # Whose events they are is decided by whom was asked for, not by the answer.
            events.append(replace(event(told), account=account))
        except (ValueError, OverflowError):
            log.exception("an event of the provider cannot be read", event_id=told.event_id)
            unreadable.append(told.invoice.external_id)
    return Happened(events, answer.next_page_token, [external_id for external_id in unreadable if external_id])


def _theirs(account: Account, found: pb.ProviderInvoice) -> Theirs:
    standing = STANDINGS.get(found.status)
    if standing is None:
        raise UnknownAnswer
    return Theirs(
        account=account,
        external_id=found.external_id,
        standing=standing,
        total=found.total,
        currency=found.currency,
        invoice_id=found.invoice_id,
        replaced_by=found.replaced_by,
        paid_at=from_proto(found.paid_time),
        amounts=tuple(sorted(line.amount for line in found.lines)) if found.lines else None,
    )


def _connection(answer: pb.GetIntegrationResponse) -> Connection:
    integration, limits = answer.integration, answer.limits
    return Connection(
        integration_id=integration.id,
        provider=integration.provider,
        account_id=integration.account_id,
        livemode=integration.livemode,
        active=integration.status == pb.INTEGRATION_STATUS_ACTIVE,
        status_reason=integration.status_reason,
        message_template=integration.settings.message_template,
        automatic_sending=integration.settings.automatic_sending,
        emails=not limits.cannot_email,
        update_mode=UpdateMode.LIVE if integration.update_mode == pb.UPDATE_MODE_LIVE else UpdateMode.POLLING,
        update_mode_reason=integration.update_mode_reason,
        last_event_at=from_proto(integration.last_event_time),
        limits=Terms(
            currency="",
            livemode=integration.livemode,
            account_id=integration.account_id,
            minimum_totals=dict(limits.minimum_totals),
            maximum_totals=dict(limits.maximum_totals),
            maximum_total=limits.maximum_total,
            maximum_lines=limits.maximum_lines,
        ),
    )


def _create_request(order: Order) -> pb.CreateInvoiceRequest:
    return pb.CreateInvoiceRequest(
        provider=order.account.provider,
        invoice_id=order.id,
        revision=order.revision,
        attempt=order.attempt,
        first_attempt_time=to_proto(order.first_attempt_at),
        account_id=order.account.account_id,
        livemode=order.account.livemode,
        buyer=pb.InvoiceBuyer(**order.buyer),
        currency=order.currency,
        lines=[pb.InvoiceLine(**line) for line in order.lines],
        total=order.total,
        keep_draft=order.keep_draft,
        show_name=order.show_name,
        show_date=order.show_date.isoformat(),
    )
