"""Changes of invoices that stand, carried out by the workers: as planned, once, and whatever comes between."""

import asyncio
from dataclasses import replace

import pytest

from services.common.errors import Kind
from services.common.ids import new_id
from services.invoicing.domain.changes import NOT_HEARD
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import ProviderLine
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.events_seen import event, paid_event
from tests.invoicing.fake_provider import Away, FakeProvider, Refused, sighting_of
from tests.invoicing.test_shows import refusal
from tests.invoicing.test_summary import balance
from tests.waiting import eventually

LATE = "late"


async def late_claim(caller: Caller, show_id: str, price: int | None = 500) -> None:
    """Buyer u0 wins another item after the invoices were made."""
    await caller.items(show_id, [pb.Item(item_number=LATE, title="Late", price=price)])
    await caller.ingest(show_id, [winner(0, claim_id=LATE, item_number=LATE)])


async def released(caller: Caller, show_id: str) -> None:
    await caller.ingest(show_id, [winner(0, status=pb.CLAIM_STATUS_RELEASED, sequence=1)])


async def paid_show(caller: Caller, buyers: int = 1) -> str:
    show_id = await caller.small_show(buyers)
    await caller.generate(show_id)
    await caller.apply(*[paid_event(caller, invoice) for invoice in await caller.listed(show_id)])
    return show_id


async def standing(caller: Caller, show_id: str) -> list[tuple[int, "pb.InvoiceStatus.ValueType", int]]:
    """Revision, status and total of the invoices of buyer u0."""
    invoices = [invoice for invoice in await caller.listed(show_id) if invoice.platform_user_id == "u0"]
    return sorted((invoice.revision, invoice.status, invoice.total) for invoice in invoices)


async def right(caller: Caller, show_id: str) -> None:
    """Nothing is left to do, and the money balances."""
    assert await caller.changes(show_id) == []
    one, other = balance(await caller.summary(show_id))
    assert one == other
    assert (await caller.summary(show_id)).moved == pb.SummaryPart()


async def test_open_invoice_is_voided_and_issued_again(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    (before,) = [invoice for invoice in await caller.listed(show_id) if invoice.platform_user_id == "u0"]
    await late_claim(caller, show_id)
    plan = await caller.plan(show_id, apply_changes=True)
    (change,) = [entry.change for entry in plan.entries if entry.HasField("change")]
    assert (change.kind, change.before, change.after, change.difference) == (pb.CHANGE_KIND_REISSUE, 1000, 1500, 500)
    assert plan.plan_hash != (await caller.plan(show_id)).plan_hash
    run = await caller.finished((await caller.start(show_id, plan_hash=plan.plan_hash, apply_changes=True)).id)
    assert (run.total_count, run.created_count, run.change_count, run.unchanged_count) == (1, 1, 1, 1)
    assert await standing(caller, show_id) == [
        (1, pb.INVOICE_STATUS_VOID, 1000),
        (2, pb.INVOICE_STATUS_DRAFT, 1500),
    ]
    (after,) = [invoice for invoice in await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT) if invoice.revision == 2]
    assert after.pay_path == before.pay_path
    page = await caller.resolve(after.pay_path.removeprefix("/p/"))
    assert (page.total, page.external_url) == (1500, after.external_url)
    history = [step.reason for step in await caller.history(before)]
    assert history[-2:] == [
        change.sentence,
        "It was voided, for claims or prices changed. Another revision takes its place.",
    ]
    assert (await caller.history(after))[0].reason == "It takes the place of revision 1."
    assert provider.changed["void"] == 1
    await right(caller, show_id)
    assert (await caller.generate(show_id, apply_changes=True)).total_count == 0


async def test_draft_that_was_held_back_is_edited_and_becomes_payable(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, price=None)
    await caller.generate(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=700)])
    assert [change.kind for change in await caller.changes(show_id)] == [pb.CHANGE_KIND_EDIT_DRAFT]
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.created_count, run.draft_count, run.change_count) == (1, 0, 1)
    (invoice,) = await caller.listed(show_id)
    assert (invoice.revision, invoice.total, invoice.draft_reason, invoice.adjusted_at_provider) == (1, 700, 0, False)
    assert (invoice.status_reason, invoice.unpriced_count) == ("", 0)
    assert invoice.external_url
    assert [(line.unit_price, line.amount) for line in (await caller.invoice(invoice)).lines] == [(700, 700)]
    await right(caller, show_id)


