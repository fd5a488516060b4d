"""Voiding, marking as paid, finalizing and editing at Stripe: whatever is cut off, asking again finishes it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.shop import Shop, line

DRAFT, OPEN = pb.PROVIDER_INVOICE_STATUS_DRAFT, pb.PROVIDER_INVOICE_STATUS_OPEN
PAID, VOID = pb.PROVIDER_INVOICE_STATUS_PAID, pb.PROVIDER_INVOICE_STATUS_VOID
DELETED = pb.PROVIDER_INVOICE_STATUS_DELETED
Verb = Callable[[Shop, pb.ProviderInvoice], Coroutine[Any, Any, pb.ProviderInvoice]]


async def void(shop: Shop, made: pb.ProviderInvoice) -> pb.ProviderInvoice:
    return await shop.caller.void(shop.who, shop.account.id, made)


async def mark_paid(shop: Shop, made: pb.ProviderInvoice) -> pb.ProviderInvoice:
    return await shop.caller.mark_paid(shop.who, shop.account.id, made)


async def finalize(shop: Shop, made: pb.ProviderInvoice) -> pb.ProviderInvoice:
    return await shop.caller.finalize(shop.who, shop.account.id, made, made.total)


async def price(shop: Shop, made: pb.ProviderInvoice) -> pb.ProviderInvoice:
    """Other lines than it was made with, and finalized."""
    return await shop.caller.update_draft(shop.who, shop.account.id, made, [line(3, 999), line(1, 50, "POSTAGE")])


STEPS: list[tuple[str, bool, Verb, Any]] = [
    ("invoices.void", False, void, VOID),
    ("invoices.delete", True, void, DELETED),
    ("invoices.pay", False, mark_paid, PAID),
    ("invoices.finalize", True, finalize, OPEN),
    ("invoices.remove_lines", True, price, OPEN),
    ("invoices.add_lines", True, price, OPEN),
    ("invoices.finalize", True, price, OPEN),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [{"effect": "cut"}, {"effect": "error", "status": 500}], ids=["cut", "fault"])
@pytest.mark.parametrize(("step", "is_draft", "verb", "end"), STEPS, ids=lambda one: getattr(one, "__name__", one))
async def test_failed_verb_is_brought_to_its_end(
    connected: Shop, step: str, is_draft: bool, verb: Verb, end: Any, fault: dict[str, Any], when: str
) -> None:
    made = await connected.create(connected.order(keep_draft=is_draft))
    await connected.fault(step, when=when, **fault)
    if (step, fault["effect"]) != ("invoices.delete", "cut"):  # a cut deletion is asked for again by the transport
        with pytest.raises(RemoteError) as unsure:
            await verb(connected, made)
        assert (unsure.value.kind, unsure.value.reason) == (Kind.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    done = await verb(connected, made)
    assert (done.external_id, done.status) == (made.external_id, end)
    assert (await verb(connected, made)).status == end
    if verb is price:
        (invoice,) = await connected.invoices()
        assert [one["amount"] for one in invoice["lines"]["data"]] == [2997, 50]
        assert done.total == 3047


@pytest.mark.parametrize(
    ("verb", "step", "end"),
    [(void, "void", VOID), (mark_paid, "pay", PAID), (price, "remove_lines", OPEN), (price, "add_lines", OPEN)],
)
async def test_refusal_of_today_is_not_kept_against_tomorrow(connected: Shop, verb: Verb, step: str, end: Any) -> None:
    """Stripe saves a refusal under its key as well. A draft that was left empty by one is filled by the next try."""
    made = await connected.create(connected.order(keep_draft=verb is price))
    await connected.fault(f"invoices.{step}", "error", status=400, error={"message": "Not now."})
    with pytest.raises(RemoteError, match="Not now"):
        await verb(connected, made)
    if step == "add_lines":
        assert (await connected.invoices())[0]["lines"]["data"] == []
    assert (await verb(connected, made)).status == end
    if verb is price:
        assert [one["amount"] for one in (await connected.invoices())[0]["lines"]["data"]] == [2997, 50]


async def test_edit_whose_answer_got_lost_is_told_from_one_that_came_too_late(connected: Shop) -> None:
    """By the lines, of which an invoice shows the first few only: the total may be the same."""
    before, now = ([line(1, 100 + number, f"{name} {number}") for number in range(15)] for name in ("OLD", "NEW"))
    late = await connected.create(connected.order(*before, keep_draft=True))
    await connected.stripe("POST", f"/v1/invoices/{late.external_id}/finalize")
    lost = await connected.create(connected.order(*before, keep_draft=True))
    await connected.fault("invoices.finalize", "cut", "after")
    with pytest.raises(RemoteError):
        await connected.caller.edit(connected.who, connected.account.id, lost, now)
    told = [await connected.caller.edit(connected.who, connected.account.id, one, now) for one in (late, lost)]
    assert [(one.invoice.status, one.invoice.total) for one in told] == [(OPEN, late.total)] * 2
    assert [one.other_lines for one in told] == [True, False]


@pytest.mark.parametrize("settled", [PAID, VOID])
async def test_settled_a_moment_before_is_answered_as_it_is(connected: Shop, settled: Any) -> None:
    made = await connected.create(connected.order())
    verb, other, step = (mark_paid, void, "void") if settled == PAID else (void, mark_paid, "pay")
    hold = await connected.fault(f"invoices.{step}", "hold")
    late = asyncio.create_task(other(connected, made))
    await connected.sandbox.held(hold)
    await verb(connected, made)
    await connected.sandbox.release(hold)
    assert (await late).status == settled


async def test_mark_says_whether_it_was_paid_before_and_how(connected: Shop) -> None:
    """Though the answer to the mark got lost, or the buyer was quicker; how, where the key may ask."""

    async def mark(made: pb.ProviderInvoice) -> tuple[Any, bool, bool | None]:
        answer = await connected.caller.mark(connected.who, connected.account.id, made)
        outside = answer.paid_outside if answer.HasField("paid_outside") else None
        return answer.invoice.status, answer.paid_before, outside

    made = [await connected.create(connected.order()) for _ in range(6)]
    lost, marked, by_buyer, unsaid, meanwhile, unanswered = made
    assert await mark(marked) == (PAID, False, None)
    await connected.fault("invoices.pay", "cut", when="after")
    with pytest.raises(RemoteError):
        await mark(lost)
    assert await mark(lost) == await mark(marked) == (PAID, True, True)
    for one in (by_buyer, unsaid, unanswered):
        await connected.sandbox.pay(one.external_id)
    assert await mark(by_buyer) == (PAID, True, False)
    hold = await connected.fault("invoices.pay", "hold")
    late = asyncio.create_task(mark(meanwhile))
    await connected.sandbox.held(hold)
    await connected.sandbox.pay(meanwhile.external_id)
    await connected.sandbox.release(hold)
    assert await late == (PAID, True, False)
    await connected.fault("invoices.retrieve", "error", status=403, skip=1, error={"message": "It may not."})
    assert await mark(unsaid) == (PAID, True, None)
    await connected.fault("invoices.retrieve", "error", status=500, skip=1)
    with pytest.raises(RemoteError) as unsure:
        await mark(unanswered)
    assert unsure.value.reason == "PROVIDER_UNAVAILABLE", "which is no answer, and will be one"
    assert await mark(unanswered) == (PAID, True, False)


async def test_invoice_of_another_total_is_not_marked(connected: Shop) -> None:
    made = await connected.create(connected.order())
    expected = pb.ProviderInvoice(external_id=made.external_id, invoice_id=made.invoice_id, revision=made.revision)
    expected.total, expected.currency = made.total + 1, made.currency
    with pytest.raises(RemoteError, match="has another total than ours, so it was not marked as paid") as told:
        await mark_paid(connected, expected)
    assert told.value.reason == "TOTAL_MISMATCH"
    assert [one["status"] for one in await connected.invoices()] == ["open"]
    assert (await mark_paid(connected, made)).status == PAID


async def test_draft_finalized_meanwhile_is_voided_all_the_same(connected: Shop) -> None:
    made = await connected.create(connected.order(keep_draft=True))
    hold = await connected.fault("invoices.delete", "hold")
    late = asyncio.create_task(void(connected, made))
    await connected.sandbox.held(hold)
    await finalize(connected, made)
    await connected.sandbox.release(hold)
    assert (await late).status == VOID


async def test_draft_finalized_meanwhile_is_not_edited(connected: Shop) -> None:
    made = await connected.create(connected.order(keep_draft=True))
    hold = await connected.fault("invoices.remove_lines", "hold")
    late = asyncio.create_task(price(connected, made))
    await connected.sandbox.held(hold)
    await finalize(connected, made)
    await connected.sandbox.release(hold)
    seen = await late
    assert (seen.status, seen.total) == (OPEN, made.total)


async def test_draft_that_is_finalized_with_more_than_ours_is_told(connected: Shop) -> None:
    """Somebody adds a line between our last look and the finalizing."""
    made = await connected.create(connected.order(keep_draft=True))
    hold = await connected.fault("invoices.finalize", "hold")
    late = asyncio.create_task(price(connected, made))
    await connected.sandbox.held(hold)
    await connected.edit_at_stripe(made.external_id, 77)
    await connected.sandbox.release(hold)
    with pytest.raises(RemoteError, match="is final, with another total than ours") as told:
        await late
    assert told.value.reason == "TOTAL_MISMATCH"
    again = await price(connected, made)
    assert (again.status, again.total) == (OPEN, 3047 + 77), "it is answered as it is"


async def test_edit_takes_three_calls_and_none_for_what_stands(connected: Shop) -> None:
    made = await connected.create(connected.order(keep_draft=True))
    await connected.edit_at_stripe(made.external_id, 77)
    before = await connected.calls()
    lines = [line(1, 100 + number, f"ITEM {number}") for number in range(30)]
    for _ in range(2):
        done = await connected.caller.update_draft(connected.who, connected.account.id, made, lines, keep_draft=True)
        assert (done.status, done.total) == (DRAFT, sum(one.amount for one in lines))
    after = await connected.calls()
    made_calls = {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
    assert made_calls == {
        "invoices.retrieve": 2,
        "invoices.remove_lines": 1,
        "invoices.add_lines": 1,
        "invoices.lines.list": 1,  # the second time there are more than an invoice shows
    }


async def test_lines_that_come_back_never_meet_an_old_key(connected: Shop) -> None:
    made = await connected.create(connected.order(keep_draft=True))
    first, second = [line(1, 100)], [line(1, 200)]
    for lines in (first, second, first, second):
        done = await connected.caller.update_draft(connected.who, connected.account.id, made, lines, keep_draft=True)
        (invoice,) = await connected.invoices()
        assert [one["amount"] for one in invoice["lines"]["data"]] == [lines[0].amount] == [done.total]
    calls = await connected.sandbox.calls(connected.account.id)
    assert calls["invoices.add_lines"]["replayed"] == 0


async def test_lines_that_are_not_their_total_are_refused(connected: Shop) -> None:
    made = await connected.create(connected.order(keep_draft=True))
    with pytest.raises(RemoteError) as refused:
        await connected.caller.update_draft(connected.who, connected.account.id, made, [line()], total=1)
    assert refused.value.kind is Kind.INVALID
    assert [fault.field for fault in refused.value.faults] == ["total"]


async def test_cut_off_invoice_is_found_by_its_mark(connected: Shop) -> None:
    order = connected.order()
    assert await connected.caller.find(connected.who, order) is None
    await connected.fault("invoices.create", "cut", "after")
    with pytest.raises(RemoteError):
        await connected.create(order)
    found = await connected.caller.find(connected.who, order)
    assert found
    assert (found.status, found.invoice_id) == (DRAFT, order.invoice_id)
    assert [one["id"] for one in await connected.invoices()] == [found.external_id]


async def test_search_that_fails_is_not_taken_for_absence(connected: Shop) -> None:
    order = connected.order()
    await connected.create(order)
    await connected.fault("invoices.list", "error", status=500)
    with pytest.raises(RemoteError) as unsure:
        await connected.caller.find(connected.who, order)
    assert unsure.value.reason == "PROVIDER_UNAVAILABLE"
