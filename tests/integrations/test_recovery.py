"""Whatever is cut off at whatever step, and whoever takes it up again: one invoice, one customer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.common.db import Connection
from services.common.errors import Kind
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.stack import Stack
from tests.integrations.shop import Shop, line

STEPS = ("customers.create", "invoices.create", "invoices.add_lines", "invoices.finalize")
OPEN = pb.PROVIDER_INVOICE_STATUS_OPEN
CUT: dict[str, Any] = {"effect": "cut"}
FAULT: dict[str, Any] = {"effect": "error", "status": 500}


@pytest.fixture
async def rows(stack: Stack) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(stack.databases["integrations"])
    yield connection
    await connection.close()


async def one_open_invoice(shop: Shop, order: pb.CreateInvoiceRequest) -> None:
    (invoice,) = await shop.invoices()
    assert (invoice["status"], invoice["total"]) == ("open", order.total)
    customers = await shop.sandbox.rest.call("GET", f"/_sandbox/accounts/{shop.account.id}/customers")
    assert len(customers["customers"]) == 1


async def unsure(shop: Shop, order: pb.CreateInvoiceRequest) -> None:
    with pytest.raises(RemoteError) as failed:
        await shop.create(order)
    assert (failed.value.kind, failed.value.reason) == (Kind.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert failed.value.retry_after


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [CUT, FAULT], ids=["cut", "fault"])
@pytest.mark.parametrize("step", STEPS)
async def test_failed_step_is_taken_up_again(connected: Shop, step: str, fault: dict[str, Any], when: str) -> None:
    order = connected.order()
    await connected.fault(step, when=when, **fault)
    await unsure(connected, order)
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_settled_after_a_fault_it_stays_settled(connected: Shop, step: str, when: str) -> None:
    """A worker that lost its answer after the recovery walks the same chain of keys to the same invoice."""
    order = connected.order()
    await connected.fault(step, when=when, **FAULT)
    await unsure(connected, order)
    first = await connected.create(order)
    assert await connected.create(order) == first
    await one_open_invoice(connected, order)


@pytest.mark.parametrize("step", STEPS)
async def test_faults_in_a_row_end_in_one_invoice(connected: Shop, step: str) -> None:
    """However many: a worker tries ten times and more before it gives up."""
    order = connected.order()
    await connected.fault(step, times=8, **FAULT)
    for _ in range(8):
        await unsure(connected, order)
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


@pytest.mark.parametrize("step", STEPS)
async def test_too_many_requests_is_waited_out(connected: Shop, step: str) -> None:
    order = connected.order()
    await connected.fault(step, "error", status=429)
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


@pytest.mark.parametrize("step", STEPS)
async def test_lasting_too_many_requests_is_said(connected: Shop, step: str) -> None:
    order = connected.order()
    fault = await connected.fault(step, "error", status=429, times=None)
    with pytest.raises(RemoteError) as refused:
        await connected.create(order)
    assert (refused.value.kind, refused.value.reason) == (Kind.RATE_LIMITED, "RATE_LIMITED")
    assert refused.value.retry_after
    await connected.sandbox.remove_fault(fault)
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


@pytest.mark.parametrize("left_at", ["invoices.create", "invoices.add_lines", "invoices.finalize"])
async def test_past_the_window_invoice_is_found_not_made(connected: Shop, left_at: str) -> None:
    order = connected.order()
    await connected.fault(left_at, "cut", "after")
    await unsure(connected, order)
    before = await connected.calls()
    order.first_attempt_time.FromDatetime(datetime.now(UTC) - timedelta(hours=25))
    assert (await connected.create(order)).status == OPEN
    assert (await connected.calls())["invoices.create"] == before["invoices.create"]
    assert (await connected.calls())["invoices.list"] == 1
    await one_open_invoice(connected, order)


@pytest.mark.parametrize("left_at", ["invoices.create", "invoices.add_lines", "invoices.finalize"])
async def test_operators_retry_adopts_what_was_left(connected: Shop, left_at: str) -> None:
    order = connected.order()
    await connected.fault(left_at, "cut", "after")
    await unsure(connected, order)
    order.attempt = 2
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


async def test_retry_of_what_was_voided_makes_another_whatever_fails(connected: Shop) -> None:
    order = connected.order()
    left = await connected.create(order)
    await connected.caller.void(connected.who, connected.account.id, left)
    order.attempt = 2
    await connected.fault("invoices.create", **FAULT)
    await unsure(connected, order)
    made = await connected.create(order)
    assert (made.status, (await connected.create(order)).external_id) == (OPEN, made.external_id)
    assert sorted(one["status"] for one in await connected.invoices()) == ["open", "void"]


async def test_draft_that_was_deleted_is_made_again(connected: Shop) -> None:
    order = connected.order()
    await connected.fault("invoices.add_lines", "cut")
    await unsure(connected, order)
    (draft,) = await connected.invoices()
    await connected.sandbox.rest.call("POST", f"/_sandbox/invoices/{draft['id']}/delete")
    with pytest.raises(RemoteError) as refused:
        await connected.create(order)
    assert refused.value.reason == "PROVIDER_REFUSED"
    assert "deleted in Stripe" in refused.value.message
    order.attempt = 2
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


async def test_draft_finalized_by_hand_is_taken_as_it_is(connected: Shop) -> None:
    order = connected.order()
    await connected.fault("invoices.finalize", "cut")
    await unsure(connected, order)
    (draft,) = await connected.invoices()
    await connected.sandbox.rest.call("POST", f"/_sandbox/invoices/{draft['id']}/finalize")
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


async def test_lookup_that_fails_is_not_taken_for_absence(connected: Shop) -> None:
    order = connected.order()
    await connected.fault("invoices.create", when="after", **FAULT)
    await connected.fault("invoices.list", **FAULT)
    for _ in range(2):
        await unsure(connected, order)
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


async def test_changed_content_under_a_spent_key_is_looked_up(connected: Shop) -> None:
    """A memo or a due date that the operator changed between two tries must not make a second invoice."""
    order = connected.order()
    await connected.fault("invoices.finalize", "cut")
    await unsure(connected, order)
    order.show_name = "Renamed"
    assert (await connected.create(order)).status == OPEN
    await one_open_invoice(connected, order)


async def test_changed_lines_under_a_spent_key_stop(connected: Shop) -> None:
    order = connected.order()
    await connected.fault("invoices.finalize", "cut")
    await unsure(connected, order)
    changed = connected.order(line(5), invoice_id=order.invoice_id, buyer=order.buyer)
    with pytest.raises(RemoteError) as refused:
        await connected.create(changed)
    assert refused.value.reason == "TOTAL_MISMATCH"
    assert "delete the draft in Stripe, then retry." in refused.value.message
    (draft,) = await connected.invoices()
    assert draft["status"] == "draft"
    await connected.sandbox.rest.call("POST", f"/_sandbox/invoices/{draft['id']}/delete")
    changed.attempt = 2
    assert (await connected.create(changed)).status == OPEN
    await one_open_invoice(connected, changed)


@pytest.mark.parametrize("meanwhile", ["DELETE FROM customers", "UPDATE customers SET customer_id = 'cus_other'"])
async def test_no_invoice_is_made_for_a_customer_that_the_book_does_not_have(
    connected: Shop, rows: Connection, meanwhile: str
) -> None:
    """It was dropped, or another process was quicker with another one: nobody would find the invoice again."""
    hold = await connected.fault("customers.create", "hold", "after")
    order = connected.order()
    late = asyncio.create_task(connected.create(order))
    await connected.sandbox.held(hold)
    await rows.execute(f"{meanwhile} WHERE workspace_id = $1", connected.who.workspace_id)
    await connected.sandbox.release(hold)
    with pytest.raises(RemoteError, match="customer in Stripe was changed a moment before") as failed:
        await late
    assert failed.value.reason == "PROVIDER_UNAVAILABLE"
    assert await connected.invoices() == []


@pytest.mark.parametrize("told_by", ["another show", "its own next try", "its own next attempt"])
async def test_what_was_left_is_found_though_its_customer_was_deleted_since(connected: Shop, told_by: str) -> None:
    """Else the next customer would be billed for the same, beside an invoice that can still be paid."""
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="maya@example.com")
    order = connected.order(buyer=buyer)
    await connected.fault("invoices.finalize", "cut", "after")
    await unsure(connected, order)
    (left,) = await connected.invoices()
    missing = {"code": "resource_missing", "param": "id", "message": "No such customer: 'cus_1'"}
    await connected.fault("customers.update", "error", status=404, error=missing)
    corrected = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="corrected@example.com")
    if told_by == "another show":
        await connected.create(connected.order(buyer=corrected))
    order.attempt = 1 if told_by == "its own next try" else 2
    order.buyer.CopyFrom(corrected)
    made = await connected.create(order)
    assert (made.status, made.external_id) == (OPEN, left["id"])
    again = await connected.caller.find(connected.who, order)
    assert again
    assert again.external_id == left["id"]
    assert len(await connected.invoices()) == (2 if told_by == "another show" else 1)
    assert len({one["customer"]["id"] for one in await connected.invoices()}) == len(await connected.invoices())


@pytest.mark.parametrize("left_at", ["invoices.create", "invoices.add_lines"])
@pytest.mark.parametrize("attempt", [1, 2])
async def test_draft_of_a_customer_that_was_deleted_since_is_replaced(
    connected: Shop, left_at: str, attempt: int
) -> None:
    """Stripe finalizes nothing for that one any more."""
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u-1", email="maya@example.com")
    order = connected.order(buyer=buyer)
    await connected.fault(left_at, "cut", "after")
    await unsure(connected, order)
    missing = {"code": "resource_missing", "param": "id", "message": "No such customer: 'cus_1'"}
    await connected.fault("customers.update", "error", status=404, error=missing)
    order.attempt, order.buyer.email = attempt, "corrected@example.com"
    made = await connected.create(order)
    assert (made.status, made.mailed_to) == (OPEN, "corrected@example.com")
    assert (await connected.create(order)).external_id == made.external_id
    (invoice,) = await connected.invoices()
    assert invoice["customer"]["email"] == "corrected@example.com"


@pytest.mark.parametrize("refusal", [{"status": 400}, {"status": 404}], ids=["400", "404"])
async def test_buyer_of_a_customer_that_was_never_there_is_not_locked_out(
    connected: Shop, rows: Connection, refusal: dict[str, Any]
) -> None:
    """As once an account's test data are deleted: then its invoices are gone as well."""
    order = connected.order(buyer="maya")
    await connected.fault("invoices.create", "error", status=400)
    with pytest.raises(RemoteError):
        await connected.create(order)
    missing = {"code": "resource_missing", "param": "customer", "message": "No such customer: 'cus_wiped'"}

    async def wipe() -> str:
        wiped = "UPDATE customers SET customer_id = 'cus_wiped' WHERE workspace_id = $1"
        assert await rows.execute(wiped, connected.who.workspace_id) == "UPDATE 1"
        return await connected.fault("invoices.list", "error", error=missing, times=None, **refusal)

    fault = await wipe()
    order.attempt = 2
    with pytest.raises(RemoteError, match="Retry, and a new one is created"):
        await connected.create(order)
    await connected.sandbox.remove_fault(fault)
    order.attempt = 3
    assert (await connected.create(order)).status == OPEN
    await wipe()
    assert await connected.caller.find(connected.who, order) is None, "hence it can be voided here"


async def test_customer_that_stripe_still_knows_proves_nothing_when_its_list_is_refused(connected: Shop) -> None:
    """One that was deleted there may have left invoices that can be paid."""
    order = connected.order(buyer="maya")
    await connected.create(order)
    missing = {"code": "resource_missing", "param": "customer", "message": "No such customer"}
    await connected.fault("invoices.list", "error", status=400, error=missing, times=None)
    order.attempt = 2
    for call in (connected.create(order), connected.caller.find(connected.who, order)):
        with pytest.raises(RemoteError, match="customer was deleted in Stripe"):
            await call
    await one_open_invoice(connected, order)


async def test_customer_lost_past_the_window_is_found_by_its_mark(connected: Shop, rows: Connection) -> None:
    await connected.create(connected.order(buyer="maya"))
    await rows.execute(
        "UPDATE customers SET customer_id = NULL, create_time = now() - interval '24 hours' WHERE workspace_id = $1",
        connected.who.workspace_id,
    )
    await connected.create(connected.order(buyer="maya"))
    assert (await connected.calls())["customers.list"] == 1
    assert len({one["customer"]["id"] for one in await connected.invoices()}) == 1
