"""The dashboard's pages over plain HTTP: forms work without a script, and refusals are sentences."""

import hashlib
import re
import uuid

import aiohttp
import pytest

from services.common.errors import Fault, InvalidRequest, Kind, Unavailable
from services.common.ids import new_id
from services.common.status import RemoteError
from services.gateway.backends.integrations import _ASKING_THE_PROVIDER
from services.gateway.backends.invoices import _CHANGING
from services.gateway.identity.throttle import PER_ACCOUNT_AND_PLACE
from services.rpc.showbill.integrations.v1 import integrations_pb2
from services.rpc.showbill.invoicing.v1 import invoicing_pb2
from tests.gateway.harness import PASSWORD, Gateway, Owner, session_line

SECRET = "sk_test_neverShownAgain123"


def _stripe() -> integrations_pb2.ListIntegrationsResponse:
    """The catalogue with one provider that asks for two keys."""
    entry = integrations_pb2.CatalogEntry(
        provider="stripe",
        name="Stripe",
        availability=integrations_pb2.AVAILABILITY_AVAILABLE,
        keys_url="https://stripe.example/apikeys",
    )
    entry.connect_fields.add(name="secret_key", label="Secret key", hidden=True)
    entry.connect_fields.add(name="publishable_key", label="Publishable key")
    return integrations_pb2.ListIntegrationsResponse(integrations=[integrations_pb2.ListedIntegration(entry=entry)])


async def test_signing_in_leads_to_the_page_asked_for(gateway: Gateway, owner: Owner) -> None:
    asked = await gateway.client()("GET", "/shows/new?x=1")
    form = await gateway.client()("GET", asked.headers["Location"])
    assert 'name="next" value="/shows/new?x=1"' in form.text
    assert "services.gateway.admin set-password" in form.text
    data = {"email": owner.email, "password": PASSWORD, "next": "/shows/new?x=1"}
    answer = await gateway.client()("POST", "/sign-in", data=data)
    assert (answer.status, answer.headers["Location"]) == (303, "/shows/new?x=1")
    cookie = session_line(answer)
    assert all(part in cookie for part in ("showbill_session=", "HttpOnly", "SameSite=lax", "Secure"))


async def test_a_session_that_ends_on_a_page_leads_back_to_it(gateway: Gateway) -> None:
    ours = {"HX-Request": "true", "HX-Current-URL": f"{gateway.url}/shows/s?q=a", "Sec-Fetch-Site": "same-origin"}
    for method, path in (("GET", "/shows/s/invoices/rows"), ("POST", "/shows/s/invoices/i/send")):
        answer = await gateway.client()(method, path, headers=ours)
        assert (answer.status, answer.headers["HX-Redirect"]) == (200, "/sign-in?next=%2Fshows%2Fs%3Fq%3Da")
    assert (await gateway.client()("POST", "/shows/s/send-all")).headers["Location"] == "/sign-in"
    nowhere = await gateway.client()("GET", "/shows/s/invoices/rows", headers=ours | {"HX-Current-URL": "http://[x"})
    assert (nowhere.status, nowhere.headers["HX-Redirect"]) == (200, "/sign-in")
    odd = await gateway.client()("GET", "/shows/s", headers={"Host": "[x"})
    assert (odd.status, odd.headers["Location"]) == (303, "/sign-in?next=%2Fshows%2Fs")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\nb", "/日本"]
)
async def test_signing_in_never_leads_to_another_site(gateway: Gateway, owner: Owner, elsewhere: str) -> None:
    data = {"email": owner.email, "password": PASSWORD, "next": elsewhere}
    answer = await gateway.client()("POST", "/sign-in", data=data)
    assert answer.headers["Location"] == "/shows"


async def test_a_wrong_password_is_told_and_throttled(gateway: Gateway, owner: Owner) -> None:
    client = gateway.client()
    for _ in range(PER_ACCOUNT_AND_PLACE):
        answer = await client("POST", "/sign-in", data={"email": owner.email, "password": "wrong"})
        assert answer.status == 401
        assert "The e-mail address or the password is not right. Check both and try again." in answer.text
        assert owner.email in answer.text
    answer = await client("POST", "/sign-in", data={"email": owner.email, "password": PASSWORD})
    assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (429, True)
    assert "There were too many failed sign-ins." in answer.text


