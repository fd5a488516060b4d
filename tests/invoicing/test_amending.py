"""One invoice voided or marked as paid by its operator: once, by rank, in the operator's name, whatever was cut off."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.cli.embedded.nats import Nats
from services.common.errors import Kind
from services.common.ids import new_id
from services.common.status import RemoteError
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import Sighting
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import MakeCaller, Replica
from tests.invoicing.events_seen import event, listening, paid_event, paid_now
from tests.invoicing.fake_provider import Away, Elsewhere, FakeProvider, Refused, TooFast, sighting_of
from tests.invoicing.test_shows import refusal
from tests.waiting import eventually

VOID, PAID, ERROR, DRAFT = (
    *(pb.INVOICE_STATUS_VOID, pb.INVOICE_STATUS_PAID),
    *(pb.INVOICE_STATUS_ERROR, pb.INVOICE_STATUS_DRAFT),
)


@pytest.fixture
async def invoice(caller: Caller) -> pb.Invoice:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    return (await caller.listed(show_id))[0]


async def told(caller: Caller, invoice: pb.Invoice) -> list[tuple[str, str]]:
    return [(change.reason, change.actor) for change in await caller.history(invoice)]


async def test_voided_invoice_is_void_there_and_here(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, nats: Nats
) -> None:
    async with listening(nats.url, caller.who.workspace_id) as heard:
        done = await caller.void(invoice)
        await eventually(lambda: len(heard.of("invoice.updated")) == 2)
    assert (done.status, done.status_reason) == (VOID, "It was voided.")
    assert provider.made[invoice.id].standing is Standing.VOID
    assert (await told(caller, invoice))[-1] == ("It was voided.", "user:test")
    assert (await caller.void(invoice)).version == done.version
    assert provider.changed["void"] == 1
    told_of = [event.invoice_updated.version for event in heard.of("invoice.updated")]
    assert told_of == [done.version - 1, done.version]


async def test_voided_buyer_is_invoiced_again(caller: Caller, invoice: pb.Invoice) -> None:
    await caller.void(invoice)
    assert (await caller.generate(invoice.show_id)).created_count == 1
    assert sorted((one.revision, one.status) for one in await caller.listed(invoice.show_id)) == [(1, VOID), (2, DRAFT)]


async def test_marked_paid_keeps_the_note(caller: Caller, invoice: pb.Invoice, provider: FakeProvider) -> None:
    done = await caller.mark_paid(invoice, " Cash at the door. ")
    assert done.status == PAID
    assert done.HasField("paid_time")
    assert (await told(caller, invoice))[-2:] == [
        ("Marking it as paid outside the provider was asked for. Note: Cash at the door.", "user:test"),
        ("It was marked as paid outside the provider.", "user:test"),
    ]
    again = await caller.mark_paid(invoice, "Cash at the door.")
    assert again.version == done.version
    assert provider.changed["mark_paid"] == 1


async def test_marked_paid_over_what_was_looked_at_alone(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    error = await refusal(caller.mark_paid(invoice, "Cash", invoice.total + 500))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "INVOICE_STATUS")
    assert "by now, and not of" in error.message
    assert provider.calls["mark_paid"] == 0
    assert (await caller.mark_paid(invoice, "Cash", invoice.total)).status == PAID


async def test_note_too_long_is_refused(caller: Caller, invoice: pb.Invoice) -> None:
    error = await refusal(caller.mark_paid(invoice, "x" * 501))
    assert (error.kind, error.faults[0].field) == (Kind.INVALID, "note")


@pytest.mark.parametrize("verb", ["void", "mark_paid"])
async def test_lost_answer_is_made_good_by_asking_again(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, verb: str
) -> None:
    call = caller.void if verb == "void" else caller.mark_paid
    provider.cut.add(verb)
    assert (await refusal(call(invoice))).kind is Kind.UNAVAILABLE
    assert (await caller.invoice(invoice)).status == DRAFT
    done = await call(invoice)
    assert done.status == (VOID if verb == "void" else PAID)
    assert provider.changed[verb] == 1
    assert (await told(caller, invoice))[-1][1] == "user:test"


async def test_lost_answer_is_made_good_by_the_event_and_the_note_is_there(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.cut.add("mark_paid")
    await refusal(caller.mark_paid(invoice, "Cash."))
    await caller.apply(paid_now(caller, invoice), event(caller, pb.PROVIDER_EVENT_TYPE_SENT, invoice))
    known = await caller.invoice(invoice)
    assert (known.status, known.paid_outside) == (PAID, "Cash.")
    for _ in range(2):
        assert (await caller.mark_paid(invoice, "Cash.")).paid_outside == "Cash."
    assert (await told(caller, invoice))[2:] == [
        ("Marking it as paid outside the provider was asked for. Note: Cash.", "user:test"),
        ("It was marked as paid outside the provider.", "user:test"),
    ]


async def test_event_that_overtakes_the_answer_leaves_the_operators_name(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.gate.clear()
    late = asyncio.create_task(caller.void(invoice))
    await eventually(lambda: provider.calls["void"] == 1)
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, invoice))
    provider.gate.set()
    assert (await late).status == VOID
    assert [actor.split(":")[0] for _, actor in await told(caller, invoice)][-2:] == ["user", "event"]


async def test_void_that_meets_a_payment_ends_as_paid_and_says_so(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    error = await refusal(caller.void(invoice))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "INVOICE_STATUS")
    assert "was paid a moment before" in error.message
    assert (await caller.invoice(invoice)).status == PAID
    assert (await told(caller, invoice))[-1] == ("It was paid.", "worker:amend")
    assert "Refund the payment" in (await refusal(caller.void(invoice))).message


async def test_marking_that_meets_a_void_ends_as_void_and_says_so(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.now(invoice.id, standing=Standing.VOID)
    assert "nothing was marked as paid" in (await refusal(caller.mark_paid(invoice))).message
    assert (await caller.invoice(invoice)).status == VOID
    assert (await refusal(caller.mark_paid(invoice))).reason == "INVOICE_STATUS"


def edit_there(provider: FakeProvider, invoice: pb.Invoice, total: int) -> None:
    """It is edited at the provider, of which nobody hears: void there, and another one in its place."""
    newest = replace(provider.made[invoice.id], external_id="in_newest", total=total, replaces=invoice.external_id)
    provider.made["newest"] = newest
    provider.now(invoice.id, standing=Standing.VOID, replaced_by="in_newest")


async def test_invoice_that_was_edited_at_the_provider_is_followed_and_voided(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    edit_there(provider, invoice, 1500)
    done = await caller.void(invoice)
    assert (done.status, done.external_id, done.total) == (VOID, "in_newest", 1500)
    assert provider.made["newest"].standing is Standing.VOID
    told_last = ("It was voided. The total was changed at the provider from £10.00 to £15.00.", "user:test")
    assert (await told(caller, invoice))[-1] == told_last


async def test_invoice_that_was_edited_at_the_provider_is_not_marked_unseen(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    edit_there(provider, invoice, 1500)
    error = await refusal(caller.mark_paid(invoice, "Cash"))
    assert (error.reason, error.message.split(".")[0]) == (
        "INVOICE_STATUS",
        "It was edited at the provider a moment before",
    )
    assert (await caller.invoice(invoice)).total == 1500
    assert provider.made["newest"].standing is not Standing.PAID
    done = await caller.mark_paid(invoice, "Cash")
    assert (done.status, done.total, done.paid_outside) == (PAID, 1500, "Cash")


async def test_invoice_that_is_edited_again_and_again_is_told_so(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    ids = [invoice.external_id, *(f"in_{n}" for n in range(19))]
    for n, (old, new) in enumerate(itertools.pairwise(ids)):
        one = replace(provider.made[invoice.id], external_id=old, standing=Standing.VOID, replaced_by=new)
        provider.made[f"edit{n}"] = one
    del provider.made[invoice.id]
    for call in (caller.void(invoice), caller.mark_paid(invoice)):
        assert "edited at the provider again and again" in (await refusal(call)).message
        assert (await caller.invoice(invoice)).status == DRAFT


async def test_marking_what_was_paid_by_card_is_told_and_not_in_the_operators_name(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    paid_at = datetime.now(UTC) - timedelta(minutes=4)
    provider.now(invoice.id, standing=Standing.PAID, paid_at=paid_at)
    error = await refusal(caller.mark_paid(invoice, "Cash at the door."))
    assert error.reason == "INVOICE_STATUS"
    assert "paid this invoice through the provider already" in error.message
    now = await caller.invoice(invoice)
    assert (now.status, now.paid_outside) == (PAID, "")
    assert (await told(caller, invoice))[-2:] == [
        ("It was paid.", "worker:amend"),
        (f"It was not marked as paid. {error.message}", "user:test"),
    ]


async def test_invoice_of_another_total_there_is_not_marked(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.now(invoice.id, total=1500)
    assert (await refusal(caller.mark_paid(invoice, "Cash"))).reason == "TOTAL_MISMATCH"
    (run_id,) = (
        await caller.mark_many(invoice.show_id, [pb.PaidMark(invoice_id=invoice.id, paid=True)])
    ).generation_ids
    assert (await caller.finished(run_id)).failed_count == 1
    assert provider.changed["mark_paid"] == 0
    await caller.apply(paid_now(caller, invoice))  # by the buyer, for both tries are known to have come to nothing
    assert (await caller.invoice(invoice)).paid_outside == ""


async def test_payment_by_the_buyer_never_becomes_a_mark(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    """However often it is asked for, and however shortly before the buyer paid."""
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    provider.says_how_it_was_paid = False
    assert (
        "paid this invoice through the provider already" in (await refusal(caller.mark_paid(invoice, "Cash"))).message
    )
    for _ in range(3):
        assert (await caller.mark_paid(invoice, "Cash")).paid_outside == ""


async def test_payment_by_the_buyer_after_a_refusal_or_beside_the_mark_is_no_mark(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.failures[invoice.external_id] = [Refused(), TooFast(), Elsewhere()]
    for _ in range(3):
        await refusal(caller.mark_paid(invoice, "Cash"))
    provider.gate.clear()
    provider.says_how_it_was_paid = False
    late = asyncio.create_task(caller.mark_paid(invoice, "Cash"))
    await eventually(lambda: provider.calls["mark_paid"] == 4)
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    await caller.apply(paid_now(caller, invoice))  # which could be the mark, while its answer is outstanding
    provider.gate.set()
    assert "paid this invoice through the provider already" in (await refusal(late)).message
    known = await caller.invoice(invoice)
    assert (known.status, known.paid_outside) == (PAID, "")
    assert (await told(caller, invoice))[-2] == ("It was the buyer who paid it, through the provider.", "worker:amend")
    assert (await caller.mark_paid(invoice, "Cash")).paid_outside == ""


@pytest.mark.parametrize("says", [True, False])
async def test_try_without_an_answer_is_told_from_the_buyers_payment(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, says: bool
) -> None:
    """By the provider, or else by when it was paid: long after the last try it is the buyer's."""
    provider.says_how_it_was_paid = says
    provider.failures[invoice.external_id] = [Away()]
    await refusal(caller.mark_paid(invoice, "Cash"))
    paid_at = datetime.now(UTC) + timedelta(minutes=0 if says else 30)
    provider.now(invoice.id, standing=Standing.PAID, paid_at=paid_at)
    error = await refusal(caller.mark_paid(invoice, "Cash"))
    assert "paid this invoice through the provider already" in error.message
    assert (await caller.invoice(invoice)).paid_outside == ""


