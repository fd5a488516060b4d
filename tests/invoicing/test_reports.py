"""The messaging service's reports, and links that are revoked."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.cli.embedded.nats import Nats
from services.common.errors import Kind
from services.common.ids import new_id
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import MakeCaller
from tests.invoicing.events_seen import listening, paid_event
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

DM = pb.DELIVERY_CHANNEL_DM
REQUESTED, DELIVERED, FAILED = (
    pb.DELIVERY_STATE_REQUESTED,
    pb.DELIVERY_STATE_DELIVERED,
    pb.DELIVERY_STATE_FAILED,
)
Report = Callable[..., Awaitable[None]]


@pytest.fixture
async def invoice(caller: Caller) -> pb.Invoice:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    return (await caller.listed(show_id))[0]


@pytest.fixture
async def messaging(caller: Caller, make_caller: MakeCaller) -> Caller:
    """The messaging service in the name of the same workspace."""
    other = await make_caller("messaging")
    other.who = caller.who
    return other


async def test_delivered_message_marks_the_invoice_sent_once(
    caller: Caller, messaging: Caller, invoice: pb.Invoice, nats: Nats
) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        delivery = (await caller.send(invoice, DM)).delivery
        assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_DRAFT
        await asyncio.gather(*(messaging.report(delivery.id, DELIVERED) for _ in range(3)))
        await eventually(lambda: heard.of("checkout_link.sent"))
        await messaging.report(delivery.id, DELIVERED)
        await messaging.report(delivery.id, FAILED, "Too late to say so.")
        sent = await caller.invoice(invoice)
        await caller.apply(paid_event(caller, invoice))  # comes after all that was told before
        await eventually(lambda: heard.of("invoice.updated")[-1:] and _paid(heard.events))
    assert (sent.status, sent.send_count) == (pb.INVOICE_STATUS_SENT, 1)
    (told,) = heard.of("checkout_link.sent")
    assert (told.checkout_link_sent.delivery_id, told.checkout_link_sent.channel) == (delivery.id, "dm")
    (requested,) = heard.of("checkout_link.requested")
    assert requested.checkout_link_requested.link == "https://pay.example" + invoice.pay_path
    (kept,) = (await caller.deliveries(invoice)).deliveries
    assert (kept.state, kept.reason, kept.HasField("finish_time")) == (DELIVERED, "", True)


def _paid(events: list) -> bool:  # type: ignore[type-arg]  # of Event
    return any(one.invoice_updated.status == pb.INVOICE_STATUS_PAID for one in events)


async def test_failed_message_is_a_result_and_no_status(caller: Caller, messaging: Caller, invoice: pb.Invoice) -> None:
    delivery = (await caller.send(invoice, DM)).delivery
    await messaging.report(delivery.id, FAILED, "The buyer takes no messages from strangers.")
    (kept,) = (await caller.deliveries(invoice)).deliveries
    assert (kept.state, kept.reason) == (FAILED, "The buyer takes no messages from strangers.")
    after = await caller.invoice(invoice)
    assert (after.status, after.send_count, after.version) == (pb.INVOICE_STATUS_DRAFT, 0, invoice.version)
    await messaging.report(delivery.id, DELIVERED)
    after = await caller.invoice(invoice)
    assert (after.status, after.send_count) == (pb.INVOICE_STATUS_SENT, 1), "it arrived after all"


async def test_message_that_arrives_after_the_payment_leaves_it_paid(
    caller: Caller, messaging: Caller, invoice: pb.Invoice
) -> None:
    delivery = (await caller.send(invoice, DM)).delivery
    await caller.apply(paid_event(caller, invoice))
    await messaging.report(delivery.id, DELIVERED)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID


async def test_only_what_was_asked_for_can_be_reported(
    caller: Caller, messaging: Caller, invoice: pb.Invoice, make_caller: MakeCaller
) -> None:
    copied = (await caller.send(invoice, pb.DELIVERY_CHANNEL_MANUAL)).delivery
    asked = (await caller.send(invoice, DM)).delivery
    stranger = await make_caller("messaging")
    for call in (
        messaging.report(new_id(), DELIVERED),
        messaging.report(copied.id, FAILED, "No."),
        stranger.report(asked.id, DELIVERED),
    ):
        error = await refusal(call)
        assert (error.kind, error.reason) == (Kind.NOT_FOUND, "DELIVERY_NOT_FOUND")
    for wrong in (messaging.report(asked.id, REQUESTED), messaging.report(asked.id, FAILED)):
        assert (await refusal(wrong)).kind is Kind.INVALID
    assert (await refusal(caller.report(asked.id, DELIVERED))).kind is Kind.FORBIDDEN
    states = [one.state for one in (await caller.deliveries(invoice)).deliveries]
    assert states == [DELIVERED, REQUESTED]


async def test_revoked_link_is_gone_and_a_new_one_stands(caller: Caller, invoice: pb.Invoice, nats: Nats) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        path = await caller.revoke(invoice)
        await eventually(lambda: heard.of("invoice.updated"))
    assert path.startswith("/p/")
    assert path != invoice.pay_path
    unknown = await refusal(caller.resolve("nothing"))
    revoked = await refusal(caller.resolve(invoice.pay_path.removeprefix("/p/")))
    assert (revoked.kind, revoked.reason, revoked.message) == (unknown.kind, unknown.reason, unknown.message)
    assert (await caller.resolve(path.removeprefix("/p/"))).total == invoice.total
    updated = heard.of("invoice.updated")[-1].invoice_updated
    assert (updated.pay_path, updated.version) == (path, invoice.version + 1)
    after = await caller.invoice(invoice)
    assert (after.pay_path, after.status) == (path, invoice.status)
    assert (await caller.history(invoice))[-1].reason == "The pay link was revoked; a new one stands in its place."


async def test_links_revoked_at_once_leave_one_in_force(caller: Caller, invoice: pb.Invoice) -> None:
    paths = await asyncio.gather(*(caller.revoke(invoice) for _ in range(3)))
    present = (await caller.invoice(invoice)).pay_path
    assert present in paths
    for path in {*paths, invoice.pay_path} - {present}:
        assert (await refusal(caller.resolve(path.removeprefix("/p/")))).kind is Kind.NOT_FOUND


async def test_buyer_without_a_link_has_none_to_revoke(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    (buyer,) = await caller.buyers(show_id)
    error = await refusal(caller.revoke(pb.Invoice(show_id=show_id, buyer_id=buyer.id)))
    assert (error.kind, error.message) == (
        Kind.NOT_FOUND,
        "The buyer has no pay link in this show yet. It is made with the first invoice.",
    )


async def test_openings_are_readable_on_the_invoice(caller: Caller, invoice: pb.Invoice) -> None:
    token = invoice.pay_path.removeprefix("/p/")
    assert (invoice.opened_count, invoice.HasField("first_opened_time")) == (0, False)
    for _ in range(2):
        await caller.resolve(token, count_opening=True)
    await caller.resolve(token)
    for seen in (await caller.invoice(invoice), (await caller.listed(invoice.show_id))[0]):
        assert (seen.opened_count, seen.HasField("first_opened_time")) == (2, True)
    await caller.revoke(invoice)
    assert (await caller.invoice(invoice)).opened_count == 0
