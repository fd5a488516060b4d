"""The status machine: by rank, so that order, repetition and lateness make no difference."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.domain.invoice import (
    MOVES,
    STATUS,
    UNSETTLED,
    DraftReason,
    Invoice,
    Standing,
    Status,
    fail,
    mark_sent,
)
from services.invoicing.domain.sighting import ProviderLine, Sighting, observe, provider_lines
from tests.invoicing.sightings import (
    NEW,
    NOW,
    OF_ONE,
    OF_REPLACEMENT,
    OLD,
    SAID,
    VOIDED_FOR_ANOTHER,
    multisets,
    orders,
    said,
)

PENDING = Invoice(
    id="x",
    workspace_id="x",
    show_id="x",
    buyer_id="x",
    generation_id="x",
    platform="x",
    platform_user_id="x",
    handle="x",
    display_name="",
    email="",
    pay_token="t",
    status=Status.PENDING,
    draft_reason=None,
    status_reason="",
    total=1000,
    currency="GBP",
    line_count=1,
    unpriced_count=0,
    revision=1,
    attempt=1,
    version=1,
    provider="stripe",
    external_account="acct",
    livemode=False,
    external_id="",
    external_url="",
    external_url_at=None,
    provider_url="",
    number="",
    adjusted_at_provider=False,
    paid_at=None,
    sent_at=None,
    send_count=0,
    created_at=NOW,
    updated_at=NOW,
)


def after(invoice: Invoice, sightings: list[Sighting]) -> Invoice:
    for sighting in sightings:
        seen = observe(invoice, sighting, NOW)
        invoice = seen[0] if seen else invoice
    return invoice


def standing_of(invoice: Invoice) -> tuple[object, ...]:
    return invoice.status, invoice.draft_reason, invoice.total, invoice.adjusted_at_provider, invoice.paid_at


def ends(invoice: Invoice, sightings: Sequence[Sighting]) -> set[tuple[object, ...]]:
    """Where an invoice stands after every order of what is said."""
    return {standing_of(after(invoice, [sightings[place] for place in order])) for order in orders(sightings)}


HELD = after(replace(PENDING, draft_reason=DraftReason.NEEDS_PRICE), [said(Standing.HELD_BACK)])
STARTS = [(PENDING, OF_ONE[:-1]), (replace(PENDING, draft_reason=DraftReason.NEEDS_PRICE), OF_ONE[:-1]), (HELD, OF_ONE)]
"""With what can be said: a deletion counts for the counterpart that is known."""


@pytest.mark.parametrize(("invoice", "kinds"), STARTS)
def test_every_order_of_every_four_events_ends_the_same(invoice: Invoice, kinds: list[Sighting]) -> None:
    wrong = [multiset for multiset in multisets(kinds, 4) if len(ends(invoice, multiset)) > 1]
    assert not wrong


@given(st.sampled_from(STARTS), st.sampled_from([1000, 1200]), st.data())
def test_every_order_of_five_events_ends_the_same(
    start: tuple[Invoice, list[Sighting]], total: int, data: st.DataObject
) -> None:
    invoice, kinds = start
    told = data.draw(st.lists(st.sampled_from(kinds), min_size=5, max_size=5))
    # A draft that was deleted was never finalized: no other total can be said of it.
    said_total = invoice.total if any(one.deleted for one in told) else total
    assert len(ends(invoice, [one if one.total is None else replace(one, total=said_total) for one in told])) == 1


@given(st.lists(st.sampled_from(OF_ONE), max_size=5), st.data())
def test_groups_of_any_size_end_like_single_events(sightings: list[Sighting], data: st.DataObject) -> None:
    """A group is taken one by one, each from where the one before it led."""
    cut = data.draw(st.integers(0, len(sightings)))
    together = after(PENDING, sightings)
    assert after(after(PENDING, sightings[:cut]), sightings[cut:]) == together


@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=5))
def test_saying_everything_twice_changes_nothing_more(standings: list[Standing]) -> None:
    once = after(PENDING, [said(standing) for standing in standings])
    assert after(once, [said(standing) for standing in standings]) == once


@given(st.lists(st.sampled_from(SAID), max_size=6))
def test_every_step_is_a_legal_move(standings: list[Standing]) -> None:
    invoice = PENDING
    for standing in standings:
        before, invoice = invoice, after(invoice, [said(standing)])
        assert invoice.status == before.status or invoice.status in MOVES[before.status]
        assert invoice.version in (before.version, before.version + 1)


def test_moves_go_up_in_rank_but_for_the_retry() -> None:
    ranks = {status: max(standing for standing in Standing if STATUS[standing] is status) for status in Status}
    down = {(old, new) for old, moves in MOVES.items() for new in moves if ranks[new] < ranks[old]}
    assert down == {(Status.ERROR, Status.PENDING)}
    assert set(MOVES) == set(Status)


def test_no_move_leads_back_among_the_unsettled() -> None:
    assert all(not MOVES[status] & UNSETTLED for status in set(Status) - UNSETTLED)


@pytest.mark.parametrize("late", SAID)
def test_nothing_moves_a_paid_invoice(late: Standing) -> None:
    paid = after(PENDING, [said(Standing.PAID)])
    assert after(paid, [said(late)]) == paid
    assert paid.paid_at == NOW


def test_finalizing_a_held_back_draft_takes_the_providers_total() -> None:
    held = after(replace(PENDING, draft_reason=DraftReason.NEEDS_PRICE, unpriced_count=1), [said(Standing.HELD_BACK)])
    assert not held.payable
    priced = replace(said(Standing.PAYABLE, 2500), lines=(ProviderLine("A", 1000), ProviderLine("B", 1500)))
    seen = observe(held, priced, NOW)
    assert seen is not None
    invoice, reason = seen
    assert (invoice.payable, invoice.total, invoice.line_count, invoice.unpriced_count) == (True, 2500, 2, 0)
    assert invoice.adjusted_at_provider
    assert reason == "The total was changed at the provider from £10.00 to £25.00."
    assert [line["amount"] for line in provider_lines(priced)] == [1000, 1500]


def test_deleted_draft_becomes_void_and_says_why() -> None:
    held = after(replace(PENDING, draft_reason=DraftReason.NEEDS_PRICE), [said(Standing.HELD_BACK)])
    seen = observe(held, Sighting(Standing.VOID, "in_1", deleted=True), NOW)
    assert seen is not None
    assert seen[0].status is Status.VOID
    assert seen[0].total == held.total
    assert "deleted" in seen[0].status_reason


def test_total_in_another_currency_is_not_taken() -> None:
    odd = replace(said(Standing.PAID, 5), currency="USD")
    assert after(PENDING, [odd]).total == 1000


def test_failure_is_late_once_the_invoice_was_made() -> None:
    assert fail(after(PENDING, [said(Standing.PAYABLE)]), "No.", NOW) is None
    failed = fail(PENDING, "No.", NOW)
    assert failed is not None
    assert (failed.status, failed.status_reason, failed.version) == (Status.ERROR, "No.", 2)


def test_sending_moves_only_a_payable_draft() -> None:
    draft = after(PENDING, [said(Standing.PAYABLE)])
    sent = mark_sent(draft, NOW)
    again = mark_sent(replace(sent, status=Status.PAYMENT_FAILED), NOW)
    assert (sent.status, sent.send_count) == (Status.SENT, 1)
    assert (again.status, again.send_count) == (Status.PAYMENT_FAILED, 2)


def test_invoice_that_was_replaced_is_followed() -> None:
    sent = mark_sent(after(PENDING, [said(Standing.PAYABLE)]), NOW)
    seen = observe(sent, VOIDED_FOR_ANOTHER, NOW)
    assert seen is not None
    followed, reason = seen
    assert (followed.status, followed.external_id, followed.external_url, followed.number) == (Status.SENT, NEW, "", "")
    assert "replaced at the provider" in reason
    read = after(followed, [said(Standing.PAYABLE, 1500, NEW, external_url="https://new")])
    assert (read.status, read.total, read.external_url) == (Status.SENT, 1500, "https://new")
    assert read.adjusted_at_provider


def test_what_is_still_said_of_the_replaced_invoice_moves_nothing() -> None:
    followed = after(PENDING, [said(Standing.PAYABLE), OF_REPLACEMENT[0]])
    assert after(followed, [VOIDED_FOR_ANOTHER, said(Standing.VOID), said(Standing.PAYMENT_FAILED)]) == followed
    assert (followed.status, followed.external_id, followed.total) == (Status.DRAFT, NEW, 1500)


def test_draft_of_an_edit_that_is_given_up_moves_nothing() -> None:
    payable = after(PENDING, [said(Standing.PAYABLE)])
    given_up = Sighting(Standing.VOID, NEW, deleted=True, replaces=OLD)
    unfinished = said(Standing.HELD_BACK, external_id=NEW, replaces=OLD)
    assert after(payable, [unfinished, given_up]) == payable


@pytest.mark.parametrize("news", [OF_REPLACEMENT[0], VOIDED_FOR_ANOTHER])
def test_payment_of_a_replacement_counts_in_every_order(news: Sighting) -> None:
    payable = after(PENDING, [said(Standing.PAYABLE)])
    told = [news, VOIDED_FOR_ANOTHER, OF_REPLACEMENT[-1], said(Standing.SENT), OF_REPLACEMENT[2]]
    assert len(ends(payable, told)) == 1
    paid = after(payable, told)
    assert (paid.status, paid.total, paid.external_id, paid.paid_at) == (Status.PAID, 1500, NEW, NOW)


def test_every_order_about_a_replacement_ends_with_it() -> None:
    """Whether an attempt to pay failed before or after the edit may differ; never the money, or what is settled."""
    payable = after(PENDING, [said(Standing.PAYABLE)])
    before = [said(Standing.SENT), said(Standing.PAYMENT_FAILED)]
    for multiset in multisets([*before, VOIDED_FOR_ANOTHER, *OF_REPLACEMENT], 3):
        if not {*multiset} & {*OF_REPLACEMENT}:
            continue
        found = [after(payable, [multiset[place] for place in order]) for order in orders(multiset)]
        assert {one.external_id for one in found} == {NEW}
        assert len({(one.total, one.payable or one.status, one.paid_at) for one in found}) == 1


def test_only_a_payment_calls_back_what_is_void() -> None:
    void = after(PENDING, [said(Standing.PAYABLE), said(Standing.VOID)])
    assert after(void, [OF_REPLACEMENT[0]]) == void
    assert after(void, [OF_REPLACEMENT[-1]]).status is Status.PAID


def test_late_news_of_a_settled_invoice_leaves_its_total() -> None:
    paid = after(PENDING, [said(Standing.PAID, 1200)])
    assert after(paid, [said(Standing.PAYABLE, 1000)]) == paid


def test_sightings_of_a_copy_move_nothing_once_it_is_made() -> None:
    made = after(PENDING, [said(Standing.PAYABLE)])
    assert after(made, [said(Standing.PAID, external_id="in_copy")]) == made
