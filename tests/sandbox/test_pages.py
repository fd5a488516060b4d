"""The pages a person uses: hosted invoice, dashboard, mailbox."""

import re

import aiohttp
import pytest
import stripe

from tests.sandbox.harness import Account, Receiver, draft, opened


async def get(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url) as response:
        return response.status, await response.text()


async def press(session: aiohttp.ClientSession, page: str, label: str, **fields: str) -> tuple[int, str]:
    """Sends the form whose button bears the label."""
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if label in form)
    action = re.search(r'action="([^"]+)"', form)
    assert action is not None
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', form))
    async with session.post(action[1], data={**hidden, **fields}) as response:
        return response.status, await response.text()


async def test_a_buyer_pays_on_the_hosted_page(
    client: stripe.StripeClient, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    await client.v1.webhook_endpoints.create_async({"url": receiver.url, "enabled_events": ["invoice.paid"]})
    invoice = await opened(client, 1250, 700)
    _, page = await get(session, str(invoice.hosted_invoice_url))
    assert "Item 1250" in page
    assert "USD 19.50" in page
    status, after = await press(session, page, "Pay USD 19.50")
    assert (status, "This invoice is paid" in after) == (200, True)
    event = (await receiver.wait_for("invoice.paid"))[0]
    assert event["request"] == {"id": None, "idempotency_key": None}
    paid = await client.v1.invoices.retrieve_async(invoice.id)
    assert (paid.status, paid.attempted, paid.attempt_count, paid.amount_paid) == ("paid", True, 1, 1950)


async def test_a_declined_card_leaves_the_invoice_open(
    client: stripe.StripeClient, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    await client.v1.webhook_endpoints.create_async({"url": receiver.url, "enabled_events": ["invoice.payment_failed"]})
    invoice = await opened(client, 1250)
    _, page = await get(session, str(invoice.hosted_invoice_url))
    status, after = await press(session, page, "declined")
    assert (status, "Your card was declined" in after) == (402, True)
    assert (await receiver.wait_for("invoice.payment_failed"))[0]["data"]["object"]["attempt_count"] == 1
    assert (await client.v1.invoices.retrieve_async(invoice.id)).status == "open"


async def test_an_expired_link_is_renewed_by_reading(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    invoice = await opened(client, 1250)
    await account.control.post(f"/invoices/{invoice.id}/expire_url")
    status, page = await get(session, str(invoice.hosted_invoice_url))
    assert (status, "expired" in page) == (410, True)
    fresh = await client.v1.invoices.retrieve_async(invoice.id)
    assert fresh.hosted_invoice_url != invoice.hosted_invoice_url
    assert (await get(session, str(fresh.hosted_invoice_url)))[0] == 200
    assert (await get(session, str(invoice.hosted_invoice_url)))[0] == 410


async def test_the_invoice_is_there_as_a_pdf(client: stripe.StripeClient, session: aiohttp.ClientSession) -> None:
    invoice = await opened(client, 1250)
    async with session.get(str(invoice.invoice_pdf)) as response:
        assert response.content_type == "application/pdf"
        assert (await response.read()).startswith(b"%PDF-1.4")


async def test_an_operator_edits_finalizes_and_voids_in_the_dashboard(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    invoice = await draft(client, 0)
    path = f"/dashboard/{account.id}/test/invoices/{invoice.id}"
    _, page = await get(session, path)
    status, page = await press(session, page, "Set price", amount="12.345")
    assert (status, "at most 2 decimals" in page) == (409, True)
    _, page = await press(session, page, "Set price", amount="12.50")
    assert "USD 12.50" in page
    _, page = await press(session, page, "Finalize")
    assert (await client.v1.invoices.retrieve_async(invoice.id)).amount_due == 1250
    _, page = await press(session, page, "Void")
    assert (await client.v1.invoices.retrieve_async(invoice.id)).status == "void"
    assert "<form" not in page


async def test_the_dashboard_keeps_live_and_test_apart(
    client: stripe.StripeClient, session: aiohttp.ClientSession, account: Account
) -> None:
    invoice = await opened(client, 500)
    assert (await get(session, f"/dashboard/{account.id}/invoices/{invoice.id}"))[0] == 404
    assert (await get(session, f"/dashboard/{account.id}/test/invoices/{invoice.id}"))[0] == 200
    all_of_it = [await get(session, f"/dashboard/{account.id}{mode}/invoices") for mode in ("/test", "")]
    assert [(status, invoice.id in text) for status, text in all_of_it] == [(200, True), (200, False)]
    assert (await get(session, "/dashboard/acct_none/test/invoices"))[0] == 404


async def test_the_mailbox_shows_what_was_sent(client: stripe.StripeClient, session: aiohttp.ClientSession) -> None:
    customer = await client.v1.customers.create_async({"email": "reader@example.com"})
    invoice = await draft(client, 500, customer=customer.id, collection_method="send_invoice", days_until_due=7)
    sent = await client.v1.invoices.send_invoice_async(invoice.id)
    _, page = await get(session, "/mailbox")
    assert "reader@example.com" in page
    assert f"#{sent.number}" in page
    assert invoice.id in (await get(session, "/"))[1]


@pytest.mark.parametrize("path", ["/", "/mailbox", "/dashboard/apikeys", "/i/acct_x/test_y"])
async def test_pages_ask_nothing_of_other_hosts(session: aiohttp.ClientSession, path: str) -> None:
    async with session.get(path) as response:
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert not re.search(r'(src|href)="https?://(?!127\.0\.0\.1)', await response.text())


async def test_texts_of_buyers_are_escaped(client: stripe.StripeClient, session: aiohttp.ClientSession) -> None:
    invoice = await draft(client)
    await client.v1.invoices.add_lines_async(
        invoice.id, {"lines": [{"amount": 500, "description": "<script>alert(1)</script>"}]}
    )
    final = await client.v1.invoices.finalize_invoice_async(invoice.id)
    assert "<script>" not in (await get(session, str(final.hosted_invoice_url)))[1]
