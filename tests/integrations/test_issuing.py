"""Making invoices: what is asked of Stripe, and what comes of it."""

import asyncio

import pytest

from services.common.errors import Kind
from services.common.ids import new_id
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.shop import Shop, line


async def test_invoice_is_open_payable_and_ours(connected: Shop) -> None:
    order = connected.order()
    made = await connected.create(order)
    assert made.status == pb.PROVIDER_INVOICE_STATUS_OPEN
    assert (made.total, made.currency, made.invoice_id, made.revision) == (2499, "GBP", order.invoice_id, 1)
    assert made.external_url
    assert made.number
    assert (made.emailed_by_provider, made.HasField("mailed_to"), made.mailed_to) == (False, True, "")
    assert made.provider_url.endswith(f"/dashboard/{connected.account.id}/test/invoices/{made.external_id}")
    assert [(one.description, one.amount) for one in made.lines] == [
        ("2 × 85123A WHITE HANGING HEART", 500),
        ("1 × 85123A LUNCH BAG", 1999),
    ]


async def test_known_customer_takes_three_calls(connected: Shop) -> None:
    await connected.create(connected.order(buyer="maya"))
    before = await connected.calls()
    await connected.create(connected.order(buyer="maya"))
    after = await connected.calls()
    made = {operation: count - before.get(operation, 0) for operation, count in after.items()}
    assert {operation: count for operation, count in made.items() if count} == {
        "invoices.create": 1,
        "invoices.add_lines": 1,
        "invoices.finalize": 1,
    }


async def test_same_request_again_makes_nothing_new(connected: Shop) -> None:
    order = connected.order()
    first, second = await connected.create(order), await connected.create(order)
    assert first == second
    assert len(await connected.invoices()) == 1


async def test_next_revision_is_another_invoice(connected: Shop) -> None:
    order = connected.order()
    first = await connected.create(order)
    order.revision = 2
    assert (await connected.create(order)).external_id != first.external_id


async def test_same_request_at_once_makes_one_invoice(connected: Shop) -> None:
    order = connected.order()
    made = await asyncio.gather(*(connected.create(order) for _ in range(4)), return_exceptions=True)
    unsure = [one for one in made if isinstance(one, BaseException)]
    assert all(isinstance(one, RemoteError) and one.retry_after for one in unsure)
    assert len(await connected.invoices()) == 1


async def test_invoices_of_one_buyer_share_one_customer(connected: Shop) -> None:
    orders = [connected.order(buyer="maya") for _ in range(5)]
    made = await asyncio.gather(*(connected.create(order) for order in orders))
    assert len({one.external_id for one in made}) == 5
    assert len({one["customer"]["id"] for one in await connected.invoices()}) == 1


async def test_customer_carries_name_and_platform_identity(connected: Shop) -> None:
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", handle="@maya.k", display_name="Maya K")
    await connected.create(connected.order(buyer=buyer))
    (invoice,) = await connected.invoices()
    customer = invoice["customer"]
    assert (customer["name"], customer["email"]) == ("Maya K", None)
    assert customer["metadata"]["platform"] == "tiktok"
    assert customer["metadata"]["platform_user_id"] == "u-1"


async def test_email_makes_an_invoice_that_stripe_mails(connected: Shop) -> None:
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="maya@example.com")
    made = await connected.create(connected.order(buyer=buyer))
    assert made.emailed_by_provider
    (invoice,) = await connected.invoices()
    assert invoice["collection_method"] == "send_invoice"
    assert invoice["customer"]["email"] == "maya@example.com"


async def test_buyer_whose_address_was_refused_is_invoiced_once_it_is_right(connected: Shop) -> None:
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="maya@gmail..com")
    order = connected.order(buyer=buyer)
    for order.attempt in (1, 2):
        with pytest.raises(RemoteError, match=r"rejected the e-mail address “maya@gmail\.\.com”"):
            await connected.create(order)
    order.buyer.email, order.attempt = "maya@gmail.com", 3
    made = await connected.create(order)
    assert made.mailed_to == "maya@gmail.com"
    assert (await connected.create(order)).external_id == made.external_id
    assert (await connected.calls())["customers.create"] == 1


async def test_email_that_becomes_known_reaches_the_customer(connected: Shop) -> None:
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1")
    await connected.create(connected.order(buyer=buyer))
    buyer.email = "maya@example.com"
    made = await connected.create(connected.order(buyer=buyer))
    assert made.emailed_by_provider
    assert {one["customer"]["email"] for one in await connected.invoices()} == {"maya@example.com"}


