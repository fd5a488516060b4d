"""A draft that is held back: priced, brought to the claims of now, finalized; the total is ours at every moment."""

import asyncio
from dataclasses import replace

import pytest

from services.common.errors import Kind
from services.invoicing import amending
from services.invoicing.domain.invoice import Invoice, Standing
from services.invoicing.ledger import Entry
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.events_seen import event
from tests.invoicing.fake_provider import Away, FakeProvider, Refused, sighting_of
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

DRAFT = pb.INVOICE_STATUS_DRAFT


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is in memory: once an answer is lost, nothing is under way there any more."""
    monkeypatch.setattr(amending, "SETTLING", 0.0)


@pytest.fixture
async def unpriced(caller: Caller) -> pb.Invoice:
    show_id = await caller.small_show(1, price=None)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    assert invoice.draft_reason == pb.DRAFT_REASON_NEEDS_PRICE
    return invoice


async def price(caller: Caller, invoice: pb.Invoice, amount: int | None) -> None:
    await caller.items(invoice.show_id, [pb.Item(item_number="0", title="Item 0", price=amount)])


async def test_priced_draft_is_finalized_at_its_new_total(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    assert not unpriced.priced_since
    await price(caller, unpriced, 1500)
    assert [one.priced_since for one in await caller.listed(unpriced.show_id)] == [True]
    done = await caller.finalize(unpriced)
    assert not (await caller.invoice(unpriced)).priced_since
    assert (done.status, done.draft_reason, done.total, done.unpriced_count) == (DRAFT, 0, 1500, 0)
    assert (done.external_url != "", done.adjusted_at_provider) == (True, False)
    assert [line.amount for line in (await caller.invoice(unpriced)).lines] == [1500]
    assert provider.made[unpriced.id].total == 1500
    (entry,) = (await caller.plan(unpriced.show_id)).entries
    assert entry.action == pb.PLAN_ACTION_UNCHANGED
    asked, brought, finalized = (await caller.history(unpriced))[-3:]
    assert (asked.reason, asked.actor) == ("Finalizing it was asked for.", "user:test")
    assert brought.reason.endswith("the total was £0.00, now it is £15.00.")
    assert (finalized.reason, finalized.actor) == ("It was finalized; it can be paid.", "user:test")
    assert (await caller.finalize(unpriced)).version == done.version
    assert provider.changed["update_draft"] == 1


async def test_draft_without_a_price_is_not_finalized(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    error = await refusal(caller.finalize(unpriced))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "HELD_BACK")
    assert error.message.startswith("An item has no price. Set the price, then finalize the invoice.")
    await price(caller, unpriced, 10)
    assert "below what the provider can charge" in (await refusal(caller.finalize(unpriced))).message
    await price(caller, unpriced, 0)
    assert (await refusal(caller.finalize(unpriced))).reason == "NOTHING_OWED"
    assert not provider.calls["update_draft"]
    assert (await caller.invoice(unpriced)).version == unpriced.version


async def test_updated_draft_bills_the_claims_of_now_and_stays_one(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    await caller.ingest(unpriced.show_id, [winner(0, claim_id="more")])
    await price(caller, unpriced, 400)
    done = await caller.update_draft(unpriced)
    assert (done.status, done.draft_reason, done.total) == (DRAFT, pb.DRAFT_REASON_NOT_FINALIZED, 800)
    assert done.status_reason == "Nothing holds it back any more. Finalize it, and it can be paid."
    assert not done.external_url
    assert provider.draft_totals[unpriced.id] == 800
    assert (await caller.update_draft(unpriced)).version == done.version
    await price(caller, unpriced, None)
    assert (await caller.update_draft(unpriced)).draft_reason == pb.DRAFT_REASON_NEEDS_PRICE
    await price(caller, unpriced, 500)
    assert (await caller.finalize(unpriced)).total == 1000
    assert "no draft any more" in (await refusal(caller.update_draft(unpriced))).message


@pytest.mark.parametrize("verb", ["finalize", "update_draft"])
async def test_lost_answer_is_made_good_by_asking_again(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider, verb: str
) -> None:
    await price(caller, unpriced, 700)
    provider.cut.add("update_draft")
    assert (await refusal(getattr(caller, verb)(unpriced))).kind is Kind.UNAVAILABLE
    between = await caller.invoice(unpriced)
    assert (between.total, between.draft_reason) == (700, pb.DRAFT_REASON_NOT_FINALIZED)
    done = await getattr(caller, verb)(unpriced)
    assert (done.total, bool(done.external_url)) == (700, verb == "finalize")
    assert provider.draft_totals[unpriced.id] == 700
    assert not done.adjusted_at_provider


async def test_update_that_never_reached_the_provider_is_still_proposed(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    """Else nobody would hear of it who then finalizes the draft at the provider."""
    await price(caller, unpriced, 1500)
    provider.failures = {unpriced.external_id: [Away()]}
    assert (await refusal(caller.update_draft(unpriced))).kind is Kind.UNAVAILABLE
    assert provider.draft_totals[unpriced.id] == 0
    (change,) = await caller.changes(unpriced.show_id)
    assert (change.kind, change.after) == (pb.CHANGE_KIND_EDIT_DRAFT, 1500)
    await caller.update_draft(unpriced)
    assert await caller.changes(unpriced.show_id) == []


async def test_finalizing_that_never_reached_the_provider_is_still_proposed(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    """Else a draft with the lines of before, finalized there, would be taken for one with those of now."""
    await price(caller, unpriced, 700)
    await caller.update_draft(unpriced)
    await price(caller, unpriced, 1500)
    provider.failures = {unpriced.external_id: [Away()]}
    assert (await refusal(caller.finalize(unpriced))).kind is Kind.UNAVAILABLE
    (change,) = await caller.changes(unpriced.show_id)
    assert (change.kind, change.after) == (pb.CHANGE_KIND_EDIT_DRAFT, 1500)
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, unpriced, total=700))
    assert (await caller.invoice(unpriced)).adjusted_at_provider
    (change,) = await caller.changes(unpriced.show_id)
    assert (change.kind, change.before, change.after) == (pb.CHANGE_KIND_REISSUE, 700, 1500)


async def test_what_never_reached_the_provider_is_not_billed_once_it_is_taken_back(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    await price(caller, unpriced, 1500)
    await caller.update_draft(unpriced)
    await price(caller, unpriced, 2000)
    provider.failures = {unpriced.external_id: [Away()]}
    assert (await refusal(caller.update_draft(unpriced))).kind is Kind.UNAVAILABLE
    await price(caller, unpriced, 1500)
    (change,) = await caller.changes(unpriced.show_id)
    assert (change.kind, change.after) == (pb.CHANGE_KIND_EDIT_DRAFT, 1500)
    await caller.ingest(unpriced.show_id, [winner(0, status=pb.CLAIM_STATUS_RELEASED)])
    (change,) = await caller.changes(unpriced.show_id)
    assert (change.kind, change.after) == (pb.CHANGE_KIND_VOID, 0), "nothing owed is no match either"
    await caller.ingest(unpriced.show_id, [winner(0, claim_id="anew")])
    done = await caller.finalize(unpriced)
    assert (done.total, provider.made[unpriced.id].total) == (1500, 1500)
    assert [line.amount for line in (await caller.invoice(unpriced)).lines] == [1500]
    assert await caller.changes(unpriced.show_id) == []


@pytest.mark.parametrize("lapsed", [False, True])
async def test_answer_that_comes_late_says_nothing_of_a_later_change(
    caller: Caller,
    replica: Replica,
    unpriced: pb.Invoice,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    lapsed: bool,
) -> None:
    """Between the provider's answer and its being noted somebody changes the draft again, which never reaches it."""
    again, refused = amending.again, []

    async def after_another_change(entry: Entry, invoice: Invoice) -> Invoice:
        monkeypatch.setattr(amending, "again", again)
        if lapsed:
            await replica.pool.execute("UPDATE invoices SET lease_expires_at = '-infinity'")
        await price(caller, unpriced, 2000)
        provider.failures = {unpriced.external_id: [Away()]}
        refused.append((await refusal(caller.update_draft(unpriced))).reason)
        provider.failures = {}
        return await again(entry, invoice)

    await price(caller, unpriced, 1500)
    monkeypatch.setattr(amending, "again", after_another_change)
    await caller.update_draft(unpriced)
    assert refused == ["PROVIDER_UNAVAILABLE" if lapsed else "INVOICE_BUSY"]
    await price(caller, unpriced, 1500)
    assert len(await caller.changes(unpriced.show_id)) == lapsed
    assert (await caller.finalize(unpriced)).total == 1500
    assert [line.amount for line in (await caller.invoice(unpriced)).lines] == [1500]