async def swapped(caller: Caller, provider: FakeProvider) -> tuple[str, pb.Invoice]:
    """A draft that was finalized at the provider at the total of now, over the prices of before; and no event told."""
    show_id = await caller.small_show(1)
    await caller.items(show_id, [pb.Item(item_number="late", title="Late item")])
    await caller.ingest(show_id, [winner(0, claim_id="late", item_number="late")])
    await caller.generate(show_id)
    (draft,) = await caller.listed(show_id)
    assert (draft.total, draft.draft_reason) == (1000, pb.DRAFT_REASON_NEEDS_PRICE)
    prices = {"0": 600, "late": 400}
    await caller.items(show_id, [pb.Item(item_number=one, title=one, price=price) for one, price in prices.items()])
    lines = (ProviderLine("1 × 0 Item 0", 1000), ProviderLine("1 × late Late item (no price yet)", 0))
    provider.now(draft.id, standing=Standing.PAYABLE, total=1000, lines=lines)
    provider.keeps_lines = True
    return show_id, draft


@pytest.mark.parametrize("by", ["run", "hand"])
async def test_draft_that_was_finalized_with_other_lines_is_not_taken_for_the_edited_one(
    caller: Caller, provider: FakeProvider, by: str
) -> None:
    """Its buyer would be asked for the right money under the old words, and nobody would know."""
    show_id, draft = await swapped(caller, provider)
    if by == "run":
        run = await caller.generate(show_id, apply_changes=True)
        assert (run.total_count, run.unchanged_count) == (0, 1)
    else:
        error = await refusal(caller.finalize(draft))
        assert (error.reason, error.message[:50]) == (
            "INVOICE_STATUS",
            "It was finalized at the provider before, with the ",
        )
    seen = await caller.invoice(draft)
    assert (seen.status, seen.draft_reason, seen.total) == (pb.INVOICE_STATUS_DRAFT, 0, 1000)
    assert [line.amount for line in seen.lines] == [1000, 0]
    assert (await caller.history(draft))[-1].reason.startswith("It was finalized at the provider")
    (change,) = await caller.changes(show_id)
    assert (change.kind, change.difference) == (pb.CHANGE_KIND_REISSUE, 0)
    assert change.sentence.startswith(
        "It is voided and issued again with the claims and prices of now, which come to £10.00 too."
    )
    provider.keeps_lines = False
    await caller.generate(show_id, apply_changes=True)
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 1000)]
    await right(caller, show_id)


async def test_draft_that_still_lacks_a_price_stays_one(caller: Caller) -> None:
    show_id = await caller.small_show(1, price=None)
    await caller.generate(show_id)
    await late_claim(caller, show_id)
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.created_count, run.draft_count) == (1, 1)
    (invoice,) = await caller.listed(show_id)
    assert (invoice.total, invoice.draft_reason, invoice.line_count) == (500, pb.DRAFT_REASON_NEEDS_PRICE, 2)
    await right(caller, show_id)


async def test_supplement_stands_beside_a_paid_invoice(caller: Caller, provider: FakeProvider) -> None:
    show_id = await paid_show(caller, buyers=2)
    await late_claim(caller, show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=1200)])
    (change,) = await caller.changes(show_id)
    assert (change.kind, change.difference) == (pb.CHANGE_KIND_SUPPLEMENT, 700)
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.total_count, run.created_count, run.change_count) == (1, 1, 1)
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_PAID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 700)]
    (listed,) = await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT)
    invoice = await caller.invoice(listed)
    assert [(line.title, line.amount) for line in invoice.lines] == [
        ("Late", 500),
        ("Item 0 (now 1 × £12.00, before 1 × £10.00)", 200),
    ]
    assert provider.orders[invoice.id][-1].total == 700
    page = await caller.resolve(invoice.pay_path.removeprefix("/p/"))
    assert (page.total, page.external_url) == (700, invoice.external_url)
    await right(caller, show_id)
    await caller.apply(paid_event(caller, invoice))
    await right(caller, show_id)