async def test_address_that_the_customer_lost_meanwhile_is_told_again(connected: Shop) -> None:
    """A draft has the address of its customer until it is finalized, whoever gave it."""
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="maya@example.com")
    draft = await connected.create(connected.order(buyer=buyer, keep_draft=True))
    (invoice,) = await connected.invoices()
    other = {"email": "other@example.com"}
    await connected.stripe("POST", f"/v1/customers/{invoice['customer']['id']}", other)
    late = await connected.caller.finalize(connected.who, connected.account.id, draft, draft.total)
    assert late.mailed_to == "other@example.com", "whoever sends it is told"
    (edited,) = [await connected.create(connected.order(buyer=buyer, keep_draft=True))]
    await connected.stripe("POST", f"/v1/customers/{invoice['customer']['id']}", other)
    brought = await connected.caller.update_draft(connected.who, connected.account.id, edited, [line()], buyer=buyer)
    assert (brought.status, brought.mailed_to) == (pb.PROVIDER_INVOICE_STATUS_OPEN, "maya@example.com")
    await connected.stripe("POST", f"/v1/customers/{invoice['customer']['id']}", other)
    before = await connected.calls()
    made = await connected.create(connected.order(buyer=buyer))
    again = await connected.create(connected.order(buyer=buyer))
    assert [made.mailed_to, again.mailed_to] == ["maya@example.com"] * 2
    assert (await connected.calls())["customers.update"] == before["customers.update"] + 1


@pytest.mark.parametrize("lost", ["before", "meanwhile"])
async def test_buyer_whose_customer_lost_its_address_is_not_locked_out(connected: Shop, lost: str) -> None:
    """Somebody emptied it at Stripe, which takes no invoice to be mailed then."""
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="maya@example.com")
    await connected.create(connected.order(buyer=buyer))
    order = connected.order(buyer=buyer, keep_draft=lost == "meanwhile")
    if lost == "meanwhile":
        await connected.create(order)
    customer = (await connected.invoices())[0]["customer"]["id"]
    await connected.stripe("POST", f"/v1/customers/{customer}", {"email": ""})
    if lost == "before":
        with pytest.raises(RemoteError, match="Missing email"):
            await connected.create(order)
    order.attempt, order.keep_draft = 2, False
    made = await connected.create(order)
    assert (made.status, made.mailed_to) == (pb.PROVIDER_INVOICE_STATUS_OPEN, "maya@example.com")


async def test_kept_draft_is_not_finalized(connected: Shop) -> None:
    unpriced = line(3, None)
    made = await connected.create(connected.order(unpriced, line(), keep_draft=True))
    assert (made.status, made.total) == (pb.PROVIDER_INVOICE_STATUS_DRAFT, 500)
    assert made.lines[0].description == "3 × 85123A WHITE HANGING HEART (no price yet)"
    assert not made.external_url


async def test_more_lines_than_stripe_takes_are_one_invoice(connected: Shop) -> None:
    lines = [line(1, 100 + number, f"ITEM {number}") for number in range(400)]
    made = await connected.create(connected.order(*lines))
    (invoice,) = await connected.invoices()
    assert made.total == sum(one.amount for one in lines)
    assert len(invoice["lines"]["data"]) == 250
    assert invoice["lines"]["data"][-1]["description"] == "151 further items"


async def test_memo_names_the_show(connected: Shop) -> None:
    await connected.create(connected.order())
    (invoice,) = await connected.invoices()
    assert invoice["description"] == "Friday live, 2010-12-01"


