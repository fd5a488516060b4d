"""A messaging service in miniature: sends what Showbill asks for, and reports what became of it.

    NATS_URL=… INVOICING_ADDRESS=… SERVICE_SIGNING_KEY=… python examples/messaging.py

Put your platform's API in the place of `send`. docs/messaging.md says what is promised and what is expected.
"""

import asyncio
import os

import nats
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingYet
from nats.js.api import ConsumerConfig

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.errors import Kind
from services.common.secret import Secret
from services.common.status import RemoteError
from services.common.tokens import Signer
from services.rpc.showbill.events.v1.events_pb2 import CheckoutLinkRequested, Event
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub

STREAM = "SHOWBILL_EVENTS"
WANTED = "showbill.events.*.*.checkout_link.requested"
LONGEST = 1000
AGAIN = 5.0
"""Seconds until an event that could not be dealt with is given to us again."""


class NotSent(Exception):
    """Why the platform did not take a message, as a finished sentence for the operator."""


async def send(wanted: CheckoutLinkRequested) -> None:
    """Here the platform is called. Give it the delivery id as its idempotency key: events may come twice."""
    if len(wanted.message) > LONGEST:
        raise NotSent(f"The message is longer than the {LONGEST} characters that {wanted.platform} takes.")
    print(f"to {wanted.handle} on {wanted.platform}: {wanted.message}", flush=True)


async def report(client: GrpcClient, event: Event, state: pb.DeliveryState.ValueType, reason: str = "") -> None:
    """In the name of the workspace that the event is of."""
    delivery_id = event.checkout_link_requested.delivery_id
    request = pb.ReportDeliveryRequest(delivery_id=delivery_id, state=state, reason=reason)
    who = Identity(event.workspace_id, "worker:messaging")
    await client.call(InvoicesServiceStub(client.channel).ReportDelivery, request, who)


async def deal_with(client: GrpcClient, message: Msg) -> None:
    """First the report, then the acknowledgement: whatever dies between them, the event comes again."""
    event = Event.FromString(message.data)
    try:
        try:
            await send(event.checkout_link_requested)
        except NotSent as error:
            await report(client, event, pb.DELIVERY_STATE_FAILED, str(error))
        else:
            await report(client, event, pb.DELIVERY_STATE_DELIVERED)
    except RemoteError as error:
        if error.kind is not Kind.NOT_FOUND:  # away just now: later
            await message.nak(delay=AGAIN)
            return
    await message.ack()


async def main() -> None:
    client = GrpcClient(
        os.environ["INVOICING_ADDRESS"], "invoicing", Signer("messaging", Secret(os.environ["SERVICE_SIGNING_KEY"]))
    )
    bus = await nats.connect(os.environ["NATS_URL"], max_reconnect_attempts=-1)
    # Durable: what was asked for while we were away waits for us. Replicas that use the same name share the work.
    config = ConsumerConfig(ack_wait=30, max_ack_pending=100)
    events = await bus.jetstream().pull_subscribe(WANTED, durable="messaging", stream=STREAM, config=config)
    print("ready", flush=True)
    while True:
        try:
            messages = await events.fetch(10, timeout=5)
        except NothingYet:
            continue
        await asyncio.gather(*(deal_with(client, message) for message in messages))


if __name__ == "__main__":
    asyncio.run(main())