@pytest.mark.parametrize("verb", ["finalize", "update_draft"])
async def test_draft_beside_a_payment_that_came_after_all_is_the_plans_to_change(caller: Caller, verb: str) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (first,) = await caller.listed(show_id)
    await caller.void(first)
    await late_claim(caller, show_id, price=None)
    await caller.generate(show_id)
    (draft,) = await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT)
    assert (draft.total, draft.draft_reason) == (1000, pb.DRAFT_REASON_NEEDS_PRICE)
    await caller.apply(paid_event(caller, first))
    await caller.items(show_id, [pb.Item(item_number=LATE, title="Late", price=500)])
    error = await refusal(getattr(caller, verb)(draft))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "BESIDE_SETTLED")
    assert error.message.endswith("the draft is to bill the difference. Apply the plan's changes to it.")
    await caller.generate(show_id, apply_changes=True)
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_PAID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 500)]
    await right(caller, show_id)


async def test_draft_that_the_provider_never_finalizes_stays_one_and_says_so(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1, price=None)
    await caller.generate(show_id)
    (draft,) = await caller.listed(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=700)])
    provider.stubborn = True
    provider.gate.clear()
    run = await caller.start(show_id, apply_changes=True)
    await eventually(lambda: provider.calls["update_draft"] == 1)
    await replica.pool.execute("UPDATE invoices SET tries = 20, first_attempt_at = now() - interval '1 hour'")
    provider.gate.set()
    assert (await caller.finished(run.id)).failed_count == 1
    told = (await caller.history(draft))[-1].reason
    assert "The provider left the invoice a draft, so it cannot be paid yet. Look at it there, then plan again." in told


async def test_owing_less_than_was_paid_is_only_told(caller: Caller) -> None:
    show_id = await paid_show(caller)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=800)])
    (change,) = await caller.changes(show_id)
    assert (change.kind, change.difference) == (pb.CHANGE_KIND_NONE, -200)
    assert change.sentence == "The buyer owes £2.00 less than was settled. Refund it at the provider; " + NOT_HEARD
    assert (await caller.generate(show_id, apply_changes=True)).total_count == 0


async def test_discount_given_at_the_provider_is_not_taken_back_in_silence(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    await caller.apply(paid_event(caller, invoice, total=700))
    await late_claim(caller, show_id)
    (change,) = await caller.changes(show_id)
    assert (change.kind, change.difference) == (pb.CHANGE_KIND_SUPPLEMENT, 800)
    assert "was changed at the provider, by a discount for example" in change.sentence


async def test_unpaid_invoice_of_a_released_claim_is_voided(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await released(caller, show_id)
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.created_count, run.change_count) == (1, 1)
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000)]
    await right(caller, show_id)
    await caller.ingest(show_id, [winner(0, sequence=2)])
    assert (await caller.generate(show_id)).created_count == 1
    assert (await standing(caller, show_id))[1] == (2, pb.INVOICE_STATUS_DRAFT, 1000)


async def test_failed_invoice_is_tried_again_with_the_claims_of_now(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    await late_claim(caller, show_id)
    assert (await caller.generate(show_id, apply_changes=True)).created_count == 1
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 1500)]
    await right(caller, show_id)


@pytest.mark.parametrize("how", [Standing.PAYABLE, Standing.HELD_BACK, Standing.VOID])
async def test_what_a_failed_try_left_behind_is_voided_before_another_bill_is_made(
    caller: Caller, provider: FakeProvider, how: Standing
) -> None:
    """It bills what was owed then, and its late news must not be taken for an edit of the new one."""
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (failed,) = await caller.listed(show_id)
    left = provider.made[failed.id] = sighting_of(failed.id, how, 1000)
    if how is Standing.VOID:  # and edited there
        provider.made[failed.id] = replace(left, replaced_by="in_newest")
        left = provider.made["newest"] = replace(left, standing=Standing.PAYABLE, external_id="in_newest")
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=900)])
    run = await caller.finished((await caller.retry(show_id)).generation.id)
    assert (run.total_count, run.created_count, run.failed_count) == (1, 1, 0)
    assert [one.standing for one in provider.made.values() if one.external_id == left.external_id] == [Standing.VOID]
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 900)]
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, failed, total=1000))
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 900)]
    await right(caller, show_id)