async def test_total_that_is_not_the_sum_is_refused(connected: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await connected.create(connected.order(total=1))
    assert refused.value.kind is Kind.INVALID
    assert [fault.field for fault in refused.value.faults] == ["total"]
    assert await connected.invoices() == []


async def test_draft_edited_at_stripe_is_not_finalized(connected: Shop) -> None:
    order = connected.order(keep_draft=True)
    made = await connected.create(order)
    await connected.edit_at_stripe(made.external_id, 1)
    order.keep_draft, order.attempt = False, 2
    with pytest.raises(RemoteError) as refused:
        await connected.create(order)
    assert refused.value.reason == "TOTAL_MISMATCH"
    assert refused.value.details["external_id"] == made.external_id
    assert [one["status"] for one in await connected.invoices()] == ["draft"]


async def test_buyer_refused_by_stripe_gets_a_sentence(connected: Shop) -> None:
    message = "This customer is on hold."
    await connected.fault("invoices.create", "error", status=400, error={"message": message}, times=None)
    with pytest.raises(RemoteError) as refused:
        await connected.create(connected.order())
    assert refused.value.reason == "PROVIDER_REFUSED"
    assert refused.value.message == f"Stripe refused: {message}"
    assert refused.value.details["request_id"].startswith("req_")


async def test_operators_retry_after_a_refusal_succeeds(connected: Shop) -> None:
    order = connected.order()
    await connected.fault("invoices.create", "error", status=400)
    with pytest.raises(RemoteError):
        await connected.create(order)
    order.attempt = 2
    assert (await connected.create(order)).status == pb.PROVIDER_INVOICE_STATUS_OPEN
    assert len(await connected.invoices()) == 1


async def test_order_of_another_account_is_refused(connected: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await connected.create(connected.order(account_id="acct_other"))
    assert refused.value.reason == "ACCOUNT_CHANGED"
    with pytest.raises(RemoteError) as refused:
        await connected.create(connected.order(livemode=True))
    assert refused.value.reason == "ACCOUNT_CHANGED"
    assert await connected.invoices() == []


async def test_workspace_without_a_connection_is_told(shop: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.create(shop.order())
    assert (refused.value.kind, refused.value.reason) == (Kind.FAILED_PRECONDITION, "NOT_CONNECTED")


async def test_revoked_key_breaks_the_connection_once(connected: Shop) -> None:
    await connected.sandbox.revoke(connected.account.sk_test)
    with pytest.raises(RemoteError) as first:
        await connected.create(connected.order())
    with pytest.raises(RemoteError) as second:
        await connected.create(connected.order())
    assert first.value.reason == second.value.reason == "CREDENTIALS_REJECTED"
    integration = (await connected.caller.get(connected.who)).integration
    assert integration.status == pb.INTEGRATION_STATUS_NEEDS_RECONNECT
    assert integration.status_reason == second.value.message, "known to be dead: the key is not tried again"


async def test_customer_deleted_at_stripe_is_made_again(connected: Shop) -> None:
    missing = {"code": "resource_missing", "param": "customer", "message": "No such customer"}
    await connected.create(connected.order(buyer="maya"))
    await connected.fault("invoices.create", "error", status=400, error=missing)
    order = connected.order(buyer="maya")
    with pytest.raises(RemoteError) as refused:
        await connected.create(order)
    assert refused.value.reason == "PROVIDER_REFUSED"
    order.attempt = 2
    await connected.create(order)
    assert len({one["customer"]["id"] for one in await connected.invoices()}) == 2


async def test_customer_that_was_deleted_is_made_again_where_an_address_became_known(connected: Shop) -> None:
    missing = {"code": "resource_missing", "param": "id", "message": "No such customer: 'cus_1'"}
    await connected.create(connected.order(buyer="maya"))
    await connected.fault("customers.update", "error", status=404, error=missing)
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="maya", email="maya@example.com")
    await connected.create(connected.order(buyer=buyer))
    newest = (await connected.invoices())[-1]["customer"]
    assert newest["email"] == "maya@example.com"
    assert len({one["customer"]["id"] for one in await connected.invoices()}) == 2


async def test_invoices_made_here_are_listed_by_pages(connected: Shop) -> None:
    made = {(await connected.create(connected.order())).external_id for _ in range(3)}
    found, token = set(), ""
    while True:
        page = await connected.caller.list_invoices(connected.who, connected.account.id, 2, token)
        found |= {one.external_id for one in page.invoices}
        token = page.next_page_token
        if not token:
            break
    assert found == made


async def test_read_invoice_says_that_it_was_paid(connected: Shop) -> None:
    made = await connected.create(connected.order())
    await connected.sandbox.pay(made.external_id)
    read = await connected.caller.read(connected.who, connected.account.id, made.external_id)
    assert (read.status, read.amount_paid) == (pb.PROVIDER_INVOICE_STATUS_PAID, made.total)
    assert read.HasField("paid_time")


async def test_draft_deleted_at_stripe_reads_as_deleted(connected: Shop) -> None:
    made = await connected.create(connected.order(keep_draft=True))
    await connected.sandbox.rest.call("POST", f"/_sandbox/invoices/{made.external_id}/delete")
    read = await connected.caller.read(connected.who, connected.account.id, made.external_id)
    assert read.status == pb.PROVIDER_INVOICE_STATUS_DELETED


async def test_voiding_ends_open_invoices_and_drafts(connected: Shop) -> None:
    opened, draft = connected.order(), connected.order(keep_draft=True)
    for order, expected in (
        (opened, pb.PROVIDER_INVOICE_STATUS_VOID),
        (draft, pb.PROVIDER_INVOICE_STATUS_DELETED),
    ):
        made = await connected.create(order)
        for _ in range(2):
            done = await connected.caller.void(connected.who, connected.account.id, made)
            assert done.status == expected


async def test_kept_draft_is_finalized_when_its_total_is_ours(connected: Shop) -> None:
    made = await connected.create(connected.order(keep_draft=True))
    with pytest.raises(RemoteError) as refused:
        await connected.caller.finalize(connected.who, connected.account.id, made, made.total + 1)
    assert refused.value.reason == "TOTAL_MISMATCH"
    for _ in range(2):
        done = await connected.caller.finalize(connected.who, connected.account.id, made, made.total)
        assert done.status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_each_sending_mails_once_and_warns_in_test_mode(connected: Shop) -> None:
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="maya@example.com")
    made = await connected.create(connected.order(buyer=buyer))
    for delivery in (first := new_id(), first, new_id()):
        sent = await connected.caller.send(connected.who, connected.account.id, made, delivery)
        assert "test mode" in sent.warning
    calls = await connected.sandbox.calls(connected.account.id)
    assert calls["invoices.send"]["calls"] - calls["invoices.send"]["replayed"] == 2


async def test_sending_without_an_address_is_refused(connected: Shop) -> None:
    made = await connected.create(connected.order())
    with pytest.raises(RemoteError) as refused:
        await connected.caller.send(connected.who, connected.account.id, made, new_id())
    assert refused.value.reason == "PROVIDER_REFUSED"