async def test_lost_answer_is_made_good_by_the_event(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    await price(caller, unpriced, 700)
    provider.cut.add("update_draft")
    await refusal(caller.finalize(unpriced))
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, unpriced, total=700))
    done = await caller.invoice(unpriced)
    assert (done.status, done.draft_reason, done.total, done.adjusted_at_provider) == (DRAFT, 0, 700, False)
    assert await caller.changes(unpriced.show_id) == []
    assert (await caller.finalize(unpriced)).version == done.version


async def test_draft_finalized_at_the_provider_meanwhile_takes_its_total(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    provider.now(unpriced.id, standing=Standing.PAYABLE, total=999, external_url="https://pay.example/x")
    await price(caller, unpriced, 700)
    done = await caller.finalize(unpriced)
    assert (done.draft_reason, done.total, done.adjusted_at_provider) == (0, 999, True)
    (change,) = await caller.changes(unpriced.show_id)
    assert (change.kind, change.before, change.after) == (pb.CHANGE_KIND_REISSUE, 999, 700), "ours was never billed"
    assert (await caller.verify(unpriced.show_id)).verdict == pb.VERDICT_DISPROVED


async def test_draft_deleted_at_the_provider_is_void_and_says_so(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    del provider.made[unpriced.id]
    await price(caller, unpriced, 700)
    assert "was deleted at the provider" in (await refusal(caller.finalize(unpriced))).message
    assert (await caller.invoice(unpriced)).status == pb.INVOICE_STATUS_VOID
    assert (await caller.generate(unpriced.show_id)).created_count == 1


async def test_draft_that_was_finalized_and_edited_at_the_provider_is_voided_where_it_is_now(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    newest = sighting_of(unpriced.id, Standing.PAYABLE, 900)
    provider.made["newest"] = replace(newest, external_id="in_newest", replaces=unpriced.external_id)
    provider.now(unpriced.id, standing=Standing.VOID, total=800, replaced_by="in_newest")
    done = await caller.void(unpriced)
    assert (done.status, done.external_id) == (pb.INVOICE_STATUS_VOID, "in_newest")
    assert provider.made["newest"].standing is Standing.VOID


async def test_two_changes_of_a_draft_at_once_do_not_mix(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    await price(caller, unpriced, 700)
    provider.gate.clear()
    first = asyncio.create_task(caller.finalize(unpriced))
    await eventually(lambda: provider.calls["update_draft"] == 1)
    await price(caller, unpriced, 900)
    assert (await refusal(caller.finalize(unpriced))).reason == "INVOICE_BUSY"
    await caller.revoke(unpriced)  # writes the row, and frees nothing
    assert (await refusal(caller.finalize(unpriced))).reason == "INVOICE_BUSY"
    provider.gate.set()
    done = await first
    assert (done.total, done.adjusted_at_provider) == (700, False)
    assert provider.made[unpriced.id].total == 700
    await price(caller, unpriced, 700)
    assert await caller.changes(unpriced.show_id) == []
    assert (await caller.void(unpriced)).status == pb.INVOICE_STATUS_VOID, "it was freed once it was done"


async def test_draft_is_kept_a_while_after_a_lost_answer(
    caller: Caller, replica: Replica, unpriced: pb.Invoice, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider may still be at it: another change beside it could add its lines to those of the first."""
    monkeypatch.setattr(amending, "SETTLING", 60.0)
    await price(caller, unpriced, 700)
    provider.failures = {unpriced.external_id: [Away()]}
    assert (await refusal(caller.finalize(unpriced))).kind is Kind.UNAVAILABLE
    error = await refusal(caller.finalize(unpriced))
    assert (error.reason, bool(error.retry_after)) == ("INVOICE_BUSY", True)
    await replica.pool.execute("UPDATE invoices SET lease_expires_at = lease_expires_at - interval '61 s'")
    assert (await caller.finalize(unpriced)).total == 700


async def test_refused_change_gives_the_sentence_and_frees_the_draft(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    await price(caller, unpriced, 700)
    provider.failures[unpriced.external_id] = [Refused("The totals differ."), Away("The provider is away.")]
    assert (await refusal(caller.finalize(unpriced))).message == "The totals differ."
    (change,) = await caller.changes(unpriced.show_id)
    assert (change.kind, change.after) == (pb.CHANGE_KIND_EDIT_DRAFT, 700), "nobody knows what the draft has"
    assert (await refusal(caller.finalize(unpriced))).message == "The provider is away."
    reasons = [change.reason for change in await caller.history(unpriced)]
    assert "It was not finalized. The totals differ." in reasons
    assert (await caller.finalize(unpriced)).total == 700


async def test_disconnected_provider_is_said_before_anything_changes(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    await price(caller, unpriced, 700)
    assert provider.connected
    provider.connected = replace(provider.connected, active=False, status_reason="The key was revoked.")
    assert (await refusal(caller.finalize(unpriced))).message == "The key was revoked."
    assert (await caller.invoice(unpriced)).version == unpriced.version


async def test_run_leaves_alone_what_is_being_finalized(
    caller: Caller, unpriced: pb.Invoice, provider: FakeProvider
) -> None:
    await price(caller, unpriced, 700)
    provider.gate.clear()
    first = asyncio.create_task(caller.finalize(unpriced))
    await eventually(lambda: provider.calls["update_draft"] == 1)
    await price(caller, unpriced, 900)
    run = await caller.start(unpriced.show_id, apply_changes=True)
    assert (run.total_count, run.change_count) == (0, 0)
    provider.gate.set()
    assert (await first).total == 700
    again = await caller.finished((await caller.start(unpriced.show_id, apply_changes=True)).id)
    assert again.change_count == 1
    assert [one.total for one in await caller.listed(unpriced.show_id, DRAFT)] == [900]