async def test_failed_invoice_that_is_not_owed_any_more_is_voided(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2)
    provider.failures = {"u0": [Refused()], "u1": [Refused()]}
    await caller.generate(show_id)
    failed = {invoice.platform_user_id: invoice for invoice in await caller.listed(show_id)}
    # What an unknown outcome left at the provider is found and voided; where nothing is, there is nothing to call.
    left = provider.made[failed["u1"].id] = sighting_of(failed["u1"].id, Standing.PAYABLE, 1000)
    await released(caller, show_id)
    await caller.ingest(show_id, [winner(1, status=pb.CLAIM_STATUS_RELEASED, sequence=1)])
    assert (await caller.generate(show_id, apply_changes=True)).created_count == 2
    assert {invoice.status for invoice in await caller.listed(show_id)} == {pb.INVOICE_STATUS_VOID}
    assert provider.made[failed["u1"].id] == replace(left, standing=Standing.VOID)
    assert failed["u0"].id not in provider.made


async def test_failed_invoice_is_tried_again_at_its_own_provider(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    await replica.pool.execute("UPDATE invoices SET provider = 'manual' WHERE show_id = $1", show_id)
    assert (await refusal(caller.retry(show_id))).reason == "NOT_CONNECTED"
    (failed,) = await caller.listed(show_id)
    assert (failed.provider, failed.status) == ("manual", pb.INVOICE_STATUS_ERROR)


async def test_failed_supplement_is_retried_over_the_difference_alone(caller: Caller, provider: FakeProvider) -> None:
    show_id = await paid_show(caller)
    await late_claim(caller, show_id)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id, apply_changes=True)
    assert (await standing(caller, show_id))[1] == (2, pb.INVOICE_STATUS_ERROR, 500)
    await caller.finished((await caller.retry(show_id)).generation.id)
    assert (await standing(caller, show_id))[1] == (2, pb.INVOICE_STATUS_DRAFT, 500)
    await right(caller, show_id)


async def test_known_email_issues_again_only_when_that_is_asked(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (buyer,) = await caller.buyers(show_id)
    await caller.update_buyer(pb.Buyer(id=buyer.id, email="a@example.com"), "email")
    plan = await caller.plan(show_id)
    assert (plan.entries[0].action, plan.entries[0].change.optional) == (pb.PLAN_ACTION_UNCHANGED, True)
    assert (await caller.generate(show_id, apply_changes=True)).total_count == 0
    assert (await caller.generate(show_id, reissue_for_email=True)).created_count == 1
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 1000)]
    (again,) = await caller.listed(show_id, pb.INVOICE_STATUS_DRAFT)
    assert provider.orders[again.id][-1].buyer["email"] == "a@example.com"
    await right(caller, show_id)


async def test_payment_that_is_quicker_than_the_void_is_kept(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    await late_claim(caller, show_id)
    provider.now(invoice.id, standing=Standing.PAID)  # and no event has told of it
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.total_count, run.change_count, run.unchanged_count, run.failed_count) == (0, 0, 1, 0)
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_PAID, 1000)]
    history = [step.reason for step in await caller.history(invoice)]
    assert history[-1].startswith("It was paid before it could be changed, so it stays as it is.")
    assert [change.kind for change in await caller.changes(show_id)] == [pb.CHANGE_KIND_SUPPLEMENT]
    await caller.generate(show_id, apply_changes=True)
    assert (await standing(caller, show_id))[1] == (2, pb.INVOICE_STATUS_DRAFT, 500)
    await right(caller, show_id)


async def test_draft_finalized_at_the_provider_meanwhile_is_left(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, price=None)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=700)])
    provider.now(invoice.id, standing=Standing.PAYABLE, total=900, external_url="https://pay.example/x")
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.total_count, run.unchanged_count) == (0, 1)
    (after,) = await caller.listed(show_id)
    assert (after.total, after.adjusted_at_provider, after.draft_reason) == (900, True, 0)
    assert "finalized at the provider before" in [step.reason for step in await caller.history(invoice)][-1]
    assert [change.kind for change in await caller.changes(show_id)] == [pb.CHANGE_KIND_REISSUE]


