"""Checkout links: delivered, counted, refused with a sentence, and where they lead."""

import asyncio
from dataclasses import replace

import pytest

from services.cli.embedded.nats import Nats
from services.common.errors import Kind
from services.common.ids import new_id
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import ProviderLine
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.events_seen import listening, paid_event
from tests.invoicing.fake_provider import Away, FakeProvider, Refused, sighting_of
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

MANUAL, EMAIL, DM = pb.DELIVERY_CHANNEL_MANUAL, pb.DELIVERY_CHANNEL_EMAIL, pb.DELIVERY_CHANNEL_DM


@pytest.fixture
async def invoice(caller: Caller) -> pb.Invoice:
    show_id = await caller.small_show(1)
    await caller.ingest(show_id, [winner(0, claim_id="e", email="buyer@example.com")])
    await caller.generate(show_id)
    return (await caller.listed(show_id))[0]


def token(invoice: pb.Invoice) -> str:
    return invoice.pay_path.removeprefix("/p/")


async def test_copied_link_marks_the_invoice_sent_and_is_counted(
    caller: Caller, invoice: pb.Invoice, nats: Nats
) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        answer = await caller.send(invoice, MANUAL)
        await eventually(lambda: heard.of("checkout_link.sent"))
    assert answer.delivery.link == "https://pay.example" + invoice.pay_path
    assert answer.delivery.state == pb.DELIVERY_STATE_DELIVERED
    for part in ("@u00000", "Small show", "£20.00", answer.delivery.link):
        assert part in answer.delivery.message
    assert (answer.invoice.status, answer.invoice.send_count) == (pb.INVOICE_STATUS_SENT, 1)
    again = await caller.send(invoice, MANUAL)
    assert (again.invoice.status, again.invoice.send_count) == (pb.INVOICE_STATUS_SENT, 2)


async def test_same_request_id_sends_once(caller: Caller, invoice: pb.Invoice, provider: FakeProvider) -> None:
    request_id = new_id()
    for channel in (EMAIL, EMAIL):
        answer = await caller.send(invoice, channel, request_id)
        assert answer.invoice.send_count == 1
    others = await asyncio.gather(*(caller.send(invoice, EMAIL, other) for other in [new_id()] * 3))
    assert {answer.delivery.id for answer in others} == {others[0].delivery.id}
    assert (await caller.invoice(invoice)).send_count == 2
    assert len(provider.mailed) == 2


async def test_request_id_of_another_delivery_is_refused(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    request_id = new_id()
    await caller.send(invoice, EMAIL, request_id)
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (other,) = await caller.listed(show_id)
    for wrong in (caller.send(other, MANUAL, request_id), caller.send(invoice, MANUAL, request_id)):
        error = await refusal(wrong)
        assert (error.kind, error.reason) == (Kind.CONFLICT, "REQUEST_ID_TAKEN")
    assert (await caller.invoice(other)).send_count == 0
    assert len(provider.mailed) == 1


async def test_refused_mail_is_a_result_that_is_kept(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, replica: Replica
) -> None:
    provider.failures[invoice.external_id] = [Refused("The provider cannot mail this invoice.")]
    answer = await caller.send(invoice, EMAIL)
    assert (answer.delivery.state, answer.delivery.reason) == (
        pb.DELIVERY_STATE_FAILED,
        "The provider cannot mail this invoice.",
    )
    assert (answer.invoice.status, answer.invoice.send_count) == (pb.INVOICE_STATUS_DRAFT, 0)
    assert await replica.pool.fetchval("SELECT state FROM deliveries") == "failed"


async def test_mail_without_an_address_says_what_else_to_do(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    error = await refusal(caller.send(invoice, EMAIL))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "NO_EMAIL")
    assert "Copy the link" in error.message


async def test_link_that_is_not_in_force_is_not_sent(caller: Caller, replica: Replica) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    await replica.pool.execute("UPDATE pay_links SET revoked_at = now() WHERE show_id = $1", show_id)
    error = await refusal(caller.send(invoice, MANUAL))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "NO_PAY_LINK")


async def test_address_that_came_later_says_what_to_do(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    (buyer,) = await caller.buyers(show_id)
    await caller.update_buyer(pb.Buyer(id=buyer.id, email="late@example.com"), "email")
    error = await refusal(caller.send(invoice, EMAIL))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "EMAIL_CAME_LATER")
    assert "let the plan void and reissue it" in error.message
    assert "\n" not in error.message
    assert error.message.endswith(".")
    assert not provider.mail_entered
    assert (await caller.send(invoice, pb.DELIVERY_CHANNEL_UNSPECIFIED)).delivery.channel == MANUAL


