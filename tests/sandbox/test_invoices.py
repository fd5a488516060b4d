"""The life of an invoice, by the official SDK."""

from typing import Any

import pytest
import stripe

from tests.sandbox.harness import Account, draft, opened


async def test_lines_add_up_and_finalizing_opens(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async({"name": "Handle only"})
    invoice = await draft(client, 1250, 750, -100, customer=customer.id, metadata={"row": "7"})
    assert (invoice.status, invoice.total, invoice.amount_due, invoice.number) == ("draft", 1900, 1900, None)
    final = await client.v1.invoices.finalize_invoice_async(invoice.id)
    assert (final.status, final.amount_remaining, (final.metadata or {"row": ""})["row"]) == ("open", 1900, "7")
    assert final.number == f"{(await client.v1.customers.retrieve_async(customer.id)).invoice_prefix}-0001"
    assert final.hosted_invoice_url
    assert final.invoice_pdf


async def test_a_unit_price_times_a_quantity_is_a_line(client: stripe.StripeClient) -> None:
    invoice = await draft(client)
    price: Any = {"currency": "usd", "unit_amount_decimal": "33.5", "product_data": {"name": "Vase"}}
    changed = await client.v1.invoices.add_lines_async(invoice.id, {"lines": [{"price_data": price, "quantity": 3}]})
    line = changed.lines.data[0]
    assert (line.amount, line.quantity, line.description) == (101, 3, "Vase")


async def test_lines_are_changed_and_removed_on_a_draft(client: stripe.StripeClient) -> None:
    invoice = await draft(client, 999, 1)
    first, second = invoice.lines.data
    one = await client.v1.invoices.line_items.update_async(invoice.id, first.id, {"amount": 777})
    assert one.amount == 777
    changed = await client.v1.invoices.update_lines_async(
        invoice.id, {"lines": [{"id": first.id, "amount": 888, "description": "New"}]}
    )
    assert (changed.total, changed.lines.data[0].description) == (889, "New")
    removed = await client.v1.invoices.remove_lines_async(
        invoice.id, {"lines": [{"id": second.id, "behavior": "delete"}]}
    )
    assert (removed.total, removed.lines.to_dict()["total_count"]) == (888, 1)


async def test_an_invoice_of_zero_is_paid_at_once(client: stripe.StripeClient) -> None:
    for invoice in (await opened(client, 0), await opened(client)):
        assert (invoice.status, invoice.amount_due, invoice.attempted) == ("paid", 0, True)
        assert invoice.number
        assert invoice.hosted_invoice_url


async def test_below_the_minimum_the_debt_moves_to_the_balance(client: stripe.StripeClient) -> None:
    invoice = await opened(client, 49)
    assert (invoice.status, invoice.total, invoice.amount_due, invoice.ending_balance) == ("paid", 49, 0, 49)
    assert (await client.v1.customers.retrieve_async(str(invoice.customer))).balance == 49
    next_one = await opened(client, 1000, customer=str(invoice.customer))
    assert (next_one.status, next_one.total, next_one.amount_due) == ("open", 1000, 1049)


async def test_credit_lowers_what_is_due_but_not_the_total(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async({"balance": -300})
    part = await opened(client, 1000, customer=customer.id)
    assert (part.total, part.amount_due, part.starting_balance, part.ending_balance) == (1000, 700, -300, 0)
    assert (await client.v1.customers.retrieve_async(customer.id)).balance == 0
    await client.v1.invoices.void_invoice_async(part.id)
    assert (await client.v1.customers.retrieve_async(customer.id)).balance == -300


async def test_a_negative_total_becomes_credit(client: stripe.StripeClient) -> None:
    invoice = await opened(client, -500)
    assert (invoice.status, invoice.amount_due, invoice.ending_balance) == ("paid", 0, -500)
    assert (await client.v1.customers.retrieve_async(str(invoice.customer))).balance == -500


async def test_more_than_250_lines_are_refused_whole(client: stripe.StripeClient) -> None:
    invoice = await draft(client)
    lines: Any = [{"amount": 1, "description": str(number)} for number in range(250)]
    full = await client.v1.invoices.add_lines_async(invoice.id, {"lines": lines})
    assert (full.total, full.lines.to_dict()["total_count"], len(full.lines.data), full.lines.has_more) == (
        250,
        250,
        10,
        True,
    )
    with pytest.raises(stripe.InvalidRequestError, match="at most 250 line items"):
        await client.v1.invoices.add_lines_async(invoice.id, {"lines": [{"amount": 1}]})
    listed = await client.v1.invoices.line_items.list_async(invoice.id, {"limit": 100})
    assert [line.description async for line in listed.auto_paging_iter()] == [str(number) for number in range(250)]


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [("kwd", 1001, "last digit"), ("isk", 150, "divisible by 100"), ("usd", 100_000_000, "no more than")],
)
async def test_amounts_that_a_currency_forbids_are_refused(
    client: stripe.StripeClient, currency: str, amount: int, words: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words):
        await draft(client, amount, currency=currency)


async def test_send_finalizes_a_draft_and_fills_the_mailbox(client: stripe.StripeClient, account: Account) -> None:
    invoice = await draft(client, 4400, collection_method="send_invoice", days_until_due=7)
    sent = await client.v1.invoices.send_invoice_async(invoice.id)
    again = await client.v1.invoices.send_invoice_async(invoice.id)
    assert (sent.status, again.status) == ("open", "open")
    mails = [mail for mail in (await account.control.get("/mails"))["mails"] if mail["invoice"] == invoice.id]
    assert [mail["to"] for mail in mails] == ["b@example.com"] * 2


async def test_send_refuses_an_invoice_charged_automatically(client: stripe.StripeClient) -> None:
    invoice = await opened(client, 4400)
    with pytest.raises(stripe.InvalidRequestError, match="send_invoice"):
        await client.v1.invoices.send_invoice_async(invoice.id)


async def test_paid_out_of_band_counts_no_attempt(client: stripe.StripeClient) -> None:
    invoice = await opened(client, 4400)
    paid = await client.v1.invoices.pay_async(invoice.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid, paid.attempted, paid.attempt_count) == ("paid", 4400, False, 0)
    for expand, outside in (["amount_paid_off_stripe"], 4400), ([], None):
        read = await client.v1.invoices.retrieve_async(invoice.id, {"expand": expand})
        assert read.to_dict().get("amount_paid_off_stripe") == outside


async def test_pay_without_a_payment_method_is_refused(client: stripe.StripeClient) -> None:
    invoice = await opened(client, 4400)
    with pytest.raises(stripe.InvalidRequestError, match="default_payment_method"):
        await client.v1.invoices.pay_async(invoice.id)


async def test_uncollectible_can_still_be_paid_or_voided(client: stripe.StripeClient, account: Account) -> None:
    first, second = await opened(client, 500), await opened(client, 500)
    for invoice in (first, second):
        await client.v1.invoices.mark_uncollectible_async(invoice.id)
    await account.control.post(f"/invoices/{first.id}/pay")
    assert (await client.v1.invoices.retrieve_async(first.id)).status == "paid"
    assert (await client.v1.invoices.void_invoice_async(second.id)).status == "void"


async def test_a_deleted_draft_is_gone(client: stripe.StripeClient) -> None:
    invoice = await draft(client, 500)
    gone = await client.v1.invoices.delete_async(invoice.id)
    assert gone.to_dict() == {"id": invoice.id, "object": "invoice", "deleted": True}
    with pytest.raises(stripe.InvalidRequestError, match="No such invoice"):
        await client.v1.invoices.retrieve_async(invoice.id)


async def test_a_draft_follows_its_customer_until_final(client: stripe.StripeClient) -> None:
    invoice = await draft(client, 500)
    await client.v1.customers.update_async(str(invoice.customer), {"name": "Before"})
    assert (await client.v1.invoices.finalize_invoice_async(invoice.id)).customer_name == "Before"
    await client.v1.customers.update_async(str(invoice.customer), {"name": "After"})
    assert (await client.v1.invoices.retrieve_async(invoice.id)).customer_name == "Before"


async def test_auto_advance_finalizes_after_an_hour(client: stripe.StripeClient, account: Account) -> None:
    invoice = await draft(client, 500, auto_advance=True)
    assert invoice.automatically_finalizes_at == invoice.created + 3601
    assert invoice.next_payment_attempt == invoice.created + 3600
    await account.control.post("/clock", advance_seconds=3700)
    assert (await client.v1.invoices.retrieve_async(invoice.id)).status == "open"


async def test_invoices_are_listed_by_customer_and_status(client: stripe.StripeClient) -> None:
    first = await draft(client, 500)
    second = await opened(client, 500, customer=str(first.customer))
    await draft(client, 500)
    both = await client.v1.invoices.list_async({"customer": str(first.customer)})
    assert [one.id for one in both.data] == [second.id, first.id]
    drafts = await client.v1.invoices.list_async({"customer": str(first.customer), "status": "draft"})
    assert [one.id for one in drafts.data] == [first.id]
    expanded = await client.v1.invoices.list_async({"limit": 1, "expand": ["data.customer"]})
    assert isinstance(expanded.data[0].customer, stripe.Customer)
    assert expanded.has_more


async def test_equal_customers_are_two_and_email_is_exact(client: stripe.StripeClient) -> None:
    made = [await client.v1.customers.create_async({"email": "Same@example.com"}) for _ in range(3)]
    listed = await client.v1.customers.list_async({"email": "Same@example.com", "limit": 2})
    assert [one.id for one in listed.data] == [made[2].id, made[1].id]
    rest = await client.v1.customers.list_async({"email": "Same@example.com", "starting_after": made[1].id})
    assert [one.id for one in rest.data] == [made[0].id]
    assert (await client.v1.customers.list_async({"email": "same@example.com"})).data == []