@pytest.mark.parametrize(
    ("replaced_by", "what"), [("", "It was voided or deleted"), ("in_newest", "It was replaced by an edited one")]
)
async def test_draft_finalized_as_planned_and_void_since_is_not_taken_for_edited(
    caller: Caller, provider: FakeProvider, replica: Replica, replaced_by: str, what: str
) -> None:
    show_id = await caller.small_show(1, price=None)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=700)])
    newest = sighting_of(invoice.id, Standing.PAYABLE, 900)
    provider.made["newest"] = replace(newest, external_id="in_newest", replaces=invoice.external_id)
    provider.now(invoice.id, standing=Standing.VOID, total=700, replaced_by=replaced_by)
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.created_count, run.unchanged_count) == (0, 1)
    assert [step.reason for step in await caller.history(invoice)][-1].startswith(f"{what} at the provider before")
    if replaced_by:
        await replica.service.rereading.read_due()
        assert (await caller.invoice(invoice)).total == 900
        assert [change.kind for change in await caller.changes(show_id)] == [pb.CHANGE_KIND_REISSUE]
    else:
        assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_VOID


async def test_refused_change_leaves_the_invoice_and_says_why(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await late_claim(caller, show_id)

    async def refuse(*_: object) -> None:
        raise Refused("This account may not void invoices.")

    with monkeypatch.context() as patch:
        patch.setattr(provider, "void", refuse)
        run = await caller.generate(show_id, apply_changes=True)
    assert (run.created_count, run.failed_count) == (0, 1)
    (invoice,) = await caller.listed(show_id)
    assert (invoice.status, invoice.total) == (pb.INVOICE_STATUS_DRAFT, 1000)
    assert invoice.status_reason == "It was not changed. This account may not void invoices."
    assert (await caller.generate(show_id, apply_changes=True)).created_count == 1
    await right(caller, show_id)


async def test_lost_answers_are_asked_for_again(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await late_claim(caller, show_id)
    provider.cut = {"void"}
    run = await caller.generate(show_id, apply_changes=True)
    assert (run.created_count, run.failed_count) == (1, 0)
    assert provider.changed["void"] == 1
    await right(caller, show_id)


async def test_voided_event_before_the_answer_does_not_hide_the_change(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    await late_claim(caller, show_id)
    began, go_on = asyncio.Event(), asyncio.Event()
    void = provider.void

    async def slow(*args: object) -> object:
        seen = await void(*args)  # type: ignore[arg-type]  # handed through
        began.set()
        await go_on.wait()
        return seen

    with monkeypatch.context() as patch:
        patch.setattr(provider, "void", slow)
        run = await caller.start(show_id, apply_changes=True)
        await began.wait()
        await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, invoice))
        # Void already, with its next revision still to come: another run does not make one of its own.
        assert [entry.action for entry in (await caller.plan(show_id)).entries] == [pb.PLAN_ACTION_UNCHANGED]
        assert (await caller.start(show_id)).id == run.id
        go_on.set()
        await caller.finished(run.id)
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 1500)]
    await right(caller, show_id)