async def test_signing_out_ends_the_session(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    answer = await browser("POST", "/sign-out")
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert (await browser("GET", "/shows/new")).headers["Location"].startswith("/sign-in")


async def test_a_refused_key_is_told_without_the_key(gateway: Gateway, owner: Owner) -> None:
    told = "Stripe did not accept this key. Copy it again."
    fault = Fault("credentials[secret_key]", told)
    gateway.integrations.script("ListIntegrations", _stripe())
    gateway.integrations.script("ConnectIntegration", InvalidRequest(told, faults=[fault]))
    browser = await gateway.signed_in(owner)
    keys = {"secret_key": SECRET, "publishable_key": "pk_test_abcdefgh"}
    for headers in ({}, {"HX-Request": "true"}):
        answer = await browser("POST", "/integrations/stripe/connect", data=keys, headers=headers)
        assert answer.status == 422
        assert told in answer.text
        assert SECRET not in answer.text
        assert "pk_test_abcdefgh" in answer.text
        assert 'href="https://stripe.example/apikeys"' in answer.text


async def test_a_key_in_the_wrong_field_never_comes_back(gateway: Gateway, owner: Owner) -> None:
    gateway.integrations.script("ListIntegrations", _stripe())
    gateway.integrations.script("ConnectIntegration", InvalidRequest("These keys are swapped."))
    browser = await gateway.signed_in(owner)
    keys = {"secret_key": "pk_test_abcdefgh", "publishable_key": SECRET}
    answer = await browser("POST", "/integrations/stripe/connect", data=keys)
    assert (answer.status, SECRET in answer.text) == (422, False)


async def test_a_part_that_is_away_gives_a_page(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListShows", Unavailable())
    browser = await gateway.signed_in(owner)
    answer = await browser("GET", "/shows")
    assert (answer.status, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "Your invoices are safe" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


@pytest.mark.parametrize(
    ("method", "path", "referer", "link"),
    [
        ("GET", "/shows?only=live&q=a%26b", "", '"/shows?only=live&amp;q=a%26b">Try again'),
        ("POST", "/shows/s1/start", "/shows/s1?status=paid", '"/shows/s1?status=paid">Go back'),
        ("POST", "/shows/s1/start", "", '"/shows">Go back'),
        ("POST", "/shows/s1/start", "//evil.example/x", '"/shows">Go back'),
    ],
)
async def test_from_a_failure_a_link_leads_to_a_page_that_is_there(
    gateway: Gateway, owner: Owner, method: str, path: str, referer: str, link: str
) -> None:
    for call in ("ListShows", "StartShow"):
        gateway.invoicing.script(call, Unavailable())
    browser = await gateway.signed_in(owner)
    headers = {"Referer": f"{gateway.url}{referer}"} if referer else {}
    answer = await browser(method, path, headers=headers)
    assert (answer.status, f"href={link}" in answer.text) == (503, True)


async def test_a_cell_that_is_refused_is_a_page_without_a_script(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT, currency="GBP")
    item = invoicing_pb2.ListItemsResponse(items=[invoicing_pb2.Item(id="i1", item_number="1", title="Hat")])
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("ListItems", item)
    browser = await gateway.signed_in(owner)
    told = "The price &#39;cheap&#39; is no amount."
    for path, form in (
        ("/shows/s1/items/price", {"number": "1", "price": "cheap", "etag": "e"}),
        ("/shows/s1/items", {"item_number": "1", "price": "cheap"}),
    ):
        page = await browser(
            "POST", path, data=form, headers={"Referer": f"{gateway.url}/shows/s1/items?first=unpriced"}
        )
        assert (page.status, told in page.text, "<html" in page.text) == (422, True, True)
        assert 'href="/shows/s1/items?first=unpriced">Go back' in page.text
        part = await browser("POST", path, data=form, headers={"HX-Request": "true"})
        assert (part.status, told in part.text, "<html" in part.text) == (422, True, False)


async def test_a_page_waits_for_whatever_the_services_may_take(gateway: Gateway) -> None:
    page = await gateway.client()("GET", "/sign-in")
    told = re.search(r'"defaultTimeout":(\d+)', page.text)
    assert told
    assert int(told[1]) / 1000 > max(_CHANGING, _ASKING_THE_PROVIDER) + 5


async def test_what_is_too_large_is_told_so(gateway: Gateway, owner: Owner) -> None:
    answer = await (await gateway.signed_in(owner))("POST", "/shows/s1/edit", data={"name": "x" * 1_100_000})
    assert (answer.status, "a file may have 50 MB" in answer.text) == (400, True)


async def test_a_refused_action_becomes_a_message(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("StartGeneration", InvalidRequest("The plan is old. Look at it again."))
    browser = await gateway.signed_in(owner)
    answer = await browser(
        "POST", "/shows/x/invoices/generate", data={"plan_hash": "1"}, headers={"HX-Request": "true"}
    )
    assert answer.status == 400
    assert "The plan is old. Look at it again." in answer.headers["HX-Trigger"]
    assert answer.headers["HX-Reswap"] == "none"


@pytest.mark.parametrize(("left_out", "kept"), [(2, "without="), (151, "anew=1")])
async def test_a_plan_that_moved_keeps_the_ticks_that_an_address_carries(
    gateway: Gateway, owner: Owner, left_out: int, kept: str
) -> None:
    gateway.invoicing.script("StartGeneration", RemoteError(Kind.OUTDATED, "PLAN_OUTDATED", "Look again."))
    browser, ids = await gateway.signed_in(owner), [str(uuid.UUID(int=number)) for number in range(left_out + 1)]
    form = [("plan_hash", "seen"), ("changes", "1"), ("sending", "1"), ("buyer", ids[0])]
    form += [("shown", one) for one in ids]
    answer = await browser("POST", "/shows/s/invoices/generate", data=aiohttp.FormData(form))
    assert answer.headers["Location"].startswith("/shows/s/plan?moved=1&send=0&changes=1&" + kept)
    request = gateway.invoicing.last("StartGeneration")
    assert (request.HasField("automatic_sending"), request.automatic_sending) == (True, False)
    assert ids[0] not in answer.headers["Location"]
    assert len(answer.headers["Location"]) < 8_000


async def test_bad_lines_of_a_file_are_named(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT)
    gateway.invoicing.script("CreateShow", invoicing_pb2.CreateShowResponse(show=show))
    gateway.invoicing.script("StreamItems", invoicing_pb2.StreamItemsResponse(created_count=1))
    browser = await gateway.signed_in(owner)
    data = aiohttp.FormData({"name": "Friday", "currency": "USD", "request_id": "r"})
    data.add_field("items", b"item_number,title,price\n1,Hat,100\n2,Cap,1.50\n", filename="items.csv")
    answer = await browser("POST", "/shows/new", data=data)
    assert answer.status == 200
    assert "Line 3." in answer.text
    assert "Write 1250 for 12.50." in answer.text


async def test_files_are_looked_at_without_taking_anything(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)

    def form(**more: str) -> aiohttp.FormData:
        data = aiohttp.FormData({"currency": "GBP", "importing": "yes"} | more)
        content = "Artikelnummer;title;price\n1;Hüte;100\n2;Cap;1.50\n3;Ring;\n".replace("Artikelnummer", "item no")
        data.add_field("items", content.encode("cp1252"), filename="items.csv")
        return data

    answer = await browser("POST", "/shows/preview", data=form())
    assert answer.status == 200
    for told in ("Hüte", "£1.00", "No price", "Windows-1252", "semicolon", "Line 3.", "Write 1250 for 12.50."):
        assert told in answer.text
    assert "Import 2 lines" in answer.text
    assert "Items: 2 lines can be read, 1 cannot." in answer.headers["HX-Trigger"]  # and not every row of it
    decimal = await browser("POST", "/shows/preview", data=form(prices="decimal"))
    assert ("£100.00" in decimal.text, "£1.50" in decimal.text, "Import 3 lines" in decimal.text) == (True,) * 3
    assert 'name="items_read_as" value="GBP decimal"' in decimal.text
    whole = await browser("POST", "/shows/preview", data=form(whole="yes"))
    assert ("You chose all or nothing" in whole.text, "Import 2 lines" in whole.text) == (True, False)
    assert gateway.invoicing.calls == {}


async def test_preview_of_a_memo_says_that_its_end_is_cut(gateway: Gateway, owner: Owner) -> None:
    said = "With these values the text is 1 character too long: its end is cut, 1500 fit."
    answer = integrations_pb2.PreviewTemplateResponse(
        text="Hi Maya", variables=["buyer"], warning=said, max_length=1500
    )
    gateway.integrations.script("PreviewTemplate", answer)
    browser = await gateway.signed_in(owner)
    form = {"setting": "memo_template", "memo_template": "Hi {buyer}"}
    page = (await browser("POST", "/integrations/stripe/preview", data=form)).text
    assert "Hi Maya" in page
    assert "10 / 1,500" in page
    assert said in page


async def test_prices_are_not_looked_at_without_their_currency(gateway: Gateway, owner: Owner) -> None:
    data = aiohttp.FormData({"currency": "", "importing": "yes"})
    data.add_field("items", b"item_number,title,price\n1,Hat,100\n", filename="items.csv")
    answer = await (await gateway.signed_in(owner))("POST", "/shows/preview", data=data)
    assert "Items: Choose the currency of the show first: prices are read in it." in answer.text


async def test_a_start_that_is_no_moment_is_refused(gateway: Gateway, owner: Owner) -> None:
    data = aiohttp.FormData({"name": "Friday", "currency": "USD", "request_id": "r", "starts": "tomorrow"})
    answer = await (await gateway.signed_in(owner))("POST", "/shows/new", data=data)
    assert "The start is no date and time. Choose both, or leave it empty." in answer.text
    assert not gateway.invoicing.calls


async def test_an_installation_without_the_example_says_so(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.example_show._PLACES", ())
    answer = await (await gateway.signed_in(owner))("POST", "/shows/example")
    assert answer.status == 404
    assert "The example show did not come along with this installation." in answer.text


async def test_a_file_that_cannot_be_looked_at_says_why(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    data = aiohttp.FormData({"currency": "GBP", "importing": "yes"})
    data.add_field("claims", b"claim_id\n1\n", filename="claims.csv")
    answer = await browser("POST", "/shows/preview", data=data)
    assert "Claims: The column platform is missing in the first line." in answer.text
    assert "Import" not in answer.text


async def test_an_invoice_is_marked_as_paid_over_what_the_question_said(gateway: Gateway, owner: Owner) -> None:
    invoice = invoicing_pb2.Invoice(
        id="i1", show_id="s1", handle="@ann", status=invoicing_pb2.INVOICE_STATUS_SENT, total=1_250, currency="GBP"
    )
    gateway.invoicing.script("GetInvoice", invoicing_pb2.GetInvoiceResponse(invoice=invoice))
    gateway.invoicing.script("MarkPaid", invoicing_pb2.MarkPaidResponse(invoice=invoice))
    browser = await gateway.signed_in(owner)
    question = await browser("GET", "/shows/s1/invoices/i1/mark-paid")
    assert 'name="amount" value="1250"' in question.text
    for amount, sent in (("1250", 1_250), ("", 0), ("12.50", 0)):
        await browser("POST", "/shows/s1/invoices/i1/mark-paid", data={"note": "Cash", "amount": amount})
        request = gateway.invoicing.last("MarkPaid")
        assert (request.note, request.HasField("amount"), request.amount) == ("Cash", bool(sent), sent)


@pytest.mark.parametrize(("total", "says"), [(900, "-£1.00"), (1_000, "")])
async def test_lines_of_an_invoice_come_to_its_total(gateway: Gateway, owner: Owner, total: int, says: str) -> None:
    """Also where it was edited at the provider, whose lines have no number of ours."""
    lines = [invoicing_pb2.InvoiceLine(title="Edited", quantity=1, unit_price=1_000, amount=1_000)]
    invoice = invoicing_pb2.Invoice(id="i1", show_id="s1", handle="@ann", total=total, currency="GBP", lines=lines)
    invoice.status = invoicing_pb2.INVOICE_STATUS_SENT
    gateway.invoicing.script("GetInvoice", invoicing_pb2.GetInvoiceResponse(invoice=invoice))
    browser = await gateway.signed_in(owner)
    text = (await browser("GET", "/shows/s1/invoices/i1", headers={"Accept-Language": "en-GB"})).text
    assert ("Discounts, taxes and other changes" in text) is bool(says)
    assert not says or f'<td class="num">{says}</td>' in text
    assert "hx-ignore><bdi>Edited" in text


@pytest.mark.parametrize(("length", "told"), [(100, "copied"), (1_500, "Copy the message from the timeline")])
async def test_a_long_message_does_not_break_the_headers(
    gateway: Gateway, owner: Owner, length: int, told: str
) -> None:
    invoice = invoicing_pb2.Invoice(id="i1", show_id="s1", handle="@ann", currency="GBP")
    invoice.status = invoicing_pb2.INVOICE_STATUS_SENT
    delivery = invoicing_pb2.Delivery(id="d1", invoice_id="i1", message="Привет, " * (length // 8))
    delivery.channel, delivery.state = invoicing_pb2.DELIVERY_CHANNEL_MANUAL, invoicing_pb2.DELIVERY_STATE_DELIVERED
    gateway.invoicing.script("SendInvoice", invoicing_pb2.SendInvoiceResponse(invoice=invoice, delivery=delivery))
    gateway.invoicing.script("GetInvoice", invoicing_pb2.GetInvoiceResponse(invoice=invoice))
    browser = await gateway.signed_in(owner)
    answer = await browser(
        "POST", "/shows/s1/invoices/i1/send", data={"channel": "manual"}, headers={"HX-Request": "true"}
    )
    assert (answer.status, told in answer.headers["HX-Trigger"]) == (200, True)
    assert sum(len(name) + len(value) + 4 for name, value in answer.headers.items()) < 4_096


async def test_a_run_of_thousands_counts_as_the_reader_does(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_ENDED, currency="GBP")
    show.create_time.FromSeconds(1_790_000_000)
    made, waits = (invoicing_pb2.SummaryPart(count=count) for count in (1_281, 1_300))
    summary = invoicing_pb2.GetShowSummaryResponse(currency="GBP", draft=made, pending=waits)
    gateway.integrations.script("ListIntegrations", _stripe())
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("GetShowSummary", summary)
    gateway.invoicing.script("ListInvoices", invoicing_pb2.ListInvoicesResponse())
    browser = await gateway.signed_in(owner)
    page = await browser("GET", "/shows/s1", headers={"Accept-Language": "de"})
    for told in ('data-gen="done">1.281<', 'data-gen="total">2.581<', 'data-gen="left">1.300<'):
        assert told in page.text


@pytest.mark.parametrize("live", [True, False])
async def test_invoices_of_a_rehearsal_are_told_of_once_stripe_is_live(
    gateway: Gateway, owner: Owner, *, live: bool
) -> None:
    listed, show = _stripe(), invoicing_pb2.Show(id="s1", name="Friday", currency="GBP", buyer_count=1)
    show.state = invoicing_pb2.SHOW_STATE_ENDED
    show.create_time.FromSeconds(1_790_000_000)
    one, active = listed.integrations[0], integrations_pb2.INTEGRATION_STATUS_ACTIVE
    one.connected = True
    one.integration.CopyFrom(integrations_pb2.Integration(provider="stripe", livemode=live, status=active))
    paid = invoicing_pb2.Invoice(
        id="i1", show_id="s1", provider="stripe", external_id="in_1", currency="GBP", total=900
    )
    paid.status = invoicing_pb2.INVOICE_STATUS_PAID
    warned = invoicing_pb2.PlanEntry(action=invoicing_pb2.PLAN_ACTION_UNCHANGED, total=900)
    warned.warnings.append(invoicing_pb2.PLAN_WARNING_MADE_IN_TEST_MODE)
    summary = invoicing_pb2.GetShowSummaryResponse(currency="GBP", paid=invoicing_pb2.SummaryPart(amount=900, count=1))
    gateway.integrations.script("ListIntegrations", listed)
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("GetShowSummary", summary)
    gateway.invoicing.script("ListInvoices", invoicing_pb2.ListInvoicesResponse(invoices=[paid]))
    plan_of = invoicing_pb2.PlanGenerationResponse(currency="GBP", entries=[warned] if live else [])
    gateway.invoicing.script("PlanGeneration", plan_of)
    browser = await gateway.signed_in(owner)
    page, plan = [await browser("GET", f"/shows/s1{tab}", headers={"HX-Request": "true"}) for tab in ("", "/plan")]
    assert (page.status, plan.status) == (200, 200)
    assert ("Invoices of this show were made in test mode" in page.text) is live
    assert ("1 buyer has only an invoice that was made in test mode." in plan.text) is live
    assert ("But not one that asks for real money." in plan.text) is live


async def test_chosen_invoices_that_are_none_do_not_become_all(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=invoicing_pb2.Show(id="s1", currency="GBP")))
    browser = await gateway.signed_in(owner)
    for path in ("send-all", "send-chosen"):
        answer = await browser("POST", f"/shows/s1/{path}", data={"ids": "", "others": "manual"})
        assert "No invoice was chosen. Go back to the list, and tick some." in answer.text
    assert set(gateway.invoicing.calls) <= {"GetShow"}, "nothing is sent"


async def test_a_buyer_is_invoiced_over_the_sum_that_the_row_showed(gateway: Gateway, owner: Owner) -> None:
    run = invoicing_pb2.StartGenerationResponse(generation=invoicing_pb2.Generation(id="g1"))
    gateway.invoicing.script("StartGeneration", run)
    browser = await gateway.signed_in(owner)
    made = await browser("POST", "/shows/s1/buyers/b1/generate", data={"total": "1250"})
    assert (made.status, made.headers["Location"]) == (303, "/shows/s1?run=g1")
    asked = gateway.invoicing.calls["StartGeneration"][-1].request
    assert (asked.buyer_ids, asked.expected_total, asked.plan_hash) == (["b1"], 1_250, "")
    said = "The invoices come to £12.60 by now, and you looked at £12.50. Nothing was made: look at them again."
    gateway.invoicing.script("StartGeneration", RemoteError(Kind.OUTDATED, "OWES_OTHERWISE", said))
    refused = await browser("POST", "/shows/s1/buyers/b1/generate", data={"total": "1250"})
    assert (refused.status, said in refused.text) == (412, True)


async def test_no_more_links_are_sent_than_the_question_counted(gateway: Gateway, owner: Owner) -> None:
    run = invoicing_pb2.SendInvoicesResponse(sending=invoicing_pb2.Sending(id="r1", show_id="s1"))
    gateway.invoicing.script("SendInvoices", run)
    browser = await gateway.signed_in(owner)
    for count in ("1005", "0", ""):
        answer = await browser("POST", "/shows/s1/send-all", data={"count": count, "request_id": "r"})
        assert (answer.status, answer.headers["Location"]) == (303, "/shows/s1?sending=r1")
        asked = gateway.invoicing.calls["SendInvoices"][-1].request
        assert (asked.HasField("most_count"), asked.most_count) == (bool(count), int(count or 0))
    said = "There are 1,005 links to send by now, and you looked at 1,000. Nothing was sent: ask once more."
    gateway.invoicing.script("SendInvoices", RemoteError(Kind.OUTDATED, "MORE_BY_NOW", said))
    refused = await browser("POST", "/shows/s1/send-all", data={"count": "1000", "request_id": "r"})
    assert (refused.status, said in refused.text) == (412, True)


async def test_the_question_takes_more_invoices_than_an_address_carries(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_ENDED, currency="GBP")
    ids = [new_id() for _ in range(500)]
    rows = [invoicing_pb2.Invoice(id=one, status=invoicing_pb2.INVOICE_STATUS_DRAFT, total=100) for one in ids]
    mailable = invoicing_pb2.SummaryPart(amount=49_900, count=499)
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("ListInvoices", invoicing_pb2.ListInvoicesResponse(invoices=rows))
    gateway.invoicing.script("GetShowSummary", invoicing_pb2.GetShowSummaryResponse(mailable=mailable))
    browser = await gateway.signed_in(owner)
    answer = await browser("POST", "/shows/s1/send-chosen", data={"ids": ",".join(ids)})
    for told in ("Send 500 payment links?", "499 are e-mailed", "1 cannot be e-mailed by Stripe", "£1.00", ids[-1]):
        assert told in answer.text
    (call,) = gateway.invoicing.calls["GetShowSummary"]
    assert list(call.request.mailable_of) == ids


async def test_chosen_invoices_alone_are_in_the_file(gateway: Gateway, owner: Owner) -> None:
    ids = [new_id() for _ in range(500)]
    rows = [invoicing_pb2.Invoice(id=one, status=invoicing_pb2.INVOICE_STATUS_DRAFT, currency="GBP") for one in ids]
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_ENDED, currency="GBP")
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("ListInvoices", invoicing_pb2.ListInvoicesResponse(invoices=rows))
    browser = await gateway.signed_in(owner)
    answer = await browser("POST", "/shows/s1/export-chosen", data=[("ids", one) for one in ids])
    assert answer.headers["Content-Disposition"] == 'attachment; filename="showbill-friday-chosen-invoices.csv"'
    assert [line.split(",")[0] for line in answer.text.splitlines()[1:]] == ids
    (call,) = gateway.invoicing.calls["ListInvoices"]
    assert list(call.request.invoice_ids) == ids


async def test_an_import_that_is_cut_off_says_that_repeating_changes_nothing(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT, currency="GBP")
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("StreamItems", invoicing_pb2.StreamItemsResponse(created_count=1))
    gateway.invoicing.script("StreamClaims", Unavailable())
    browser = await gateway.signed_in(owner)
    data = aiohttp.FormData({"currency": "GBP"})
    data.add_field("items", b"item_number,title,price\n1,Scarf,100\n", filename="items.csv")
    head = b"claim_id,platform,platform_user_id,item_number,status\n"
    data.add_field("claims", head + b"c,facebook,u1,1,winner\n", filename="claims.csv")
    answer = await browser("POST", "/shows/s1/import", data=data)
    assert answer.status == 503
    for told in ("1 new", "Claims: This file was cut off", "the same lines again change nothing", 'id="files-form"'):
        assert told in answer.text


async def test_a_show_that_could_not_be_made_keeps_what_was_typed(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("CreateShow", Unavailable())
    browser = await gateway.signed_in(owner)
    data = {"name": "Friday", "currency": "GBP", "request_id": new_id()}
    answer = await browser("POST", "/shows/new", data=data)
    assert answer.status == 503
    for told in ("however often you do, it is one show", 'value="Friday"', data["request_id"]):
        assert told in answer.text


async def test_buyers_are_looked_at_then_taken(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT, currency="GBP")
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("StreamBuyers", invoicing_pb2.StreamBuyersResponse(created_count=1))
    browser = await gateway.signed_in(owner)
    content = b"platform,user id,name,e-mail\nfacebook,u1,Ann,ann@example.com\nfacebook,u1,Bob,\n"

    def form(**more: str) -> aiohttp.FormData:
        data = aiohttp.FormData({"currency": "GBP", "importing": "yes"} | more)
        data.add_field("buyers", content, filename="buyers.csv")
        return data

    seen = await browser("POST", "/shows/preview", data=form())
    for told in ("Buyers", "ann@example.com", "Import 1 line", "Line 3.", "is on line 2 already."):
        assert told in seen.text
    assert not gateway.invoicing.calls
    taken = await browser("POST", "/shows/s1/import", data=form(buyers_seen=hashlib.sha256(content).hexdigest()))
    assert (taken.status, "1 not taken" in taken.text) == (200, True)
    (call,) = gateway.invoicing.calls["StreamBuyers"]
    assert [buyer.email for buyer in call.request.buyers] == ["ann@example.com"]


async def test_another_file_than_was_looked_at_is_not_taken(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT, currency="GBP")
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("StreamItems", invoicing_pb2.StreamItemsResponse(created_count=1))
    browser = await gateway.signed_in(owner)
    content = b"item_number,title,price\n1,Hat,1.50\n"

    def form(seen: str) -> aiohttp.FormData:
        data = aiohttp.FormData({"items_seen": seen, "prices": "decimal", "whole": "yes"})
        data.add_field("items", content, filename="items.csv")
        return data

    taken = await browser("POST", "/shows/s1/import", data=form(hashlib.sha256(content).hexdigest()))
    assert (taken.status, taken.headers["Location"]) == (303, "/shows/s1")
    refused = await browser("POST", "/shows/s1/import", data=form("0" * 64))
    assert refused.status == 422
    assert "The file of items is another one than you looked at." in refused.text
    for read_as in ("GBP minor", "EUR decimal"):
        otherwise = form(hashlib.sha256(content).hexdigest())
        otherwise.add_field("items_read_as", read_as)
        refused = await browser("POST", "/shows/s1/import", data=otherwise)
        assert refused.status == 422
        assert "The prices would be read in another way than you looked at." in refused.text
    (call,) = gateway.invoicing.calls["StreamItems"]
    assert (call.request.all_or_none, call.request.items[0].price) == (True, 150)


async def test_a_refused_file_hides_nothing_of_those_before_it(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT)
    gateway.invoicing.script("CreateShow", invoicing_pb2.CreateShowResponse(show=show))
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("StreamItems", invoicing_pb2.StreamItemsResponse(created_count=1))
    browser = await gateway.signed_in(owner)
    key = "0192f3c4-0000-7000-8000-000000000001"
    for path in ("/shows/new", "/shows/new", "/shows/s1/import"):
        data = aiohttp.FormData({"name": "Friday", "currency": "USD", "request_id": key})
        data.add_field("items", b"item_number,title,price\n1,Hat,100\n", filename="items.csv")
        data.add_field("claims", b"claim_id\n1\n", filename="claims.csv")
        data.add_field("buyers", b"platform,platform_user_id\nfacebook,u1\n", filename="buyers.csv")
        answer = await browser("POST", path, data=data)
        assert answer.status == 422
        assert "Claims: The column platform is missing in the first line." in answer.text
        assert "Not looked at: buyers." in answer.text
        assert "1 new, 0 changed" in answer.text
        assert "columns.platform" not in answer.text, "the sentence says it"
        assert 'action="/shows/s1/import"' in answer.text
        assert ("The show was made." in answer.text) == (path == "/shows/new")
    assert not gateway.invoicing.calls["StreamBuyers"]
    first, again = (call.request.request_id for call in gateway.invoicing.calls["CreateShow"])
    assert first == again, "no second show is made"


async def test_the_reader_gets_numbers_of_their_locale(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT, currency="EUR")
    show.create_time.GetCurrentTime()
    sums = invoicing_pb2.ShowSums(claimed=123456)
    gateway.invoicing.script("ListShows", invoicing_pb2.ListShowsResponse(shows=[show], sums=[sums]))
    browser = await gateway.signed_in(owner)
    for language, amount in (("de-DE,en;q=0.5", "1.234,56\xa0€"), ("en-US", "€1,234.56"), ("??", "€1,234.56")):
        answer = await browser("GET", "/shows", headers={"Accept-Language": language})
        assert amount in answer.text


async def test_the_chosen_theme_is_painted_first_time(gateway: Gateway) -> None:
    dark = await gateway.client(Cookie="theme=dark")("GET", "/sign-in")
    odd = await gateway.client(Cookie='theme="><script>')("GET", "/sign-in")
    assert 'data-theme="dark"' in dark.text
    assert "data-theme" not in odd.text


async def test_every_tile_shows_its_state(gateway: Gateway, owner: Owner) -> None:
    def entry(provider: str, availability: int, plan: str = "") -> integrations_pb2.ListedIntegration:
        listed = integrations_pb2.ListedIntegration()
        listed.entry.provider, listed.entry.name = provider, provider.title()
        listed.entry.availability, listed.entry.required_plan = availability, plan  # type: ignore[assignment]  # enum
        return listed

    answer = integrations_pb2.ListIntegrationsResponse(
        integrations=[
            entry("stripe", integrations_pb2.AVAILABILITY_AVAILABLE),
            entry("square", integrations_pb2.AVAILABILITY_COMING_SOON),
            entry("quickbooks", integrations_pb2.AVAILABILITY_REQUIRES_PLAN, "pro"),
        ]
    )
    gateway.integrations.script("ListIntegrations", answer)
    browser = await gateway.signed_in(owner)
    page = await browser("GET", "/integrations")
    tiles = dict(zip(*[iter(re.split(r'data-provider="(\w+)"', page.text)[1:])] * 2, strict=True))
    assert 'href="/integrations/stripe"' in tiles["stripe"]
    assert "Coming soon" in tiles["square"]
    assert "<a " not in tiles["square"].split("</li>")[0]
    assert "Available on Pro" in tiles["quickbooks"]
    assert 'href="/plans"' in tiles["quickbooks"]
    plans = await browser("GET", "/plans")
    assert re.search(r"<h2>Free</h2><span[^>]*>.*?Your plan", plans.text)
    assert "<b>Quickbooks</b>" in plans.text


async def test_a_wrong_address_is_a_page_for_people(gateway: Gateway) -> None:
    browser = gateway.client(Accept="text/html,application/xhtml+xml")
    for path, kind in (("/nothing", "text/html"), ("/api/nothing", "application/problem+json")):
        answer = await browser("GET", path)
        assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (404, kind)
    program = await gateway.client()("GET", "/nothing")
    assert program.headers["Content-Type"] == "application/problem+json"


async def test_a_price_beyond_all_bounds_is_told_at_its_row(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT, currency="GBP")
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    row = invoicing_pb2.Item(item_number="7", title="Mug", price=1250)
    gateway.invoicing.script("ListItems", invoicing_pb2.ListItemsResponse(items=[row]))
    browser = await gateway.signed_in(owner, **{"HX-Request": "true"})
    for price in ("99999999999999999999", "-1", "1,2,3"):
        form = {"number": "7", "price": price, "etag": "e"}
        answer = await browser("POST", "/shows/s1/items/price", data=form)
        assert (answer.status, price in answer.text) == (422, True)
    assert not gateway.invoicing.calls["UpdateItem"]


async def test_a_price_stands_in_its_field_as_the_reader_writes_it_and_comes_back_so(
    gateway: Gateway, owner: Owner
) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_DRAFT, currency="KWD")
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    row = invoicing_pb2.Item(item_number="7", title="Mug", price=1250)
    gateway.invoicing.script("ListItems", invoicing_pb2.ListItemsResponse(items=[row]))
    gateway.invoicing.script("UpdateItem", invoicing_pb2.UpdateItemResponse(item=row))
    browser = await gateway.signed_in(owner, **{"HX-Request": "true", "Accept-Language": "de-DE"})
    answer = await browser("POST", "/shows/s1/items/price", data={"number": "7", "price": "1,250", "etag": "e"})
    assert (answer.status, 'value="1,250"' in answer.text) == (200, True)
    assert gateway.invoicing.calls["UpdateItem"][0].request.item.price == 1250


async def test_what_was_paid_elsewhere_is_looked_at_then_marked(gateway: Gateway, owner: Owner) -> None:
    show = invoicing_pb2.Show(id="s1", name="Friday", state=invoicing_pb2.SHOW_STATE_ENDED, currency="GBP")
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    refused = invoicing_pb2.RejectedMark(index=1, reason="The invoice is void.")
    told = invoicing_pb2.StreamMarksResponse(
        updated_count=12, updated_total=34_000, currency="GBP", rejected_marks=[refused], rejected_count=1
    )
    gateway.invoicing.script("StreamMarks", told)
    browser = await gateway.signed_in(owner)
    content = b"number,paid_outside\nSB-1,bank transfer\nSB-2,cash\n"
    seen = hashlib.sha256(content).hexdigest()

    def form(**more: str) -> aiohttp.FormData:
        data = aiohttp.FormData(more)
        data.add_field("invoices", content, filename="paid.csv")
        return data

    page = (await browser("POST", "/shows/s1/import/invoices/preview", data=form())).text
    for part in (
        "“bank transfer”",
        "£340.00",
        "would be marked as paid elsewhere",
        "Line 3.",
        "Mark 12 invoices as paid",
        seen,
    ):
        assert part in page
    whole = (await browser("POST", "/shows/s1/import/invoices/preview", data=form(whole="yes"))).text
    assert ("You chose to mark all or none" in whole, "Mark 12 invoices" in whole) == (True, False)
    assert all(call.request.validate_only for call in gateway.invoicing.calls["StreamMarks"])
    taken = await browser("POST", "/shows/s1/import/invoices", data=form(invoices_seen=seen))
    assert ("12 are marked as paid elsewhere" in taken.text, "1 not taken" in taken.text) == (True, True)
    gateway.invoicing.script("StreamMarks", invoicing_pb2.StreamMarksResponse(updated_count=2, generation_ids=["g1"]))
    done = await browser("POST", "/shows/s1/import/invoices", data=form(invoices_seen=seen, whole="yes"))
    assert (done.status, done.headers["Location"]) == (303, "/shows/s1?run=g1")
    request = gateway.invoicing.last("StreamMarks")
    assert (request.all_or_none, request.validate_only, request.marks[1].note) == (True, False, "cash")
    other = await browser("POST", "/shows/s1/import/invoices", data=form(invoices_seen="0" * 64))
    assert "The file of invoices is another one than you looked at." in other.text
    gateway.invoicing.script("StreamMarks", Unavailable())
    for where, status, says in (("", 503, "cut off"), ("/preview", 200, "The invoices cannot be looked at")):
        away = await browser("POST", f"/shows/s1/import/invoices{where}", data=form())
        assert (away.status, says in away.text) == (status, True)
