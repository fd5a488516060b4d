"""Provider events as the gateway hands them over, and our own events as NATS has them."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import nats as nats_client
from google.protobuf.timestamp_pb2 import Timestamp
from nats.aio.msg import Msg

from services.common.ids import new_id
from services.rpc.showbill.events.v1.events_pb2 import Event
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.fake_provider import ACCOUNT

PAID_AT = Timestamp(seconds=1_790_500_000)


def event(
    caller: Caller, kind: pb.ProviderEventType.ValueType, invoice: pb.Invoice, **fields: object
) -> pb.ProviderEvent:
    """Of an invoice, as its own account and mode would tell it; `fields` change the provider's invoice."""
    told = pb.ProviderInvoice(
        external_id="in_" + invoice.id.replace("-", ""),
        total=invoice.total,
        currency=invoice.currency,
        external_url="https://pay.example/in",
        number="N-1",
        invoice_id=invoice.id,
        revision=invoice.revision,
        paid_time=PAID_AT if kind == pb.PROVIDER_EVENT_TYPE_PAID else None,
    )
    told.MergeFrom(pb.ProviderInvoice(**fields))  # type: ignore[arg-type]  # fields of it, by name
    return pb.ProviderEvent(
        event_id="evt_" + new_id(),
        provider="stripe",
        workspace_id=caller.who.workspace_id,
        account_id=ACCOUNT,
        type=kind,
        provider_type=pb.ProviderEventType.Name(kind),
        occur_time=PAID_AT,
        invoice=told,
    )


def paid_event(caller: Caller, invoice: pb.Invoice, **fields: object) -> pb.ProviderEvent:
    return event(caller, pb.PROVIDER_EVENT_TYPE_PAID, invoice, **fields)


def paid_now(caller: Caller, invoice: pb.Invoice, **fields: object) -> pb.ProviderEvent:
    """Of a payment of this very moment, as of one that was asked for."""
    return paid_event(caller, invoice, paid_time=Timestamp(seconds=int(time.time())), **fields)


@dataclass
class Heard:
    """Events of one workspace, in the order in which they came."""

    events: list[Event] = field(default_factory=list)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]


@asynccontextmanager
async def listening(url: str, workspace_id: str) -> AsyncIterator[Heard]:
    heard = Heard()

    async def note(message: Msg) -> None:
        heard.events.append(Event.FromString(message.data))

    client = await nats_client.connect(url)
    await client.subscribe(f"showbill.events.{workspace_id}.>", cb=note)
    await client.flush()
    yield heard
    await client.close()