async def test_payment_taken_for_the_mark_is_asked_about_once_more(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    """The try without an answer came to nothing, and the buyer paid: told so once the provider can be asked."""
    provider.failures[invoice.external_id] = [Away(), Elsewhere()]
    await refusal(caller.mark_paid(invoice, "Cash"))
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    await caller.apply(paid_now(caller, invoice))
    assert (await caller.invoice(invoice)).paid_outside == "Cash"
    assert (await refusal(caller.mark_paid(invoice, "Cash"))).reason == "ACCOUNT_CHANGED"
    marked = ("It was marked as paid outside the provider.", "user:test")
    assert (await told(caller, invoice))[-1] == marked, "that it was not is known to nobody"
    error = await refusal(caller.mark_paid(invoice, "Cash"))
    assert "paid this invoice through the provider already" in error.message
    assert (await caller.invoice(invoice)).paid_outside == ""
    assert (await told(caller, invoice))[-2:] == [
        ("It was the buyer who paid it, through the provider.", "worker:amend"),
        (f"It was not marked as paid. {error.message}", "user:test"),
    ]
    assert (await caller.mark_paid(invoice, "Cash")).paid_outside == ""


async def test_asking_about_a_payment_is_no_try_that_could_have_made_it(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, replica: Replica
) -> None:
    provider.says_how_it_was_paid = False
    provider.failures[invoice.external_id] = [Away()]
    await refusal(caller.mark_paid(invoice, "Cash"))
    long_ago = (
        "UPDATE asked_marks SET asked_at = asked_at - '1 hour'::interval, tried_at = tried_at - '1 hour'::interval"
    )
    await replica.pool.execute(f"{long_ago} WHERE invoice_id = $1", invoice.id)
    provider.now(invoice.id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    await caller.apply(paid_now(caller, invoice))
    error = await refusal(caller.mark_paid(invoice, "Cash"))
    assert "paid this invoice through the provider already" in error.message
    assert (await caller.invoice(invoice)).paid_outside == ""


@pytest.mark.parametrize("hears", [True, False])
async def test_mark_of_an_invoice_that_was_replaced_is_none_of_the_one_in_its_place(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider, hears: bool
) -> None:
    """Though it is of the same total: whether an event tells of its payment, or only the answer to the next mark."""
    provider.says_how_it_was_paid = False
    provider.failures[invoice.external_id] = [Away()]
    await refusal(caller.mark_paid(invoice, "Cash"))
    edit_there(provider, invoice, 1000)
    fields = {"external_id": "in_newest", "replaces": invoice.external_id}
    await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, invoice, **fields))
    provider.now("newest", standing=Standing.PAID, paid_at=datetime.now(UTC))
    if hears:
        await caller.apply(paid_now(caller, invoice, **fields))
    else:
        # refused, or, where a reading of its own was quicker, nothing to do any more
        (answer,) = await asyncio.gather(caller.mark_paid(invoice, "Cash"), return_exceptions=True)
        assert isinstance(answer, pb.Invoice) or (isinstance(answer, RemoteError) and answer.reason == "INVOICE_STATUS")
    known = await caller.invoice(invoice)
    assert (known.status, known.external_id, known.paid_outside) == (PAID, "in_newest", "")
    assert (await caller.mark_paid(invoice, "Cash")).paid_outside == ""


