"""Requests about invoices, and provider events, as the use cases take them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.common.errors import Fault, require
from services.common.ids import parse_id
from services.common.timestamps import from_proto
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Standing, Status
from services.invoicing.domain.plan import Wishes
from services.invoicing.domain.sighting import ProviderLine, Sighting
from services.invoicing.generate import Asked
from services.invoicing.parse import (
    LONGEST_BASE,
    PROVIDERS,
    count_fault,
    id_faults,
    provider,
    request_id,
    text_fault,
    uuid_of,
)
from services.invoicing.settle import MOST, Event
from services.rpc.showbill.integrations.v1 import integrations_pb2 as integrations
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb


def asked(message: pb.PlanGenerationRequest | pb.StartGenerationRequest) -> Asked:
    """What is to be planned, or planned and done. Raises InvalidRequest."""
    starting = message if isinstance(message, pb.StartGenerationRequest) else pb.StartGenerationRequest()
    require(
        [
            *id_faults("buyer_ids", message.buyer_ids, "a buyer"),
            *id_faults("except_buyer_ids", starting.except_buyer_ids, "a buyer"),
            *text_fault("pay_link_base", starting.pay_link_base, LONGEST_BASE),
        ]
    )
    return Asked(
        show_id=parse_id(message.show_id, "show"),
        buyer_ids={parse_id(buyer_id, "buyer") for buyer_id in message.buyer_ids},
        plan_hash=starting.plan_hash,
        request_id=request_id(starting.request_id),
        provider=provider(message.provider),
        wishes=Wishes(message.apply_changes, message.reissue_for_email),
        except_buyer_ids={parse_id(buyer_id, "buyer") for buyer_id in starting.except_buyer_ids},
        automatic_sending=starting.automatic_sending if starting.HasField("automatic_sending") else None,
        pay_link_base=starting.pay_link_base,
        expected_total=starting.expected_total if starting.HasField("expected_total") else None,
    )


STATUSES: Final = {pb.InvoiceStatus.Value(f"INVOICE_STATUS_{status.name}"): status for status in Status}


def statuses(values: Sequence[pb.InvoiceStatus.ValueType]) -> list[Status]:
    """Raises InvalidRequest."""
    require([Fault("statuses", "There is no such status.") for value in values if value not in STATUSES][:1])
    return [STATUSES[value] for value in values]


_STANDINGS: Final[dict[int, Standing]] = {
    pb.PROVIDER_EVENT_TYPE_FINALIZED: Standing.PAYABLE,
    pb.PROVIDER_EVENT_TYPE_SENT: Standing.SENT,
    pb.PROVIDER_EVENT_TYPE_PAID: Standing.PAID,
    pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED: Standing.PAYMENT_FAILED,
    pb.PROVIDER_EVENT_TYPE_VOIDED: Standing.VOID,
    pb.PROVIDER_EVENT_TYPE_MARKED_UNCOLLECTIBLE: Standing.UNCOLLECTIBLE,
    pb.PROVIDER_EVENT_TYPE_DELETED: Standing.VOID,
}
"""What an event says of its invoice. Events that are not here are recorded and move nothing."""


def events(messages: Sequence[pb.ProviderEvent]) -> list[Event]:
    """Raises InvalidRequest for too many, or for one that names no workspace or event."""
    faults = count_fault("events", messages, MOST)
    for place, message in enumerate(messages):
        if not message.event_id or not uuid_of(message.workspace_id) or message.provider not in PROVIDERS:
            faults.append(Fault(f"events[{place}]", "The event names no workspace, no provider or no id."))
    require(faults)
    return [event(message) for message in messages]


def event(message: pb.ProviderEvent | integrations.ProviderEvent) -> Event:
    """What a webhook told, or a list of the provider's: both contracts name the fields and number the types alike."""
    told = message.invoice if message.HasField("invoice") else None
    standing = _STANDINGS.get(message.type)
    occurred_at = from_proto(message.occur_time) or datetime.now(UTC)
    return Event(
        account=Account(message.workspace_id, message.provider, message.account_id, message.livemode),
        event_id=message.event_id,
        event_type=message.provider_type,
        occurred_at=occurred_at,
        invoice_id=uuid_of(told.invoice_id) if told else None,
        external_id=told.external_id if told else "",
        sighting=_sighting(message.type, standing, told, occurred_at) if told and standing is not None else None,
    )


def _sighting(
    kind: int, standing: Standing, told: pb.ProviderInvoice | integrations.ProviderInvoice, occurred_at: datetime
) -> Sighting:
    deleted = kind == pb.PROVIDER_EVENT_TYPE_DELETED
    return Sighting(
        standing=standing,
        external_id=told.external_id,
        total=None if deleted else told.total,
        currency=told.currency,
        external_url=told.external_url,
        provider_url=told.provider_url,
        number=told.number,
        paid_at=from_proto(told.paid_time) or occurred_at,
        lines=tuple(ProviderLine(line.description, line.amount) for line in told.lines),
        deleted=deleted,
        replaced_by=told.replaced_by,
        replaces=told.replaces,
        mailed_to=told.mailed_to if told.HasField("mailed_to") else None,
    )
