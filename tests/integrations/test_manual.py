"""The manual provider through the same rpcs as any other."""

import pytest

from services.common.context import Identity
from services.common.ids import new_id
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.caller import PATIENCE, Caller
from tests.integrations.shop import Shop, line

HOW = "Transfer to NL00 BANK 0123 4567 89."


@pytest.fixture
async def who(caller: Caller) -> Identity:
    """A workspace that takes payments by hand."""
    who = Identity(new_id(), "user:1")
    await caller.connect(who, {}, "manual")
    await caller.set(who, "manual", payment_instructions=HOW)
    return who


def order(invoice_id: str) -> pb.CreateInvoiceRequest:
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u")
    return pb.CreateInvoiceRequest(
        provider="manual",
        invoice_id=invoice_id,
        revision=1,
        attempt=1,
        account_id="manual",
        livemode=True,
        buyer=buyer,
        currency="GBP",
        lines=[line()],
        total=500,
    )


def named(made: pb.ProviderInvoice) -> dict[str, object]:
    return {
        "provider": "manual",
        "external_id": made.external_id,
        "invoice_id": made.invoice_id,
        "revision": made.revision,
        "account_id": "manual",
        "livemode": True,
    }


async def test_connection_is_live_without_keys(caller: Caller, who: Identity) -> None:
    found = (await caller.listed(who))["manual"]
    assert (found.connected, found.entry.availability) == (True, pb.AVAILABILITY_AVAILABLE)
    assert found.integration.status == pb.INTEGRATION_STATUS_ACTIVE
    request = pb.TestIntegrationRequest(provider="manual")
    health = await caller.gateway.call(caller.integrations.TestIntegration, request, who)
    assert (health.healthy, health.update_mode) == (True, pb.UPDATE_MODE_LIVE)


async def test_invoice_carries_the_instructions_of_its_day(caller: Caller, who: Identity) -> None:
    first = await caller.create(who, order(new_id()))
    assert (first.status, first.external_url, first.payment_instructions) == (
        *(pb.PROVIDER_INVOICE_STATUS_OPEN, "", HOW),
    )
    await caller.set(who, "manual", payment_instructions="Cash only.")
    request = pb.GetInvoiceRequest(provider="manual", external_id=first.external_id, account_id="manual", livemode=True)
    again = await caller.invoicing.call(caller.invoices.GetInvoice, request, who)
    assert again.invoice.payment_instructions == HOW
    assert (await caller.create(who, order(new_id()))).payment_instructions == "Cash only."


async def test_invoice_is_marked_paid_by_hand(caller: Caller, who: Identity) -> None:
    made = await caller.create(who, order(new_id()))
    request = pb.MarkPaidRequest(**named(made))  # type: ignore[arg-type]  # the fields of every request on an invoice
    paid = (await caller.invoicing.call(caller.invoices.MarkPaid, request, who, timeout=PATIENCE)).invoice
    assert (paid.status, paid.amount_paid) == (pb.PROVIDER_INVOICE_STATUS_PAID, 500)


async def test_sending_is_refused_with_a_sentence(caller: Caller, who: Identity) -> None:
    made = await caller.create(who, order(new_id()))
    request = pb.SendInvoiceRequest(**named(made), delivery_id=new_id())  # type: ignore[arg-type]  # likewise
    with pytest.raises(RemoteError, match=r"^Nobody e-mails invoices that are paid by hand\."):
        await caller.invoicing.call(caller.invoices.SendInvoice, request, who)


async def test_two_workspaces_keep_their_invoices_apart(caller: Caller, who: Identity) -> None:
    made = await caller.create(who, order(new_id()))
    other = Identity(new_id(), "user:2")
    await caller.connect(other, {}, "manual")
    request = pb.GetInvoiceRequest(provider="manual", external_id=made.external_id, account_id="manual", livemode=True)
    found = (await caller.invoicing.call(caller.invoices.GetInvoice, request, other)).invoice
    assert found.status == pb.PROVIDER_INVOICE_STATUS_DELETED
    listing = pb.ListInvoicesRequest(provider="manual", account_id="manual", livemode=True)
    assert not (await caller.invoicing.call(caller.invoices.ListInvoices, listing, other)).invoices


async def test_both_providers_stand_side_by_side(connected: Shop) -> None:
    await connected.caller.connect(connected.who, {}, "manual")
    listed = await connected.caller.listed(connected.who)
    assert {name for name, one in listed.items() if one.connected} == {"stripe", "manual"}
    assert (await connected.create(connected.order())).status == pb.PROVIDER_INVOICE_STATUS_OPEN


async def test_stripe_invoice_paid_elsewhere_is_marked_there(connected: Shop) -> None:
    made = await connected.create(connected.order())
    request = pb.MarkPaidRequest(
        provider="stripe",
        external_id=made.external_id,
        invoice_id=made.invoice_id,
        revision=1,
        account_id=connected.account.id,
    )
    paid = await connected.caller.invoicing.call(connected.caller.invoices.MarkPaid, request, connected.who)
    assert paid.invoice.status == pb.PROVIDER_INVOICE_STATUS_PAID
    (invoice,) = await connected.invoices()
    assert invoice["status"] == "paid"
