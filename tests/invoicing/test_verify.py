"""Each kind of fault planted here or at the provider is found, and a clean show is proven."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.common.ids import new_id
from services.invoicing import looking, render_verification, verify
from services.invoicing.domain.changes import NOT_HEARD
from services.invoicing.domain.evidence import Theirs
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import ProviderLine
from services.invoicing.repository import SQL
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.events_seen import event, paid_event
from tests.invoicing.fake_provider import ACCOUNT, Away, FakeProvider, Refused, TooFast
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "AGAIN", (0.0, 0.0))
    monkeypatch.setattr(looking, "PAUSES", (0.0, 0.0))


@pytest.fixture
async def invoices(caller: Caller) -> list[pb.Invoice]:
    """Of a show with three buyers, all invoiced."""
    show_id = await caller.small_show(3)
    await caller.generate(show_id)
    return await caller.listed(show_id)


def account(caller: Caller, account_id: str = ACCOUNT) -> Account:
    return Account(caller.who.workspace_id, "stripe", account_id, False)


def faults(proof: pb.VerifyShowResponse) -> list[str]:
    return [finding.problem for finding in proof.findings if not finding.accepted]


def assert_disproved(proof: pb.VerifyShowResponse, *words: str) -> None:
    assert (proof.verdict, proof.proven) == (pb.VERDICT_DISPROVED, False)
    assert any(all(word in problem for word in words) for problem in faults(proof)), faults(proof)
    assert all(problem.endswith(".") for problem in faults(proof))


async def test_clean_show_is_proven_with_evidence(caller: Caller, provider: FakeProvider) -> None:
    provider.page = 50
    show_id = await caller.import_example("retail-2010-12-01")
    await caller.generate(show_id)
    proof = await caller.verify(show_id)
    assert (proof.verdict, proof.proven, list(proof.findings)) == (pb.VERDICT_PROVEN, True, [])
    assert (proof.invoice_count, proof.provider_invoice_count, len(proof.buyers)) == (110, 110, 110)
    assert all(one.owed == one.invoiced == one.provider_total for one in proof.buyers)
    assert {(one.invoice_count, one.provider_invoice_count, one.verdict) for one in proof.buyers} == {
        (1, 1, pb.VERDICT_PROVEN)
    }
    handles = [one.handle.casefold() for one in proof.buyers]
    assert handles == sorted(handles)


async def test_settled_invoices_are_right_and_a_voided_one_leaves_its_buyer_without(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    paid, voided, written_off = invoices
    await caller.apply(
        paid_event(caller, paid),
        event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, voided),
        event(caller, pb.PROVIDER_EVENT_TYPE_MARKED_UNCOLLECTIBLE, written_off),
    )
    for one, standing in ((paid, Standing.PAID), (voided, Standing.VOID), (written_off, Standing.UNCOLLECTIBLE)):
        provider.now(one.id, standing=standing)
    proof = await caller.verify(paid.show_id)
    assert faults(proof) == ["The buyer owes £10.00 and has no invoice. Generate it."]
    assert {one.buyer_id for one in proof.buyers if one.verdict != pb.VERDICT_PROVEN} == {voided.buyer_id}


async def test_buyer_without_invoice_is_missing(caller: Caller, invoices: list[pb.Invoice]) -> None:
    show_id = invoices[0].show_id
    await caller.items(show_id, [pb.Item(item_number="9", title="Late", price=700)])
    await caller.ingest(show_id, [winner(9)])
    proof = await caller.verify(show_id)
    assert_disproved(proof, "owes £7.00", "no invoice")
    assert [one.verdict for one in proof.buyers].count(pb.VERDICT_PROVEN) == 3


async def test_claims_that_moved_are_not_what_is_invoiced(caller: Caller, invoices: list[pb.Invoice]) -> None:
    show_id = invoices[0].show_id
    await caller.items(show_id, [pb.Item(item_number="0", title="Dearer", price=1500)])
    proof = await caller.verify(show_id)
    assert_disproved(proof, "owes £15.00", "invoiced £10.00")
    assert not any("Refund" in fault for fault in faults(proof))


async def test_what_was_paid_too_much_is_told_with_what_a_refund_changes(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    show_id = invoices[0].show_id
    await caller.apply(*(paid_event(caller, one) for one in invoices))
    for one in invoices:
        provider.now(one.id, standing=Standing.PAID)
    await caller.items(show_id, [pb.Item(item_number="0", title="Cheaper", price=400)])
    assert_disproved(await caller.verify(show_id), "owes £4.00", f"Refund £6.00 at the provider; {NOT_HEARD}")


async def test_edit_at_the_provider_is_named_and_accepted(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    await caller.apply(paid_event(caller, invoices[0], total=900))
    provider.now(invoices[0].id, standing=Standing.PAID, total=900)
    proof = await caller.verify(invoices[0].show_id)
    assert (proof.verdict, faults(proof)) == (pb.VERDICT_PROVEN, [])
    (finding,) = proof.findings
    assert finding.accepted
    assert "edited at the provider" in finding.problem
    await caller.items(invoices[0].show_id, [pb.Item(item_number="0", title="Dearer", price=1500)])
    assert_disproved(await caller.verify(invoices[0].show_id), "owes £15.00", "invoiced £9.00")


async def test_missed_payment_is_a_fault(caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]) -> None:
    provider.now(invoices[0].id, standing=Standing.PAID, paid_at=datetime.now(UTC) - timedelta(minutes=5))
    assert_disproved(await caller.verify(invoices[0].show_id), "At the provider", "paid", "here it is open")


async def test_payment_under_way_is_no_fault(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    provider.now(invoices[0].id, standing=Standing.PAID, paid_at=datetime.now(UTC))
    proof = await caller.verify(invoices[0].show_id)
    assert proof.proven
    assert [one.accepted for one in proof.findings] == [True]


async def test_news_that_arrives_while_it_looks_counts(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    async def arrive() -> None:
        await caller.apply(event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, invoices[0]))

    provider.now(invoices[0].id, standing=Standing.VOID)
    provider.hurry = arrive
    proof = await caller.verify(invoices[0].show_id)
    assert faults(proof) == ["The buyer owes £10.00 and has no invoice. Generate it."], "no fault of the status"


async def test_invoice_that_is_gone_at_the_provider_is_missing(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    del provider.made[invoices[0].id]
    assert_disproved(await caller.verify(invoices[0].show_id), "does not have its invoice")


async def test_another_total_at_the_provider_is_a_fault(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    provider.now(invoices[0].id, total=999)
    assert_disproved(await caller.verify(invoices[0].show_id), "its total is £9.99", "here it is £10.00")


async def test_another_total_here_is_a_fault(caller: Caller, replica: Replica, invoices: list[pb.Invoice]) -> None:
    await replica.pool.execute("UPDATE invoices SET total = 1 WHERE id = $1", invoices[0].id)
    proof = await caller.verify(invoices[0].show_id)
    assert_disproved(proof, "its total is £10.00", "here it is £0.01")
    assert_disproved(proof, "owes £10.00", "invoiced £0.01")


async def test_copy_at_the_provider_is_extra(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    copy = Theirs(account(caller), "in_copy", Standing.PAYABLE, 1000, "GBP", invoices[0].id)
    provider.extras[copy.place] = copy
    proof = await caller.verify(invoices[0].show_id)
    assert_disproved(proof, "in_copy", "does not count here", "Void it")
    provider.extras[copy.place] = replace(copy, standing=Standing.PAID)
    proof = await caller.verify(invoices[0].show_id)
    assert_disproved(proof, "in_copy", "give the money back", "take our mark out")
    assert not any("Void it" in fault for fault in faults(proof)), "what was paid cannot be voided"
    assert [one.provider_invoice_count for one in proof.buyers if one.buyer_id == invoices[0].buyer_id] == [2]
    provider.extras[copy.place] = replace(copy, standing=Standing.VOID)
    assert (await caller.verify(invoices[0].show_id)).proven


async def test_invoice_of_no_show_is_extra(caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]) -> None:
    stray = Theirs(account(caller), "in_stray", Standing.PAYABLE, 500, "GBP", new_id())
    provider.extras[stray.place] = stray
    assert_disproved(await caller.verify(invoices[0].show_id), "in_stray", "belongs to no show")


async def test_invoices_of_other_shows_are_not_extra(caller: Caller, invoices: list[pb.Invoice]) -> None:
    other = await caller.small_show(2)
    await caller.generate(other)
    for show_id in (invoices[0].show_id, other):
        proof = await caller.verify(show_id)
        assert (proof.proven, list(proof.findings)) == (True, [])


async def test_replacement_at_the_provider_stands_for_the_invoice(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    old = replace(
        provider._theirs(invoices[0].id),  # as it was, but replaced
        standing=Standing.VOID,
        replaced_by="in_next",
    )
    new = replace(old, external_id="in_next", standing=Standing.PAYABLE, replaced_by="")
    del provider.made[invoices[0].id]
    provider.extras = {old.place: old, new.place: new}
    assert (await caller.verify(invoices[0].show_id)).proven
    provider.made_later = {"in_next"}
    assert (await caller.verify(invoices[0].show_id)).proven, "also where it was replaced long after"


async def test_failed_invoice_is_missing(caller: Caller, provider: FakeProvider) -> None:
    provider.failures = {"u1": [Refused()]}
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    assert_disproved(await caller.verify(show_id), "could not be made", "Retry")


async def test_invoice_in_the_making_is_not_checked_yet(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    provider.gate.clear()
    run = await caller.start(show_id)
    assert (await caller.verify(show_id)).verdict == pb.VERDICT_UNCHECKED
    provider.gate.set()
    await caller.finished(run.id)
    assert (await caller.verify(show_id)).proven


async def test_account_that_is_not_connected_is_told_as_unchecked(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    assert provider.connected
    provider.connected = replace(provider.connected, account_id="acct_other")
    proof = await caller.verify(invoices[0].show_id)
    assert proof.verdict == pb.VERDICT_UNCHECKED
    (unchecked,) = proof.unchecked_accounts
    assert unchecked.account_id == ACCOUNT
    assert "Another account is connected now." in unchecked.reason
    assert {one.verdict for one in proof.buyers} == {pb.VERDICT_UNCHECKED}


async def test_what_a_lost_answer_left_in_another_account_is_found(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """Unknown outcome, another account connected, retried there: an invoice stays open at the old account."""
    provider.failures = {"u0": [Refused()]}
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    left = Theirs(account(caller), "in_left", Standing.PAYABLE, 1000, "GBP", invoice.id)
    provider.extras[left.place] = left
    assert provider.connected
    old = provider.connected
    provider.connected = replace(old, account_id="acct_new")
    await caller.finished((await caller.retry(show_id)).generation.id)

    blind = await caller.verify(show_id)
    assert blind.verdict == pb.VERDICT_UNCHECKED
    assert "may have been left open" in blind.buyers[0].reason
    looked_for = "SELECT look_at > now() + interval '30 minutes' FROM leftovers"  # in vain, and again in an hour only
    await eventually(lambda: replica.pool.fetchval(looked_for), why="it was not looked for")
    provider.connected = old
    seeing = await caller.verify(show_id)
    assert_disproved(seeing, "in_left", ACCOUNT, "does not count here")


async def test_payment_that_was_settled_by_hand_is_no_fault(
    caller: Caller, provider: FakeProvider, replica: Replica, invoices: list[pb.Invoice]
) -> None:
    """It stays at the provider for ever, paid: only what is open there, or not settled, is to be done away with."""
    invoice, stray_id = invoices[0], new_id()
    left = Theirs(account(caller), "in_left", Standing.PAID, 1000, "GBP", invoice.id)
    provider.extras[left.place] = left
    about = ("stripe", ACCOUNT, False, "in_left", 1000, "GBP", None, "")
    await replica.pool.execute(SQL["add_stray_payment"], stray_id, invoice.id, invoice.show_id, *about)
    assert_disproved(await caller.verify(invoice.show_id), "in_left", "does not count here", "give the money back")
    request = pb.SettleStrayPaymentRequest(
        show_id=invoice.show_id, stray_payment_id=stray_id, settlement=pb.STRAY_SETTLEMENT_RETURNED, note="Refunded."
    )
    await caller.client.call(caller.invoices.SettleStrayPayment, request, caller.who)
    proof = await caller.verify(invoice.show_id)
    (told,) = proof.findings
    assert (proof.verdict, told.accepted, told.external_id) == (pb.VERDICT_PROVEN, True, "in_left")
    assert "That payment was settled by hand" in told.problem
    twin = replace(left, external_id="in_twin")
    provider.extras[twin.place] = twin
    assert_disproved(await caller.verify(invoice.show_id), "in_twin")


async def test_two_unsettled_invoices_here_are_a_fault(
    caller: Caller, replica: Replica, invoices: list[pb.Invoice]
) -> None:
    await replica.pool.execute("DROP INDEX invoices_one_unsettled")
    await replica.pool.execute(
        "INSERT INTO invoices SELECT (jsonb_populate_record(invoices, jsonb_build_object("
        "'id', gen_random_uuid(), 'revision', 2, 'external_id', 'in_second'))).* FROM invoices WHERE id = $1",
        invoices[0].id,
    )
    assert_disproved(await caller.verify(invoices[0].show_id), "more than one unsettled")


async def test_provider_that_is_away_proves_nothing(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Away

    monkeypatch.setattr(provider, "listed", away)
    assert (await caller.verify(invoices[0].show_id)).verdict == pb.VERDICT_UNCHECKED
    *_, last = await caller.follow_verification(invoices[0].show_id)
    assert last.result.verdict == pb.VERDICT_UNCHECKED


async def test_show_too_large_for_one_call_is_proven_by_a_stream(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "LISTING", 0.0)
    monkeypatch.setattr(render_verification, "_ROWS", 40)
    provider.page = 3
    show_id = await caller.import_example("retail-2010-12-01")
    await caller.generate(show_id)
    late = await caller.verify(show_id)
    assert late.verdict == pb.VERDICT_UNCHECKED
    assert "showbill verify-show" in late.unchecked_accounts[0].reason

    parts = await caller.follow_verification(show_id)
    told = [part.progress for part in parts if part.HasField("progress")]
    pages = -(-110 // 3)
    assert [(one.seen_count, one.found_count, one.expected_count) for one in told] == [
        (min(3 * page, 110), min(3 * page, 110), 110) for page in range(pages + 1)
    ]
    rows = [part.rows for part in parts if part.HasField("rows")]
    assert [len(one.buyers) for one in rows] == [40, 40, 30]
    assert parts[-1].result.verdict == pb.VERDICT_PROVEN
    assert (parts[-1].result.invoice_count, parts[-1].result.provider_invoice_count) == (110, 110)


async def test_rows_of_a_stream_are_those_of_the_answer(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_verification, "_ROWS", 2)
    for one in invoices:
        provider.now(one.id, total=999)
    whole = await caller.verify(invoices[0].show_id)
    parts = await caller.follow_verification(invoices[0].show_id)
    put_together = parts[-1].result
    for part in parts:
        put_together.findings.extend(part.rows.findings)
        put_together.buyers.extend(part.rows.buyers)
    put_together.verify_time.CopyFrom(whole.verify_time)
    assert put_together == whole
    assert len(whole.findings) == 3


async def test_page_that_fails_for_the_moment_is_asked_for_again(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    provider.page = 1
    provider.unlisted = [Away(), TooFast()]
    assert (await caller.verify(invoices[0].show_id)).proven
    assert [page for _, _, page in provider.lists] == ["", "", "", "1", "2"]
    provider.unlisted = [Away(), Away(), Away()]
    assert (await caller.verify(invoices[0].show_id)).verdict == pb.VERDICT_UNCHECKED, "not for ever"


async def test_listing_begins_with_the_show_and_has_no_end(
    caller: Caller, provider: FakeProvider, replica: Replica, invoices: list[pb.Invoice]
) -> None:
    """A copy may be made long after all invoices came to rest."""
    await caller.verify(invoices[0].show_id)
    since, _, _ = provider.lists[-1]
    await replica.pool.execute(
        "UPDATE invoices SET created_at = created_at - interval '9 days', updated_at = updated_at - interval '8 days'"
        " WHERE show_id = $1",
        invoices[0].show_id,
    )
    assert (await caller.verify(invoices[0].show_id)).proven
    earlier, until, _ = provider.lists[-1]
    assert timedelta(days=9) - timedelta(minutes=1) < since - earlier < timedelta(days=9) + timedelta(minutes=1)
    assert until is None


async def test_lines_that_were_edited_to_the_same_total_are_named(
    caller: Caller, provider: FakeProvider, invoices: list[pb.Invoice]
) -> None:
    first, second = invoices[:2]
    provider.now(first.id, lines=(ProviderLine("1 × 0 Item 0", first.total),))
    provider.now(second.id, lines=(ProviderLine("Other", second.total + 500), ProviderLine("Rebate", -500)))
    proof = await caller.verify(first.show_id)
    assert proof.proven, "the money is right"
    (finding,) = proof.findings
    assert (finding.invoice_id, finding.accepted) == (second.id, True)
    assert finding.problem.startswith("Its lines were edited at the provider:")
