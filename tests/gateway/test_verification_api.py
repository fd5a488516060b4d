"""Proof of a show and hearing of payments over REST, and on the pages."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.errors import Unavailable
from services.rpc.showbill.integrations.v1 import integrations_pb2
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner
from tests.gateway.messages import filled

SHOW = "/api/shows/s1"


async def test_proof_is_answered_whole(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("VerifyShow", filled(pb.VerifyShowResponse()))
    answer = await owner.client("POST", f"{SHOW}/verify")
    assert answer.status == 200
    assert gateway.invoicing.last("VerifyShow").show_id == "s1"
    assert (answer.json["verdict"], answer.json["proven"]) == ("proven", True)
    (buyer,) = answer.json["buyers"]
    assert buyer == {
        "buyerId": "buyer_id!",
        "platform": "platform!",
        "platformUserId": "platform_user_id!",
        "handle": "handle!",
        "owed": 5,
        "invoiced": 6,
        "providerTotal": 7,
        "invoiceCount": 8,
        "providerInvoiceCount": 9,
        "verdict": "proven",
        "reason": "reason!",
    }
    assert answer.json["findings"] == [
        {
            "buyerId": "buyer_id!",
            "invoiceId": "invoice_id!",
            "externalId": "external_id!",
            "problem": "problem!",
            "accepted": True,
        }
    ]
    assert answer.json["uncheckedAccounts"] == [
        {"provider": "provider!", "accountId": "account_id!", "livemode": True, "reason": "reason!"}
    ]
    assert (answer.json["currency"], answer.json["showName"]) == ("currency!", "show_name!")
    assert answer.json["verifiedAt"]


def part(**which: Any) -> pb.StreamVerificationResponse:
    return pb.StreamVerificationResponse(**which)


async def test_large_proof_comes_in_lines(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("VerifyShow", filled(pb.VerifyShowResponse()))
    whole = (await owner.client("POST", f"{SHOW}/verify")).json
    proof = filled(pb.VerifyShowResponse())
    rows = pb.VerificationRows(findings=proof.findings, buyers=proof.buyers)
    del proof.findings[:], proof.buyers[:]
    progress = pb.VerificationProgress(seen_count=3, found_count=2, expected_count=5)
    gateway.invoicing.script(
        "StreamVerification", [part(progress=progress), part(rows=rows), part(rows=rows), part(result=proof)]
    )
    answer = await owner.client("GET", f"{SHOW}/verification")
    assert (answer.status, gateway.invoicing.last("StreamVerification").show_id) == (200, "s1")
    told = {"findings": whole["findings"], "buyers": whole["buyers"]}
    assert [json.loads(line) for line in answer.text.splitlines()] == [
        {"progress": {"seenCount": 3, "foundCount": 2, "expectedCount": 5}},
        {"rows": told},
        {"rows": told},
        {"result": {**whole, "findings": [], "buyers": []}},
    ]


async def test_proof_that_breaks_off_says_so_in_its_last_line(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("StreamVerification", [part(progress=pb.VerificationProgress()), Unavailable()])
    answer = await owner.client("GET", f"{SHOW}/verification")
    assert answer.status == 200
    last = json.loads(answer.text.splitlines()[-1])
    assert (last["problem"]["status"], last["problem"]["detail"]) == (503, Unavailable().message)
    gateway.invoicing.script("StreamVerification", [Unavailable()])
    refused = await owner.client("GET", f"{SHOW}/verification")
    assert (refused.status, refused.json["detail"]) == (503, Unavailable().message)


async def test_hearing_is_told_with_its_failure(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("GetHearing", filled(pb.GetHearingResponse()))
    answer = await owner.client("GET", "/api/integrations/stripe/hearing")
    assert gateway.invoicing.last("GetHearing").provider == "stripe"
    assert gateway.invoicing.last("GetHearing").with_counts
    counts = ("unpaidInvoiceCount", "eventCount", "toldEventCount", "readEventCount")
    assert min(answer.json[name] for name in counts) > 0
    assert answer.json["lastEventType"] == "last_event_type!"
    assert (answer.json["mode"], answer.json["sentence"], answer.json["failure"]) == ("live", "sentence!", "failure!")
    times = [answer.json[name] for name in ("lastHeardAt", "lastSuccessAt", "lastTryAt", "lastEventAt")]
    assert len(set(times)) == 4


def connected(gateway: Gateway) -> None:
    connection = integrations_pb2.Integration(
        provider="stripe",
        account_id="acct_1",
        key_hint="4eKd",
        key_kind="rk_test",
        status=integrations_pb2.INTEGRATION_STATUS_ACTIVE,
        update_mode=integrations_pb2.UPDATE_MODE_LIVE,
    )
    entry = integrations_pb2.CatalogEntry(
        provider="stripe",
        name="Stripe",
        availability=integrations_pb2.AVAILABILITY_AVAILABLE,
        connect_fields=[integrations_pb2.ConnectField(name="secret_key", label="Secret key")],
    )
    listed = integrations_pb2.ListedIntegration(entry=entry, connected=True, integration=connection)
    gateway.integrations.script("ListIntegrations", integrations_pb2.ListIntegrationsResponse(integrations=[listed]))
    gateway.integrations.script("GetIntegration", integrations_pb2.GetIntegrationResponse(integration=connection))


async def page(owner: Owner, path: str) -> str:
    answer = await owner.client("GET", path)
    assert answer.status == 200
    return str(answer.text)


def heard(mode: Any, sentence: str, failure: str = "") -> pb.GetHearingResponse:
    return pb.GetHearingResponse(mode=mode, sentence=sentence, failure=failure, account_id="acct_1")


async def test_page_of_stripe_says_how_payments_are_heard_of(gateway: Gateway, owner: Owner) -> None:
    connected(gateway)
    gateway.invoicing.script("GetHearing", heard(pb.HEARING_MODE_CATCHING_UP, "Some were not told."))
    text = await page(owner, "/integrations/stripe")
    assert "Catching up" in text
    assert "Some were not told." in text


async def test_page_of_stripe_says_what_came_and_how_or_how_long_nothing_did(gateway: Gateway, owner: Owner) -> None:
    connected(gateway)
    answer = heard(pb.HEARING_MODE_LIVE, "At once.")
    answer.event_count, answer.told_event_count, answer.read_event_count = 61, 58, 3
    answer.last_event_type = "invoice.paid"
    answer.last_event_time.FromDatetime(datetime.now(UTC) - timedelta(minutes=4))
    gateway.invoicing.script("GetHearing", answer)
    text = await page(owner, "/integrations/stripe")
    for told in (
        "Receiving",
        "<code>invoice.paid</code>",
        "61 received: 58 by webhook, 3 by reading",
        "rk_test_••••4eKd",
        "not visible to this key",
    ):
        assert told in text
    answer.mode = pb.HEARING_MODE_BROKEN
    gateway.invoicing.script("GetHearing", answer)
    assert "Receiving" not in await page(owner, "/integrations/stripe")
    answer.mode, answer.event_count, answer.told_event_count, answer.read_event_count = pb.HEARING_MODE_LIVE, 0, 0, 0
    for age, told in ((timedelta(hours=26), "Quiet for 26 h"), (timedelta(days=3), "Quiet for 3 days")):
        answer.last_event_time.FromDatetime(datetime.now(UTC) - age)
        gateway.invoicing.script("GetHearing", answer)
        text = await page(owner, "/integrations/stripe")
        assert told in text
        assert "Receiving" not in text


async def test_failed_reading_is_an_alert_on_the_page_and_in_the_hub(gateway: Gateway, owner: Owner) -> None:
    connected(gateway)
    gateway.invoicing.script("GetHearing", heard(pb.HEARING_MODE_BROKEN, "Nothing is heard.", "It is away."))
    text = await page(owner, "/integrations/stripe")
    assert "Not received" in text
    assert 'call-error mb-2" role="alert"' in text
    hub = await page(owner, "/integrations")
    assert 'data-s="attention"' in hub
    assert "Nothing is heard." in hub


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (pb.HEARING_MODE_LIVE, ""),
        (pb.HEARING_MODE_POLLING, "Payments are read every few minutes"),
        (pb.HEARING_MODE_CATCHING_UP, "Payments are read every few minutes"),
        (pb.HEARING_MODE_BROKEN, "Nothing is heard."),
    ],
)
async def test_list_of_invoices_says_where_payments_are_not_heard_of_at_once(
    gateway: Gateway, owner: Owner, mode: Any, told: str
) -> None:
    connected(gateway)
    show = pb.Show(id="s1", name="Friday", state=pb.SHOW_STATE_ENDED, currency="GBP", buyer_count=1)
    show.create_time.GetCurrentTime()
    gateway.invoicing.script("GetShow", pb.GetShowResponse(show=show))
    paid = pb.SummaryPart(amount=500, count=1)
    gateway.invoicing.script("GetShowSummary", pb.GetShowSummaryResponse(currency="GBP", paid=paid, claimed=paid))
    row = pb.Invoice(id="i1", show_id="s1", status=pb.INVOICE_STATUS_PAID, currency="GBP", total=500, handle="@maya")
    gateway.invoicing.script("ListInvoices", pb.ListInvoicesResponse(invoices=[row]))
    gateway.invoicing.script("GetHearing", heard(mode, "Nothing is heard."))
    text = await page(owner, "/shows/s1")
    assert "@maya" in text
    assert told in text
    assert ("#w-h" in text) is bool(told)


async def test_page_of_stripe_stands_while_invoicing_is_away(gateway: Gateway, owner: Owner) -> None:
    connected(gateway)
    gateway.invoicing.script("GetHearing", Unavailable())
    text = await page(owner, "/integrations/stripe")
    assert "Payment updates" in text
    assert ">Live<" in text.replace("</svg>", ">")


def summary(amount: int, count: int) -> pb.GetShowSummaryResponse:
    return pb.GetShowSummaryResponse(
        currency="GBP", unexplained=pb.SummaryPart(amount=amount, count=count), balanced=not count
    )


async def test_money_that_does_not_balance_is_a_banner(gateway: Gateway, owner: Owner) -> None:
    show = filled(pb.GetShowResponse())
    show.show.currency = "GBP"
    gateway.invoicing.script("GetShow", show)
    gateway.invoicing.script("GetShowSummary", summary(-1000, 1))
    assert not (await owner.client("GET", f"{SHOW}/summary")).json["balanced"]
    text = await page(owner, "/shows/s1")
    assert "The money of this show does not balance." in text
    assert "1 buyer was invoiced £10.00 more than their claims" in text
    assert "data-unbalanced" in await page(owner, "/shows/s1/invoices/rows?ids=")
    gateway.invoicing.script("GetShowSummary", summary(0, 0))
    text = await page(owner, "/shows/s1")
    assert "does not balance" not in text
    assert "data-stray" not in text


async def test_payment_that_counts_for_no_invoice_is_a_banner(gateway: Gateway, owner: Owner) -> None:
    show = filled(pb.GetShowResponse())
    show.show.currency = "GBP"
    gateway.invoicing.script("GetShow", show)
    stray = pb.GetShowSummaryResponse(currency="GBP", stray=pb.SummaryPart(amount=1000, count=1), balanced=True)
    gateway.invoicing.script("GetShowSummary", stray)
    assert (await owner.client("GET", f"{SHOW}/summary")).json["stray"] == {"amount": 1000, "count": 1}
    text = await page(owner, "/shows/s1")
    assert "£10.00 came in that counts for no invoice." in text
    assert "1 payment was made for what a late try had left" in text