async def test_answer_that_comes_after_the_event_makes_it_a_mark(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    """Though by the event's time it seemed to be the buyer's."""
    provider.gate.clear()
    late = asyncio.create_task(caller.mark_paid(invoice, "Cash"))
    await eventually(lambda: provider.calls["mark_paid"] == 1)
    await caller.apply(paid_event(caller, invoice))
    assert (await caller.invoice(invoice)).paid_outside == ""
    provider.gate.set()
    done = await late
    assert (done.paid_outside, done.version) == ("Cash", (await caller.invoice(invoice)).version)
    assert (await told(caller, invoice))[-1] == ("It was marked as paid outside the provider.", "user:test")
    assert [one.version for one in await caller.history(invoice)] == list(range(1, done.version + 1))


async def test_marks_at_once_are_one_mark(caller: Caller, invoice: pb.Invoice, provider: FakeProvider) -> None:
    provider.says_how_it_was_paid = False
    done = await asyncio.gather(*(caller.mark_paid(invoice, "Cash") for _ in range(4)))
    assert {(one.status, one.paid_outside) for one in done} == {(PAID, "Cash")}
    assert provider.changed["mark_paid"] == 1


async def test_voids_at_once_are_one_void(caller: Caller, invoice: pb.Invoice, provider: FakeProvider) -> None:
    done = await asyncio.gather(*(caller.void(invoice) for _ in range(4)))
    assert {one.status for one in done} == {VOID}
    assert provider.changed["void"] == 1
    assert [reason for reason, _ in await told(caller, invoice)].count("It was voided.") == 1


async def test_refused_void_changes_nothing_and_gives_the_sentence(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.failures[invoice.external_id] = [Refused("The provider does not void this.")]
    assert (await refusal(caller.void(invoice))).message == "The provider does not void this."
    assert (await caller.invoice(invoice)).status == invoice.status
    assert (await told(caller, invoice))[-2:] == [
        ("Voiding it was asked for.", "user:test"),
        ("It was not voided. The provider does not void this.", "user:test"),
    ]


async def test_refused_mark_stands_in_the_history_and_a_lost_answer_is_no_refusal(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.failures[invoice.external_id] = [Away(), Refused("The provider does not take this.")]
    asked = ("Marking it as paid outside the provider was asked for.", "user:test")
    await refusal(caller.mark_paid(invoice))
    assert (await told(caller, invoice))[-1] == asked
    await refusal(caller.mark_paid(invoice))
    assert (await told(caller, invoice))[-2:] == [
        asked,
        ("It was not marked as paid. The provider does not take this.", "user:test"),
    ]
    assert (await caller.mark_paid(invoice)).status == PAID


async def test_invoice_of_another_workspace_or_show_is_not_found(
    caller: Caller, invoice: pb.Invoice, make_caller: MakeCaller, provider: FakeProvider
) -> None:
    other = await make_caller()
    strange = pb.Invoice(id=invoice.id, show_id=await caller.small_show(1))
    for call in (other.void(invoice), other.mark_paid(invoice), other.finalize(invoice), other.update_draft(invoice)):
        assert (await refusal(call)).reason == "SHOW_NOT_FOUND"
    for call in (caller.void(strange), caller.mark_paid(strange), caller.finalize(strange)):
        assert (await refusal(call)).reason == "INVOICE_NOT_FOUND"
    assert not provider.changed


async def test_invoice_that_is_being_made_is_not_voided(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    (pending,) = await caller.listed(show_id)
    error = await refusal(caller.void(pending))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "INVOICE_BUSY")
    assert error.retry_after
    provider.gate.set()
    assert (await caller.finished(run.id)).created_count == 1


async def test_invoice_that_nobody_began_is_voided_without_the_provider(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    provider.gate.clear()
    show_id = await caller.small_show(20)
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 16)
    unbegun = await replica.pool.fetchval(
        "SELECT id FROM invoices WHERE show_id = $1 AND first_attempt_at IS NULL LIMIT 1", show_id
    )
    done = await caller.void(pb.Invoice(id=str(unbegun), show_id=show_id))
    assert (done.status, done.external_id) == (VOID, "")
    assert done.status_reason == "It was voided before it was made. The buyer can be invoiced again."
    provider.gate.set()
    finished = await caller.finished(run.id)
    assert (finished.created_count, finished.cancelled_count, finished.pending_count) == (19, 1, 0)
    assert str(unbegun) not in provider.made
    assert provider.reads == 0


async def test_what_a_failed_making_left_is_voided_first(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2)
    provider.failures = {f"u{n}": [Refused()] for n in range(2)}
    await caller.generate(show_id)
    left, nothing = await caller.listed(show_id)
    provider.made[left.id] = sighting_of(left.id, Standing.HELD_BACK, left.total)
    for invoice in (left, nothing):
        done = await caller.void(invoice)
        assert (done.status, done.external_id) == (VOID, "")
    assert provider.made[left.id].deleted
    assert nothing.id not in provider.made
    assert (await caller.generate(show_id)).created_count == 2


async def test_open_invoice_left_by_a_failed_making_is_voided_and_known(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    provider.made[invoice.id] = sighting_of(invoice.id, Standing.PAYABLE, invoice.total)
    done = await caller.void(invoice)
    assert (done.status, done.external_id) == (VOID, provider.made[invoice.id].external_id)
    assert provider.made[invoice.id].standing is Standing.VOID


async def test_what_replaced_an_invoice_left_by_a_failed_making_is_voided_too(
    caller: Caller, provider: FakeProvider
) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (failed,) = await caller.listed(show_id)
    newest = Sighting(Standing.PAYABLE, "in_newest", total=900, currency="GBP", replaces="in_old")
    provider.made = {
        failed.id: Sighting(Standing.VOID, "in_old", total=1000, currency="GBP", replaced_by="in_newest"),
        "newest": newest,
    }
    done = await caller.void(failed)
    assert (done.status, done.external_id) == (VOID, "in_newest")
    assert provider.made["newest"] == replace(newest, standing=Standing.VOID)


async def test_paid_invoice_left_by_a_failed_making_ends_as_paid(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    made = sighting_of(invoice.id, Standing.PAID, invoice.total)
    provider.made[invoice.id] = replace(made, paid_at=datetime.now(UTC))
    assert "was paid a moment before" in (await refusal(caller.void(invoice))).message
    assert (await caller.invoice(invoice)).status == PAID


async def test_failed_invoice_is_not_voided_while_nobody_knows_what_was_left(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    provider.unreadable = Away("The provider is away.")
    assert (await refusal(caller.void(invoice))).message == "The provider is away."
    assert (await caller.invoice(invoice)).status == ERROR
    provider.unreadable = None
    assert (await refusal(caller.void(invoice))).reason == "INVOICE_BUSY", "what was asked may still be under way"
    await replica.pool.execute("UPDATE invoices SET lease_expires_at = lease_expires_at - interval '3 s'")
    assert (await caller.void(invoice)).status == VOID


async def test_retry_leaves_alone_what_is_being_voided(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    provider.made[invoice.id] = sighting_of(invoice.id, Standing.PAYABLE, invoice.total)
    provider.gate.clear()
    late = asyncio.create_task(caller.void(invoice))
    await eventually(lambda: provider.calls["void"] == 1)
    assert (await caller.retry(show_id)).retried_count == 0
    assert (await refusal(caller.void(invoice))).reason == "INVOICE_BUSY"
    provider.gate.set()
    assert (await late).status == VOID
    assert (await caller.retry(show_id)).retried_count == 0


async def test_what_was_made_after_the_void_is_cleared_away(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """A worker whose lease lapsed, and who comes back after the invoice was voided."""
    show_id = await caller.small_show(1)
    provider.gate.clear()
    run = await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    (pending,) = await caller.listed(show_id)
    # As if the worker had been frozen: its lease lapses and is not renewed.
    order = replica.service.workers._under_way.pop(pending.id)
    await replica.pool.execute(
        "UPDATE invoices SET lease_owner = $1, lease_expires_at = now() - interval '1 s', not_before = 'infinity'",
        new_id(),
    )
    assert (await caller.void(pending)).status == VOID
    replica.service.workers._under_way[pending.id] = order
    provider.failures[sighting_of(pending.id, Standing.PAYABLE, 0).external_id] = [Away()]
    provider.gate.set()
    await eventually(lambda: pending.id in provider.made and provider.made[pending.id].standing is Standing.VOID)
    assert (await caller.invoice(pending)).status == VOID
    done = await caller.finished(run.id)
    assert (done.created_count, done.cancelled_count) == (0, 1), "what is void is not made"


@pytest.mark.parametrize("verb", ["mark_paid", "finalize", "update_draft"])
async def test_what_the_status_forbids_is_a_sentence(caller: Caller, provider: FakeProvider, verb: str) -> None:
    show_id = await caller.small_show(2)
    provider.failures = {"u0": [Refused()]}
    await caller.generate(show_id)
    failed, made = sorted(await caller.listed(show_id), key=lambda one: one.status != ERROR)
    await caller.void(made)
    for invoice in (failed, made):
        error = await refusal(getattr(caller, verb)(invoice))
        assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "INVOICE_STATUS")
        assert error.message.endswith(".")
    assert set(provider.changed) <= {"void"}


async def test_invoice_with_a_change_under_way_is_not_voided_beside_it(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    await caller.items(invoice.show_id, [pb.Item(item_number="0", title="Item 0", price=2000)])
    provider.gate.clear()
    run = await caller.start(invoice.show_id, apply_changes=True)
    await eventually(lambda: provider.calls["void"] == 1)
    assert (await refusal(caller.void(invoice))).reason == "INVOICE_BUSY"
    provider.gate.set()
    assert (await caller.finished(run.id)).created_count == 1
    (now,) = await caller.listed(invoice.show_id, DRAFT)
    assert (await caller.void(now)).status == VOID