async def test_change_of_a_dead_process_is_taken_up(
    caller: Caller, provider: FakeProvider, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await late_claim(caller, show_id)
    never = asyncio.Event()
    void, calls = provider.void, []

    async def cut_off(*args: object) -> object:
        calls.append(args)
        seen = await void(*args)  # type: ignore[arg-type]  # handed through
        if len(calls) == 1:
            await never.wait()  # as if the process had died between Stripe's answer and our row
        return seen

    monkeypatch.setattr(provider, "void", cut_off)
    run = await caller.start(show_id, apply_changes=True)
    await eventually(lambda: len(calls) == 1)
    replica.service.workers._under_way.clear()
    await replica.pool.execute("UPDATE invoices SET lease_owner = $1", new_id())
    await caller.finished(run.id)
    never.set()
    assert provider.changed["void"] == 1
    assert await standing(caller, show_id) == [(1, pb.INVOICE_STATUS_VOID, 1000), (2, pb.INVOICE_STATUS_DRAFT, 1500)]
    await right(caller, show_id)


async def test_changes_run_as_they_were_planned_whatever_is_claimed_meanwhile(
    caller: Caller, provider: FakeProvider
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await late_claim(caller, show_id)
    provider.gate.clear()
    run = await caller.start(show_id, apply_changes=True)
    await caller.ingest(show_id, [winner(0, claim_id="still-later", item_number=LATE)])
    provider.gate.set()
    await caller.finished(run.id)
    assert (await standing(caller, show_id))[1] == (2, pb.INVOICE_STATUS_DRAFT, 1500)
    assert [change.difference for change in await caller.changes(show_id)] == [500]


async def test_outdated_plan_is_refused_with_the_new_one(caller: Caller) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await late_claim(caller, show_id)
    old = await caller.plan(show_id, apply_changes=True)
    await caller.items(show_id, [pb.Item(item_number=LATE, title="Late", price=600)])
    error = await refusal(caller.start(show_id, plan_hash=old.plan_hash, apply_changes=True))
    new = await caller.plan(show_id, apply_changes=True)
    assert (error.kind, error.reason, error.details) == (Kind.OUTDATED, "PLAN_OUTDATED", {"plan_hash": new.plan_hash})
    assert len(await caller.listed(show_id)) == 1
    # The same plan without the changes is another one.
    assert (await refusal(caller.start(show_id, plan_hash=new.plan_hash))).reason == "PLAN_OUTDATED"
    await caller.finished((await caller.start(show_id, plan_hash=new.plan_hash, apply_changes=True)).id)
    assert (await standing(caller, show_id))[1] == (2, pb.INVOICE_STATUS_DRAFT, 1600)


async def test_changes_started_at_once_and_again_are_made_once(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(6)
    await caller.generate(show_id)
    await caller.items(show_id, [pb.Item(item_number=str(n), title=f"Item {n}", price=1100) for n in range(6)])
    request_id = new_id()
    runs = await asyncio.gather(
        *(caller.start(show_id, apply_changes=True) for _ in range(4)),
        *(caller.start(show_id, apply_changes=True, request_id=request_id) for _ in range(2)),
    )
    for run in runs:
        await caller.finished(run.id)
    invoices = await caller.listed(show_id)
    assert sorted(invoice.revision for invoice in invoices) == [1] * 6 + [2] * 6
    assert provider.changed["void"] == 6
    assert sum(invoice.total for invoice in invoices if invoice.status != pb.INVOICE_STATUS_VOID) == 6600
    await right(caller, show_id)


async def test_provider_that_is_away_is_waited_for(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await released(caller, show_id)
    void, failures = provider.void, [Away(), Away()]

    async def away(*args: object) -> object:
        if failures:
            raise failures.pop()
        return await void(*args)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(provider, "void", away)
    assert (await caller.generate(show_id, apply_changes=True)).created_count == 1
    await right(caller, show_id)


async def test_invoice_of_another_account_is_told_and_left(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await late_claim(caller, show_id)
    assert provider.connected
    limits = replace(provider.connected.limits, account_id="acct_other")
    provider.connected = replace(provider.connected, account_id="acct_other", limits=limits)
    (change,) = await caller.changes(show_id)
    assert change.kind == pb.CHANGE_KIND_NONE
    assert "another account or mode" in change.sentence
    assert (await caller.generate(show_id, apply_changes=True)).total_count == 0


async def test_invoices_of_test_mode_are_told_of_once_the_connection_is_live(
    caller: Caller, provider: FakeProvider
) -> None:
    """Right as they are, so that else nobody would see that they ask for no real money."""
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    assert [list(entry.warnings) for entry in (await caller.plan(show_id)).entries] == [[pb.PLAN_WARNING_NO_EMAIL]] * 2
    assert provider.connected
    limits = replace(provider.connected.limits, livemode=True)
    provider.connected = replace(provider.connected, livemode=True, limits=limits)
    for entry in (await caller.plan(show_id)).entries:
        assert entry.action == pb.PLAN_ACTION_UNCHANGED
        assert list(entry.warnings) == [pb.PLAN_WARNING_NO_EMAIL, pb.PLAN_WARNING_MADE_IN_TEST_MODE]


async def test_buyer_billed_in_another_currency_is_warned_of(caller: Caller) -> None:
    first = await caller.small_show(2)
    await caller.generate(first)
    show = await caller.create_show("Abroad", "USD")
    await caller.items(show.id, [pb.Item(item_number="1", title="A", price=100)])
    await caller.ingest(show.id, [winner(1), winner(7, claim_id="new", item_number="1")])
    warned = {
        entry.buyer.platform_user_id: pb.PLAN_WARNING_CURRENCY_CONFLICT in entry.warnings
        for entry in (await caller.plan(show.id)).entries
    }
    assert warned == {"u1": True, "u7": False}
