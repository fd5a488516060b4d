"""Payments that count for no invoice: named and settled over REST, and on a page that needs no script."""

import re
from datetime import UTC, datetime

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.common.timestamps import to_proto
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner
from tests.gateway.messages import filled

PLACE = "/shows/s1/stray-payments"
STRAY = pb.StrayPayment(
    id="p1",
    show_id="s1",
    invoice_id="i1",
    handle="@maya.k",
    provider="stripe",
    external_account="acct_old",
    external_id="in_left",
    provider_url="https://dashboard.stripe.com/acct_old/test/invoices/in_left",
    total=1000,
    currency="GBP",
    paid_time=to_proto(datetime(2026, 9, 27, 12, 30, tzinfo=UTC)),
)
PAGE = pb.ListStrayPaymentsResponse(stray_payments=[STRAY], next_page_token="more")
SETTLED = pb.SettleStrayPaymentResponse(stray_payment=STRAY)


async def test_payments_are_listed_with_all_that_names_them(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListStrayPayments", PAGE)
    answer = await owner.client("GET", f"/api{PLACE}?pageSize=5&pageToken=t&withSettled=true")
    (one,) = answer.json["items"]
    assert (answer.status, answer.json["nextPageToken"]) == (200, "more")
    assert (one["handle"], one["total"], one["paidAt"]) == ("@maya.k", 1000, "2026-09-27T12:30:00Z")
    assert (one["externalId"], one["providerUrl"]) == ("in_left", STRAY.provider_url)
    assert (one["settlement"], one["settledAt"]) == (None, None)
    asked = gateway.invoicing.last("ListStrayPayments")
    assert (asked.show_id, asked.page_size, asked.page_token, asked.with_settled) == ("s1", 5, "t", True)


@pytest.mark.parametrize(
    ("said", "number"),
    [("returned", pb.STRAY_SETTLEMENT_RETURNED), ("counted_elsewhere", pb.STRAY_SETTLEMENT_COUNTED_ELSEWHERE)],
)
async def test_settling_answers_the_payment_as_it_is_then(
    gateway: Gateway, owner: Owner, said: str, number: pb.StraySettlement.ValueType
) -> None:
    done = pb.SettleStrayPaymentResponse(stray_payment=STRAY)
    done.stray_payment.settlement = number
    gateway.invoicing.script("SettleStrayPayment", done)
    answer = await owner.client("POST", f"/api{PLACE}/p1/settle", {"settlement": said, "note": "Refunded."})
    assert (answer.status, answer.json["settlement"]) == (200, said)
    asked = gateway.invoicing.last("SettleStrayPayment")
    assert (asked.show_id, asked.stray_payment_id, asked.settlement, asked.note) == ("s1", "p1", number, "Refunded.")


async def test_what_does_not_say_how_is_refused(gateway: Gateway, owner: Owner) -> None:
    for body in ({"settlement": "returned", "note": ""}, {"settlement": "lost", "note": "x"}, {"note": "x"}):
        assert (await owner.client("POST", f"/api{PLACE}/p1/settle", body)).status == 400
    sentence = "Somebody settled this payment in the other way before."
    error = RemoteError(Kind.FAILED_PRECONDITION, "STRAY_PAYMENT_SETTLED", sentence)
    gateway.invoicing.script("SettleStrayPayment", error)
    answer = await owner.client("POST", f"/api{PLACE}/p1/settle", {"settlement": "returned", "note": "x"})
    assert (answer.status, answer.json["type"]) == (409, "urn:showbill:problem:stray-payment-settled")


async def test_page_of_the_question_needs_no_script(gateway: Gateway, owner: Owner) -> None:
    show = filled(pb.GetShowResponse())
    show.show.id = "s1"
    gateway.invoicing.script("GetShow", show)
    gateway.invoicing.script("ListStrayPayments", PAGE)
    browser = await gateway.signed_in(owner)
    text = (await browser("GET", PLACE)).text
    assert "<!doctype html>" in text.lower()
    assert "@maya.k</span> paid <b" in text
    assert f'href="{STRAY.provider_url}"' in text
    assert f'method="post" action="{PLACE}/p1/settle"' in text
    assert re.findall(r'name="settlement" value="(\w+)"', text) == ["returned", "counted_elsewhere"]
    gateway.invoicing.script("SettleStrayPayment", SETTLED)
    form = {"settlement": "counted_elsewhere", "note": "Her boots."}
    done = await browser("POST", f"{PLACE}/p1/settle", data=form)
    assert (done.status, done.headers["Location"]) == (303, "/shows/s1")
    asked = gateway.invoicing.last("SettleStrayPayment")
    assert (asked.settlement, asked.note) == (pb.STRAY_SETTLEMENT_COUNTED_ELSEWHERE, "Her boots.")


async def test_settled_on_the_page_the_figures_come_back(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("SettleStrayPayment", SETTLED)
    left = pb.GetShowSummaryResponse(currency="GBP", stray=pb.SummaryPart(amount=500, count=1), balanced=True)
    gateway.invoicing.script("GetShowSummary", left)
    ours = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
    browser = await gateway.signed_in(owner)
    form = {"settlement": "returned", "note": "Refunded."}
    answer = await browser("POST", f"{PLACE}/p1/settle", data=form, headers=ours)
    assert "£5.00 came in that counts for no invoice." in answer.text
    assert f'href="{PLACE}" data-dialog' in answer.text
    assert "Payment settled" in answer.headers["HX-Trigger"]
    gateway.invoicing.script("GetShowSummary", pb.GetShowSummaryResponse(currency="GBP", balanced=True))
    answer = await browser("POST", f"{PLACE}/p1/settle", data=form, headers=ours)
    assert "data-stray" not in answer.text