async def test_mail_that_cannot_go_now_goes_later_by_itself(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.failures[invoice.external_id] = [Away("The provider is away."), Away("The provider is away.")]
    answer = await caller.send(invoice, EMAIL)
    assert (answer.delivery.state, answer.delivery.reason) == (pb.DELIVERY_STATE_QUEUED, "The provider is away.")
    assert answer.invoice.status == pb.INVOICE_STATUS_DRAFT

    async def sent() -> bool:
        return (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_SENT

    await eventually(sent)
    (delivery,) = (await caller.deliveries(invoice)).deliveries
    assert (delivery.state, delivery.reason, len(provider.mailed)) == (pb.DELIVERY_STATE_DELIVERED, "", 1)
    assert (await caller.invoice(invoice)).send_count == 1


async def test_mail_of_a_process_that_died_is_taken_up(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.mail_gate.clear()
    sending = asyncio.create_task(caller.send(invoice, EMAIL))
    await eventually(lambda: provider.mail_entered.total() == 1)
    sending.cancel()  # the call is cut: nobody goes on with it, and its lease lapses
    await eventually(lambda: provider.mail_entered.total() == 2, why="nobody took it up")
    provider.mail_gate.set()
    await eventually(lambda: provider.mailed.total() == 1)

    async def sent() -> bool:
        return (await caller.invoice(invoice)).send_count == 1

    await eventually(sent)
    assert len(provider.mailed) == 1


async def test_message_is_handed_to_the_messaging_service(caller: Caller, invoice: pb.Invoice, nats: Nats) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        answer = await caller.send(invoice, DM)
        await eventually(lambda: heard.of("checkout_link.requested"))
        requested = heard.of("checkout_link.requested")[0].checkout_link_requested
    assert answer.delivery.state == pb.DELIVERY_STATE_REQUESTED
    assert (requested.delivery_id, requested.platform_user_id) == (answer.delivery.id, "u0")
    assert invoice.pay_path in requested.message


async def test_what_cannot_be_paid_is_not_sent(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, price=None)
    provider.gate.clear()
    run = await caller.start(show_id)
    (invoice,) = await caller.listed(show_id)
    assert (await refusal(caller.send(invoice, MANUAL))).message.startswith("The invoice is still being made.")
    provider.gate.set()
    await caller.finished(run.id)
    error = await refusal(caller.send(invoice, MANUAL))
    assert error.reason == "INVOICE_STATUS"
    assert "Set the price" in error.message
    await caller.apply(paid_event(caller, invoice))
    assert "is paid" in (await refusal(caller.send(invoice, MANUAL))).message


async def test_pay_link_shows_what_is_owed_and_where_to_pay(caller: Caller, invoice: pb.Invoice) -> None:
    page = await caller.resolve(token(invoice))
    assert (page.show_name, page.handle, page.total, page.currency) == ("Small show", "@u00000", 2000, "GBP")
    assert page.external_url == invoice.external_url
    assert [(line.title, line.quantity) for line in page.lines] == [("Item 0", 2)]
    await caller.apply(paid_event(caller, invoice))
    page = await caller.resolve(token(invoice))
    assert (page.status, page.external_url) == (pb.INVOICE_STATUS_PAID, "")


async def test_unknown_and_revoked_links_answer_the_same(caller: Caller, invoice: pb.Invoice, replica: Replica) -> None:
    unknown = await refusal(caller.resolve("nothing"))
    await replica.pool.execute("UPDATE pay_links SET revoked_at = now()")
    revoked = await refusal(caller.resolve(token(invoice)))
    assert (unknown.kind, unknown.reason) == (Kind.NOT_FOUND, "PAY_LINK_NOT_FOUND")
    assert (unknown.message, unknown.details) == (revoked.message, revoked.details)


async def test_old_address_is_read_again(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, replica: Replica
) -> None:
    provider.now(invoice.id, external_url="https://pay.example/renewed")
    assert (await caller.resolve(token(invoice))).external_url == invoice.external_url
    await replica.pool.execute("UPDATE invoices SET external_url_at = now() - interval '10 days'")
    assert (await caller.resolve(token(invoice))).external_url == "https://pay.example/renewed"
    await replica.pool.execute("UPDATE invoices SET external_url_at = now() - interval '10 days'")
    provider.now(invoice.id, standing=Standing.PAID)
    assert (await caller.resolve(token(invoice))).status == pb.INVOICE_STATUS_PAID


async def test_old_address_of_an_invoice_that_was_edited_leads_to_the_one_in_its_place(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, replica: Replica
) -> None:
    """Its webhook was lost: the address that is read along is of the one that was voided there."""
    edited = sighting_of(new_id(), Standing.PAYABLE, 2500)
    edited = replace(edited, replaces=invoice.external_id, lines=(ProviderLine("Edited", 2500),))
    provider.made["edited"] = edited
    provider.now(invoice.id, standing=Standing.VOID, replaced_by=edited.external_id)
    await replica.pool.execute(
        "UPDATE invoices SET external_url_at = now() - interval '10 days', check_at = 'infinity'"
    )
    page = await caller.resolve(token(invoice))
    assert (page.external_url, page.total) == (edited.external_url, 2500)
    assert [line.title for line in page.lines] == ["Edited"]
    assert (await caller.invoice(invoice)).external_url == edited.external_url


async def test_old_address_serves_while_the_provider_is_away(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, replica: Replica
) -> None:
    await replica.pool.execute("UPDATE invoices SET external_url_at = now() - interval '10 days'")
    provider.unreadable = Away()
    assert (await caller.resolve(token(invoice))).external_url == invoice.external_url


async def test_openings_are_counted_only_when_asked(caller: Caller, invoice: pb.Invoice, replica: Replica) -> None:
    await caller.resolve(token(invoice))
    await caller.resolve(token(invoice), count_opening=True)
    await caller.resolve(token(invoice), count_opening=True)
    assert await replica.pool.fetchval("SELECT opened_count FROM pay_links") == 2
