"""Many invoices marked as paid outside the provider: checked at once, carried out by the workers, and never twice."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.cli.embedded.nats import Nats
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing import repository
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.marks import AskedMark, is_marked_there
from services.invoicing.domain.sighting import Sighting
from services.invoicing.wiring import Pace
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import PACE, MakeCaller, Replica
from tests.invoicing.events_seen import event, listening, paid_event, paid_now
from tests.invoicing.fake_provider import Away, Elsewhere, FakeProvider, Refused, TooFast
from tests.invoicing.test_changing import right
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

PAID, DRAFT = pb.INVOICE_STATUS_PAID, pb.INVOICE_STATUS_DRAFT
Counts = tuple[int, int, int]


def mark(invoice: pb.Invoice, note: str = "", **fields: object) -> pb.PaidMark:
    told = pb.PaidMark(invoice_id=invoice.id, paid=True, note=note)
    told.MergeFrom(pb.PaidMark(**fields))  # type: ignore[arg-type]  # fields of a mark, by name
    return told


def counts(answer: pb.StreamMarksResponse) -> Counts:
    return answer.updated_count, answer.unchanged_count, answer.rejected_count


async def made(caller: Caller, buyers: int, price: int | None = 1000) -> list[pb.Invoice]:
    show_id = await caller.small_show(buyers, price)
    await caller.generate(show_id)
    return await caller.listed(show_id)


async def told(caller: Caller, invoice: pb.Invoice) -> list[tuple[str, str]]:
    return [(change.reason, change.actor) for change in await caller.history(invoice)]


async def test_marks_are_queued_and_carried_out_once(caller: Caller, provider: FakeProvider, nats: Nats) -> None:
    first, second, third, fourth = await made(caller, 4)
    show_id, note = first.show_id, "Bank transfer, 12 Nov"
    provider.gate.clear()
    file = [
        mark(first, f" {note} ", amount=1000, currency="gbp"),
        pb.PaidMark(number=second.number, paid=True, amount=1000),
        mark(third, number=third.number),
        pb.PaidMark(invoice_id=fourth.id, amount=1),
    ]
    looked_at = await caller.mark_many(show_id, file, validate_only=True)
    assert (counts(looked_at), looked_at.updated_total, looked_at.currency) == ((3, 1, 0), 3000, "GBP")
    assert not looked_at.generation_ids
    answer = await caller.mark_many(show_id, file)
    assert (counts(answer), answer.updated_total) == ((3, 1, 0), 3000)
    (run_id,) = answer.generation_ids
    run = await caller.generation(run_id)
    assert (run.total_count, run.change_count, run.pending_count, run.actor) == (3, 3, 3, "user:test")
    assert run.marks_paid
    assert (await caller.start(show_id)).id != run_id, "what bills nothing is no run that bills"
    assert counts(await caller.mark_many(show_id, file)) == (0, 4, 0), "they are queued already"
    assert (await refusal(caller.void(first))).reason == "INVOICE_BUSY"
    assert {one.paid_outside for one in await caller.listed(show_id)} == {""}
    async with listening(nats.url, caller.who.workspace_id) as heard:
        provider.gate.set()
        assert (await caller.finished(run_id)).created_count == 3
        (finished,) = await eventually(lambda: heard.of("generation.finished"))
    assert (finished.generation_finished.marks_paid, finished.generation_finished.created_count) == (True, 3)
    by_id = {one.id: one for one in await caller.listed(show_id)}
    known = [by_id[one.id] for one in (first, second, third, fourth)]
    assert [(one.status, one.paid_outside) for one in known] == [
        *((PAID, note), (PAID, "yes"), (PAID, "yes")),
        (DRAFT, ""),
    ]
    assert (await told(caller, first))[-2:] == [
        (f"Marking it as paid outside the provider was asked for. Note: {note}", "user:test"),
        ("It was marked as paid outside the provider.", "user:test"),
    ]
    assert [one.version for one in await caller.history(first)] == list(range(1, known[0].version + 1))
    assert counts(await caller.mark_many(show_id, file)) == (0, 4, 0)
    assert (provider.changed["mark_paid"], provider.calls["mark_paid"]) == (3, 3)
    await right(caller, show_id)


async def test_what_cannot_be_marked_is_named_and_may_keep_all_out(
    caller: Caller, make_caller: MakeCaller, provider: FakeProvider
) -> None:
    good, paid, voided, also, unnumbered = await made(caller, 5)
    (held_back,) = await made(caller, 1, None)
    stranger = await make_caller("gateway")
    (foreign,) = await made(stranger, 1)
    await caller.apply(paid_event(caller, paid))
    await caller.void(voided)
    bad = {
        "The buyer paid this invoice through the provider already, so the money would be counted twice.": mark(paid),
        "The invoice is void, so nothing was marked as paid.": mark(voided),
        f"The show has no invoice {held_back.id}.": mark(held_back),
        f"The show has no invoice {foreign.id}.": mark(foreign),
        f"The show has no invoice {(unknown := new_id())}.": pb.PaidMark(invoice_id=unknown),
        "The show has no invoice SB-0.": pb.PaidMark(number="SB-0", paid=True),
        "The invoice is of £10.00, the file says £9.99. A part cannot be marked": mark(also, amount=999),
        "The invoice is in GBP, the file says EUR.": mark(also, amount=1000, currency="EUR"),
        f"The invoice has the number {also.number}, the file says {paid.number}.": mark(also, number=paid.number),
        "The note is longer than 500 characters.": mark(also, "x" * 501),
        "'12' is not the id of an invoice.": pb.PaidMark(invoice_id="12", paid=True),
        "The line names no invoice.": pb.PaidMark(paid=True),
        "The invoice is in the file twice.": mark(good),
    }
    file = [mark(good), *bad.values(), pb.PaidMark(invoice_id=paid.id), mark(unnumbered)]
    for all_or_none, validate_only in ((True, False), (False, True), (True, True)):
        answer = await caller.mark_many(
            good.show_id, file[:2], file[2:], all_or_none=all_or_none, validate_only=validate_only
        )
        assert answer.rejected_count == len(bad)
        assert not answer.generation_ids
        assert [one.index for one in answer.rejected_marks] == list(range(1, 1 + len(bad)))
        for begins, one in zip(bad, answer.rejected_marks, strict=True):
            assert one.reason.startswith(begins)
            assert one.reason.endswith(".")
    assert provider.calls["mark_paid"] == 0
    answer = await caller.mark_many(good.show_id, file[:2], file[2:])
    assert counts(answer) == (2, 1, len(bad))
    assert [(await caller.finished(run_id)).created_count for run_id in answer.generation_ids] == [1, 1]
    held = await caller.mark_many(held_back.show_id, [mark(held_back)])
    assert held.rejected_marks[0].reason.startswith("The invoice is held back and cannot be paid yet. Finalize it")
    assert (await refusal(stranger.mark_many(good.show_id, [mark(good)]))).kind is Kind.NOT_FOUND
    assert (await refusal(caller.mark_many(good.show_id))).kind is Kind.INVALID


async def test_marks_that_cannot_reach_their_provider_are_not_queued(caller: Caller, provider: FakeProvider) -> None:
    (invoice,) = await made(caller, 1)
    assert provider.connected is not None
    was = provider.connected
    for now, says in (
        (None, "Its provider is not connected any more."),
        (replace(was, active=False, status_reason="Stripe takes the key no more."), "Stripe takes the key no more."),
        (replace(was, account_id="acct_other"), "It was made with another account or mode than"),
    ):
        provider.connected = now
        answer = await caller.mark_many(invoice.show_id, [mark(invoice), pb.PaidMark(invoice_id=invoice.id)])
        assert counts(answer) == (0, 1, 1)
        assert answer.rejected_marks[0].reason.startswith(says)
    provider.connected = was
    assert counts(await caller.mark_many(invoice.show_id, [mark(invoice)])) == (1, 0, 0)


async def test_one_file_sent_many_times_at_once_is_marked_once(caller: Caller, provider: FakeProvider) -> None:
    invoices = await made(caller, 20)
    file = [mark(one) for one in invoices]
    sent = [caller.mark_many(invoices[0].show_id, file, all_or_none=bool(n % 2)) for n in range(4)]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    taken = [answer for answer in answers if isinstance(answer, pb.StreamMarksResponse)]
    assert sum(answer.updated_count for answer in taken) == 20
    late = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(error, ShowbillError) and error.reason == "INVOICES_MOVED" for error in late)
    (run_id,) = [run for answer in taken for run in answer.generation_ids]
    assert (await caller.finished(run_id)).created_count == provider.calls["mark_paid"] == 20


async def test_all_or_none_is_one_run_however_many_batches(caller: Caller) -> None:
    invoices = await made(caller, 3)
    answer = await caller.mark_many(invoices[0].show_id, *[[mark(one)] for one in invoices], all_or_none=True)
    assert counts(answer) == (3, 0, 0)
    (run_id,) = answer.generation_ids
    assert (await caller.finished(run_id)).total_count == 3


@pytest.mark.parametrize("pace", [Pace(concurrency=1, lease=PACE.lease, catchup=PACE.catchup)])
async def test_what_comes_between_leaves_the_invoice_as_it_is(caller: Caller, provider: FakeProvider) -> None:
    """One waits at the provider; one behind it is paid by its buyer; then a run is cancelled."""
    invoices = await made(caller, 3)
    provider.gate.clear()
    (run_id,) = (await caller.mark_many(invoices[0].show_id, [mark(one) for one in invoices])).generation_ids
    await eventually(lambda: provider.calls["mark_paid"] == 1)
    marked, by_buyer, left = sorted(invoices, key=lambda one: one.id)
    await caller.apply(paid_event(caller, by_buyer))
    provider.gate.set()
    run = await caller.finished(run_id)
    assert (run.created_count, run.total_count, run.unchanged_count) == (2, 2, 1)
    assert [(await caller.invoice(one)).paid_outside for one in (marked, by_buyer, left)] == ["yes", "", "yes"]
    reason, actor = (await told(caller, by_buyer))[-1]
    assert (actor, provider.changed["mark_paid"]) == ("worker:generation", 2)
    assert reason.startswith("It was not marked as paid. The buyer paid this invoice through the provider already")
    begun, unbegun = sorted(await made(caller, 2), key=lambda one: one.id)
    provider.gate.clear()
    (run_id,) = (await caller.mark_many(begun.show_id, [mark(begun), mark(unbegun)])).generation_ids
    await eventually(lambda: provider.calls["mark_paid"] == 3)
    assert (await caller.cancel(run_id)).cancelled_count == 1
    provider.gate.set()
    await eventually(lambda: provider.changed["mark_paid"] == 3)
    assert "was cancelled. It stays as it is." in (await told(caller, unbegun))[-1][0]
    assert counts(await caller.mark_many(begun.show_id, [mark(unbegun)], validate_only=True)) == (1, 0, 0)


async def test_payment_that_nobody_heard_of_is_no_mark(caller: Caller, provider: FakeProvider) -> None:
    (invoice,) = await made(caller, 1)
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC) - timedelta(minutes=4))
    (run_id,) = (await caller.mark_many(invoice.show_id, [mark(invoice, "Cash.")])).generation_ids
    assert (await caller.finished(run_id)).total_count == 0
    now = await caller.invoice(invoice)
    assert (now.status, now.paid_outside) == (PAID, "")
    paid, dropped = (await told(caller, invoice))[-2:]
    assert paid == ("It was paid.", "worker:amend")
    assert "paid this invoice through the provider already" in dropped[0]


async def test_lost_answer_is_made_good_though_the_event_was_quicker(caller: Caller, provider: FakeProvider) -> None:
    (invoice,) = await made(caller, 1)
    provider.cut.add("mark_paid")
    (run_id,) = (await caller.mark_many(invoice.show_id, [mark(invoice, "Cash")])).generation_ids
    await eventually(lambda: provider.changed["mark_paid"] == 1)
    await caller.apply(paid_now(caller, invoice))
    assert (await caller.finished(run_id)).created_count == 1
    known = await caller.invoice(invoice)
    assert (known.status, known.paid_outside, provider.changed["mark_paid"]) == (PAID, "Cash", 1)
    assert (await told(caller, invoice))[-1] == ("It was marked as paid outside the provider.", "user:test")


async def test_mark_that_was_given_up_without_an_answer_is_made_good_by_the_event(
    caller: Caller, provider: FakeProvider
) -> None:
    """It was done at the provider, which is not reached any more."""
    (invoice,) = await made(caller, 1)
    provider.cut.add("mark_paid")
    provider.failures_after_cut[invoice.external_id] = [Elsewhere()]
    (run_id,) = (await caller.mark_many(invoice.show_id, [mark(invoice, "Bank")])).generation_ids
    assert (await caller.finished(run_id)).failed_count == 1
    assert (await caller.invoice(invoice)).status_reason.startswith("The provider did not say whether it was marked")
    await caller.apply(paid_now(caller, invoice))
    known = await caller.invoice(invoice)
    assert (known.status, known.status_reason, known.paid_outside) == (PAID, "", "Bank")
    assert counts(await caller.mark_many(invoice.show_id, [mark(invoice, "Bank")])) == (0, 1, 0)


async def test_payment_between_two_tries_is_no_mark(caller: Caller, provider: FakeProvider) -> None:
    (invoice,) = await made(caller, 1)
    provider.failures[invoice.external_id] = [Away()]
    (run_id,) = (await caller.mark_many(invoice.show_id, [mark(invoice, "Cash.")])).generation_ids
    await eventually(lambda: provider.calls["mark_paid"] == 1)
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    assert (await caller.finished(run_id)).total_count == 0
    known = await caller.invoice(invoice)
    assert (known.status, known.paid_outside) == (PAID, "")


@pytest.mark.parametrize("says", [True, False])
async def test_event_between_two_tries_is_asked_about(caller: Caller, provider: FakeProvider, says: bool) -> None:
    """The first try came to nothing, which nobody knows: it is the mark only where the provider does not say."""
    (invoice,) = await made(caller, 1)
    provider.says_how_it_was_paid = says
    provider.failures[invoice.external_id] = [Away()]
    provider.gate.clear()
    (run_id,) = (await caller.mark_many(invoice.show_id, [mark(invoice, "Cash")])).generation_ids
    await eventually(lambda: provider.calls["mark_paid"] == 1)
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    await caller.apply(paid_now(caller, invoice))
    assert (await caller.invoice(invoice)).paid_outside == "Cash"
    provider.gate.set()
    assert (await caller.finished(run_id)).created_count == (0 if says else 1)
    known = await caller.invoice(invoice)
    assert (known.status, known.paid_outside) == (PAID, "" if says else "Cash")
    if says:
        by_buyer, dropped = (await told(caller, invoice))[-2:]
        assert by_buyer == ("It was the buyer who paid it, through the provider.", "worker:amend")
        assert "paid this invoice through the provider already" in dropped[0]


async def test_payment_long_before_the_mark_is_no_mark_though_nobody_says_so() -> None:
    """As of a replica that does not know yet how to say that it was paid before."""
    now = datetime.now(UTC)
    asked = AskedMark("", "user:test", 1000, "in_1", now, now, 1)
    for paid_at, outside in ((now - timedelta(hours=1), False), (now - timedelta(seconds=9), True), (None, True)):
        assert is_marked_there(Sighting(Standing.PAID, "in_1", paid_at=paid_at), asked) is outside


@pytest.mark.parametrize("failure", [Away(), TooFast()])
async def test_total_that_moved_between_two_tries_is_not_marked(
    caller: Caller, provider: FakeProvider, failure: ShowbillError
) -> None:
    (invoice,) = await made(caller, 1)
    provider.failures[invoice.external_id] = [failure]
    provider.gate.clear()
    (run_id,) = (await caller.mark_many(invoice.show_id, [mark(invoice, amount=1000)])).generation_ids
    await eventually(lambda: provider.calls["mark_paid"] == 1)
    newest = replace(provider.made[invoice.id], external_id="in_newest", total=1500, replaces=invoice.external_id)
    provider.made["newest"] = newest
    provider.now(invoice.id, standing=Standing.VOID, replaced_by="in_newest")
    fields = {"external_id": "in_newest", "total": 1500, "replaces": invoice.external_id}
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, invoice, **fields))
    provider.gate.set()
    assert (await caller.finished(run_id)).total_count == 0
    known = await caller.invoice(invoice)
    assert (known.status, known.total, provider.made["newest"].standing) == (DRAFT, 1500, Standing.PAYABLE)
    assert "Its total was £10.00 when it was asked for, and is £15.00 now." in (await told(caller, invoice))[-1][0]


async def test_refusal_is_told_and_the_mark_can_be_made_again(caller: Caller, provider: FakeProvider) -> None:
    refused, voided = await made(caller, 2)
    provider.failures[refused.external_id] = [Refused()]
    provider.now(voided.id, standing=Standing.VOID)
    (run_id,) = (await caller.mark_many(refused.show_id, [mark(refused), mark(voided)])).generation_ids
    run = await caller.finished(run_id)
    assert (run.failed_count, run.created_count, run.unchanged_count) == (1, 0, 1)
    assert (await caller.invoice(refused)).status_reason.startswith("It was not marked as paid. ")
    assert "nothing was marked as paid" in (await told(caller, voided))[-1][0]
    assert counts(await caller.mark_many(refused.show_id, [mark(refused)])) == (1, 0, 0)
    await eventually(lambda: provider.changed["mark_paid"] == 1)


async def test_marks_of_one_by_one_count_and_those_of_before_are_found(caller: Caller, replica: Replica) -> None:
    noted, plain, by_buyer = await made(caller, 3)
    assert (await caller.mark_paid(noted, "Cash at the door.")).paid_outside == "Cash at the door."
    await caller.mark_paid(plain)
    await caller.apply(paid_event(caller, by_buyer))
    await caller.mark_paid(by_buyer, "I thought so")
    kept = {noted.id: "Cash at the door.", plain.id: "yes", by_buyer.id: ""}
    assert {one.id: one.paid_outside for one in await caller.listed(noted.show_id)} == kept
    file = [mark(noted, "Again"), mark(plain), mark(by_buyer)]
    assert counts(await caller.mark_many(noted.show_id, file)) == (0, 2, 1)
    await replica.pool.execute("UPDATE invoices SET paid_outside = ''")
    await replica.pool.execute(_up(repository.MIGRATIONS / "0169_marks_of_before.sql"))
    assert {one.id: one.paid_outside for one in await caller.listed(noted.show_id)} == kept


def _up(migration: Path) -> str:
    return migration.read_text().partition("-- migrate:down")[0]
