"""The buyer's page: what it says in every state, to whom, and what it never does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.cli.embedded.nats import Nats
from services.common.errors import NotFound, Unavailable
from services.common.ids import new_id
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.conftest import DatabaseMaker
from tests.gateway.harness import Answer, Gateway, running_gateway

URL = "https://invoice.stripe.com/i/acct_1/test_x"
PAID_AT = Timestamp(seconds=1_790_500_000)
OURS = {"Origin": "https://showbill.example", "Sec-Fetch-Site": "same-origin"}


def link(**fields: Any) -> Any:
    given = {"show_name": "Friday <b>", "handle": "@anna", "total": 5896, "currency": "GBP", "livemode": True}
    lines = [
        pb.InvoiceLine(item_number="7", title="Mug <i>", quantity=2, unit_price=1000, amount=2000),
        pb.InvoiceLine(item_number="9", title="Lamp", quantity=1, unit_price=3896, amount=3896),
    ]
    return pb.ResolvePayLinkResponse(**{**given, "lines": lines, "show_date": "2026-11-24", **fields})


def payable(**fields: Any) -> Any:
    return link(**{"status": pb.INVOICE_STATUS_SENT, "external_url": URL, **fields})


async def opened(gateway: Gateway, token: str = "token-1", **headers: str) -> Answer:
    return await gateway.client()("POST", f"/p/{token}/opened", headers=headers or OURS)


async def test_a_payable_link_shows_what_is_owed_and_a_button(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", payable())
    answer = await gateway.client()("GET", "/p/token-1", headers={"Accept-Language": "en-GB"})
    assert answer.status == 200
    for part in ("Friday &lt;b&gt;", "@anna", "£58.96", "24 November 2026", "Mug &lt;i&gt;", "2 × £10.00", "£20.00"):
        assert part in answer.text
    assert 'href="/p/token-1/pay"' in answer.text
    assert "To pay" in answer.text
    request = gateway.invoicing.last("ResolvePayLink")
    assert (request.token, request.count_opening) == ("token-1", False)
    assert gateway.invoicing.calls["ResolvePayLink"][0].identity.workspace_id == ""


@pytest.mark.parametrize(("total", "says"), [(5306, "-£5.90"), (6200, "£3.04"), (5896, "")])
async def test_lines_and_total_of_an_edited_invoice_come_to_the_same(gateway: Gateway, total: int, says: str) -> None:
    """A discount was given at the provider, for example: its lines stay, its total does not."""
    gateway.invoicing.script("ResolvePayLink", payable(total=total))
    text = (await gateway.client()("GET", "/p/token-1", headers={"Accept-Language": "en-GB"})).text
    assert ("Discounts, taxes and other changes" in text) is bool(says)
    assert not says or f">{says}</bdi></li>" in text
    assert "2 items" in text


async def test_the_page_is_for_one_reader_and_no_machine(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", payable())
    answer = await gateway.client()("GET", "/p/token-1")
    assert "Set-Cookie" not in answer.headers
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-store", "Accept-Language,Accept-Encoding")
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert '<meta name="robots" content="noindex, nofollow, noarchive">' in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for inline in ("<style", "style=", "http://", "https://", "onclick"):
        assert inline not in answer.text
    assert answer.text.count("<script") == answer.text.count('<script src="/static/pay.js?v=')
    assert len(answer.text) < 6000


async def test_money_and_days_follow_the_reader(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", payable())
    page = (await gateway.client()("GET", "/p/token-1", headers={"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"})).text
    for part in ("58,96\xa0£", "24. November 2026", "2 × 10,00\xa0£", 'lang="de-DE"', "To pay", '<html lang="en">'):
        assert part in page


async def test_the_button_leads_to_the_page_of_now(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", payable())
    answer = await gateway.client()("GET", "/p/token-1/pay")
    assert (answer.status, answer.headers["Location"], answer.headers["Cache-Control"]) == (303, URL, "no-store")
    gateway.invoicing.script("ResolvePayLink", link(status=pb.INVOICE_STATUS_PAID))
    answer = await gateway.client()("GET", "/p/token-1/pay")
    assert (answer.status, answer.headers["Location"]) == (303, "/p/token-1")


@pytest.mark.parametrize(
    ("fields", "word", "says"),
    [
        ({"status": pb.INVOICE_STATUS_PAID, "paid_time": PAID_AT}, "Paid", "September 27, 2026"),
        ({"status": pb.INVOICE_STATUS_VOID}, "Cancelled", "was cancelled"),
        ({"status": pb.INVOICE_STATUS_UNCOLLECTIBLE}, "Closed", "was closed"),
        (
            {"status": pb.INVOICE_STATUS_DRAFT, "draft_reason": pb.DRAFT_REASON_NEEDS_PRICE},
            "Not ready yet",
            "still has to set a price",
        ),
        (
            {"status": pb.INVOICE_STATUS_DRAFT, "draft_reason": pb.DRAFT_REASON_BELOW_MINIMUM},
            "Not ready yet",
            "too small to be paid online",
        ),
        ({"status": pb.INVOICE_STATUS_PENDING}, "Not ready yet", "being prepared"),
        ({"status": pb.INVOICE_STATUS_ERROR}, "Not ready yet", "being prepared"),
        ({"status": pb.INVOICE_STATUS_UNSPECIFIED}, "Not ready yet", "being prepared"),
        ({"status": pb.INVOICE_STATUS_SENT}, "To pay", "cannot be shown just now"),
    ],
)
async def test_a_page_says_why_there_is_nothing_to_pay(gateway: Gateway, fields: Any, word: str, says: str) -> None:
    gateway.invoicing.script("ResolvePayLink", link(**fields))
    answer = await gateway.client()("GET", "/p/token-1")
    assert answer.status == 200
    assert word in answer.text
    assert says in answer.text
    assert "£58.96" in answer.text
    assert "/pay" not in answer.text.replace("/static/pay", "")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"status": pb.INVOICE_STATUS_PAYMENT_FAILED}, "You can try again."),
        ({"replaces_earlier": True}, "It replaces an earlier invoice"),
        ({"paid_before": 2000}, "£20.00</bdi> for this show before"),
        ({"livemode": False}, "Test: no money moves"),
    ],
)
async def test_what_else_a_buyer_should_know(gateway: Gateway, fields: Any, says: str) -> None:
    gateway.invoicing.script("ResolvePayLink", payable())
    assert says not in (await gateway.client()("GET", "/p/token-1")).text
    gateway.invoicing.script("ResolvePayLink", payable(**fields))
    assert says in (await gateway.client()("GET", "/p/token-1")).text


async def test_a_price_to_come_makes_no_total_of_nothing(gateway: Gateway) -> None:
    held_back = {"status": pb.INVOICE_STATUS_DRAFT, "draft_reason": pb.DRAFT_REASON_NEEDS_PRICE}
    boots = pb.InvoiceLine(item_number="3", title="Boots", quantity=1)
    gateway.invoicing.script("ResolvePayLink", link(**held_back, total=0, lines=[boots]))
    page = (await gateway.client()("GET", "/p/token-1")).text
    assert ("Price to come" in page, "£0.00" in page) == (True, False)
    gateway.invoicing.script("ResolvePayLink", link(**held_back, lines=[boots]))
    assert "Total so far" in (await gateway.client()("GET", "/p/token-1")).text


async def test_every_line_is_listed_however_many(gateway: Gateway) -> None:
    lines = [
        pb.InvoiceLine(item_number=str(n), title=f"Item {n}", quantity=1, unit_price=1, amount=1) for n in range(600)
    ]
    lines.append(pb.InvoiceLine(item_number="600", title="", quantity=1))
    gateway.invoicing.script("ResolvePayLink", payable(lines=lines, total=600))
    page = (await gateway.client()("GET", "/p/token-1")).text
    assert page.count("<li>") == 601
    assert "601 items" in page
    assert "Item 599" in page
    assert "Price to come" in page


async def test_who_is_paid_by_hand_says_how(gateway: Gateway) -> None:
    how = "Transfer to NL00.\n<b>Thanks</b>"
    gateway.invoicing.script("ResolvePayLink", payable(external_url="", payment_instructions=how, number="N-1"))
    page = (await gateway.client()("GET", "/p/token-1")).text
    for part in ("How to pay", "Transfer to NL00.\n&lt;b&gt;Thanks", "Name the number <b>N-1</b>"):
        assert part in page


async def test_unknown_and_revoked_links_get_the_same_bytes(gateway: Gateway) -> None:
    answers = []
    for token in ("unknown", "x" * 5000, "%20"):
        for suffix in ("", "/pay"):
            gateway.invoicing.script("ResolvePayLink", NotFound(what="pay link"))
            answers.append(await gateway.client()("GET", f"/p/{token}{suffix}"))
    assert {answer.status for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    varying = {"x-request-id", "date", "ratelimit"}
    assert (
        len({tuple(pair for pair in answer.headers.items() if pair[0].lower() not in varying) for answer in answers})
        == 1
    )
    assert "Ask the seller" in answers[0].text
    assert max(len(call.request.token) for call in gateway.invoicing.calls["ResolvePayLink"]) == 200


async def test_a_service_that_is_away_asks_the_buyer_to_return(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", Unavailable())
    for path in ("/p/token-1", "/p/token-1/pay"):
        answer = await gateway.client()("GET", path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert "Nothing is lost" in answer.text


async def test_what_nobody_foresaw_is_a_page_for_the_buyer(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", payable(currency="no currency"))
    answer = await gateway.client()("GET", "/p/token-1")
    assert (answer.status, answer.headers["Retry-After"]) == (500, "30")
    assert "Nothing is lost" in answer.text
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert (await gateway.client()("POST", "/p/token-1")).json["type"] == "urn:showbill:problem:method-not-allowed"


async def test_a_link_never_leads_into_a_script(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", payable(external_url="javascript:alert(1)"))
    page = await gateway.client()("GET", "/p/token-1")
    assert (page.status, "javascript" in page.text) == (200, False)
    answer = await gateway.client()("GET", "/p/token-1/pay")
    assert (answer.status, answer.headers["Location"]) == (303, "/p/token-1")


async def test_an_opening_counts_once_for_a_visit(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", payable())
    token = new_id()
    for _ in range(3):
        answer = await opened(gateway, token)
        assert (answer.status, answer.text) == (204, "")
        assert "Set-Cookie" not in answer.headers
    calls = gateway.invoicing.calls["ResolvePayLink"]
    assert {(call.request.token, call.request.count_opening) for call in calls} == {(token, True)}
    assert len(calls) <= 2  # a minute may have ended between them
    await opened(gateway, new_id())
    assert len(calls) <= 3


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Nothing": "said"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://showbill.example"},
        {"Authorization": "Bearer x", "Origin": "https://evil.example"},
    ],
)
async def test_only_our_own_page_counts_an_opening(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = await opened(gateway, **headers)
    assert answer.status == 403
    assert not gateway.invoicing.calls


async def test_an_opening_of_an_unknown_link_is_no_news(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", NotFound(what="pay link"))
    assert (await opened(gateway, new_id())).text == (await gateway.client()("GET", "/p/other")).text
    gateway.invoicing.script("ResolvePayLink", Unavailable())
    assert (await opened(gateway, new_id())).status == 503


@pytest.fixture(scope="module")
async def narrow(database_maker: DatabaseMaker, nats: Nats) -> AsyncIterator[Gateway]:
    """A gateway that gives few pay pages to the world."""
    database = await database_maker.make("gateway", migrated=True)
    async with running_gateway(database, nats.url, wants_events=False, rate_limit_pay_links=3) as gateway:
        yield gateway


async def test_too_many_requests_are_told_when_to_return(narrow: Gateway) -> None:
    narrow.invoicing.script("ResolvePayLink", payable())
    answers = [await narrow.client()("GET", f"/p/token-{n}") for n in range(7)]  # a minute may end on the way
    assert {answer.status for answer in answers} == {200, 429}
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=1000000;w=60'
    late = next(answer for answer in answers if answer.status == 429)
    assert 0 < int(late.headers["Retry-After"]) <= 60
    assert "asked for too often" in late.text
    assert late.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert len(narrow.invoicing.calls["ResolvePayLink"]) == sum(answer.status == 200 for answer in answers)
