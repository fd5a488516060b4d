"""Payments that count for no invoice: named to who looks, and settled by what somebody says of them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from services.cli.embedded.nats import Nats
from services.common.errors import Kind
from services.common.ids import new_id
from services.common.timestamps import from_proto
from services.invoicing.domain.invoice import Standing
from services.invoicing.repository import SQL
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import MakeCaller, Replica
from tests.invoicing.events_seen import listening
from tests.invoicing.fake_provider import ACCOUNT, FakeProvider
from tests.invoicing.test_clearing import cleared, failed, left
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

RETURNED, ELSEWHERE = pb.STRAY_SETTLEMENT_RETURNED, pb.STRAY_SETTLEMENT_COUNTED_ELSEWHERE
PAID_AT = datetime(2026, 9, 27, 12, 30, tzinfo=UTC)


async def listed(
    caller: Caller, show_id: str, size: int = 0, token: str = "", *, with_settled: bool = False
) -> pb.ListStrayPaymentsResponse:
    request = pb.ListStrayPaymentsRequest(show_id=show_id, page_size=size, page_token=token, with_settled=with_settled)
    return await caller.client.call(caller.invoices.ListStrayPayments, request, caller.who)


async def settle(
    caller: Caller, one: pb.StrayPayment, how: pb.StraySettlement.ValueType = RETURNED, note: str = "Refunded."
) -> pb.StrayPayment:
    request = pb.SettleStrayPaymentRequest(show_id=one.show_id, stray_payment_id=one.id, settlement=how, note=note)
    return (await caller.client.call(caller.invoices.SettleStrayPayment, request, caller.who)).stray_payment


@pytest.fixture
async def invoice(caller: Caller, provider: FakeProvider, replica: Replica) -> pb.Invoice:
    """One beside which £10.00 came in that a late try had left."""
    made = await failed(caller, provider)
    extra = replace(left(caller, made, Standing.PAID), paid_at=PAID_AT)
    provider.extras[extra.place] = extra
    await caller.finished((await caller.retry(made.show_id)).generation.id)
    await replica.pool.execute(SQL["add_leftover"], made.id, "stripe", ACCOUNT, False, "in_left")
    await cleared(replica)
    return await caller.invoice(made)


async def the_one(caller: Caller, invoice: pb.Invoice) -> pb.StrayPayment:
    (one,) = (await listed(caller, invoice.show_id)).stray_payments
    return one


async def test_payment_is_named_with_its_buyer_and_its_page_there(caller: Caller, invoice: pb.Invoice) -> None:
    one = await the_one(caller, invoice)
    assert (one.invoice_id, one.handle, one.total, one.currency) == (invoice.id, invoice.handle, 1000, "GBP")
    assert (one.external_account, one.external_id) == (ACCOUNT, "in_left")
    assert (one.provider_url, from_proto(one.paid_time)) == ("https://provider.example/in_left", PAID_AT)
    assert (one.settlement, one.HasField("settle_time")) == (pb.STRAY_SETTLEMENT_UNSPECIFIED, False)


async def test_settled_payment_is_told_once_and_counts_no_more(
    caller: Caller, invoice: pb.Invoice, replica: Replica, nats: Nats
) -> None:
    one = await the_one(caller, invoice)
    await replica.service.clearing.count()
    assert REGISTRY.get_sample_value("showbill_stray_payments") == 1
    async with listening(nats.url, caller.who.workspace_id) as heard:
        done = await settle(caller, one, note=" Refunded at Stripe. ")
        assert (done.settlement, done.note, done.settled_by) == (RETURNED, "Refunded at Stripe.", "user:test")
        assert await settle(caller, one, note="Once more.") == done
        await eventually(lambda: heard.of("invoice.updated"), why="nobody hears of it")
    (told,) = heard.of("invoice.updated")
    assert told.invoice_updated.version == invoice.version + 1
    last = (await caller.history(invoice))[-1]
    said = f"£10.00 that came in beside it in the account {ACCOUNT} was given back. Note: Refunded at Stripe."
    assert (last.reason, last.actor, last.version) == (said, "user:test", invoice.version + 1)
    assert (await caller.summary(invoice.show_id)).stray == pb.SummaryPart()
    assert not (await listed(caller, invoice.show_id)).stray_payments
    assert list((await listed(caller, invoice.show_id, with_settled=True)).stray_payments) == [done]
    # Found once more it stays settled, and nobody is asked to give it back again.
    await replica.pool.execute(SQL["add_leftover"], invoice.id, "stripe", ACCOUNT, False, "in_left")
    await cleared(replica)
    await replica.service.clearing.count()
    assert REGISTRY.get_sample_value("showbill_stray_payments") == 0
    assert (await caller.history(invoice))[-1] == last


async def test_of_two_who_say_another_thing_one_is_refused(caller: Caller, invoice: pb.Invoice) -> None:
    one = await the_one(caller, invoice)
    said = await asyncio.gather(
        settle(caller, one, RETURNED), settle(caller, one, ELSEWHERE, "Her boots."), return_exceptions=True
    )
    (refused,) = [answer for answer in said if isinstance(answer, Exception)]
    assert getattr(refused, "reason", "") == "STRAY_PAYMENT_SETTLED"
    assert len([change for change in await caller.history(invoice) if "came in beside it" in change.reason]) == 1


async def test_what_does_not_say_how_settles_nothing(caller: Caller, invoice: pb.Invoice) -> None:
    one = await the_one(caller, invoice)
    for wrong in (
        settle(caller, one, note=" "),
        settle(caller, one, note="x" * 501),
        settle(caller, one, pb.STRAY_SETTLEMENT_UNSPECIFIED),
    ):
        assert (await refusal(wrong)).kind is Kind.INVALID
    unknown = await refusal(settle(caller, pb.StrayPayment(show_id=one.show_id, id=new_id())))
    assert (unknown.kind, unknown.reason) == (Kind.NOT_FOUND, "STRAY_PAYMENT_NOT_FOUND")
    assert await the_one(caller, invoice) == one


async def test_stranger_hears_of_no_payment(caller: Caller, invoice: pb.Invoice, make_caller: MakeCaller) -> None:
    """The same as of a show that is nowhere, and of one's own show that does not have it."""
    one, other = await the_one(caller, invoice), await make_caller()
    own = await other.small_show(1)
    for show_id in (one.show_id, new_id()):
        for call in (listed(other, show_id), settle(other, pb.StrayPayment(show_id=show_id, id=one.id))):
            assert (await refusal(call)).reason == "SHOW_NOT_FOUND"
    theirs = await refusal(settle(other, pb.StrayPayment(show_id=own, id=one.id)))
    assert theirs.reason == "STRAY_PAYMENT_NOT_FOUND"


async def test_pages_hold_each_payment_once(caller: Caller, invoice: pb.Invoice, replica: Replica) -> None:
    for number in range(4):
        about = ("stripe", ACCOUNT, False, f"in_{number}", 500, "GBP", None, "")
        await replica.pool.execute(SQL["add_stray_payment"], new_id(), invoice.id, invoice.show_id, *about)
    found, token = list[str](), ""
    while True:
        page = await listed(caller, invoice.show_id, 2, token)
        found += [one.external_id for one in page.stray_payments]
        if not (token := page.next_page_token):
            break
    assert found == ["in_left", "in_0", "in_1", "in_2", "in_3"]
