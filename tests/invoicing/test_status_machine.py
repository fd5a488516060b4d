"""The status machine: by rank, so that order, repetition and lateness make no difference."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.domain.invoice import (
    MOVES,
    STATUS,
    UNSETTLED,
    DraftReason,
    Invoice,
    ProviderLine,
    Sighting,
    Standing,
    Status,
    fail,
    mark_sent,
    observe,
    provider_lines,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
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
SAID = [standing for standing in Standing if standing >= Standing.HELD_BACK]


def said(standing: Standing, total: int = 1000) -> Sighting:
    final = None if standing is Standing.HELD_BACK else total
    return Sighting(standing, "in_1", final, "GBP", "https://pay", "https://see", "N-1", NOW)


def after(invoice: Invoice, sightings: list[Sighting]) -> Invoice:
    for sighting in sightings:
        seen = observe(invoice, sighting, NOW)
        invoice = seen[0] if seen else invoice
    return invoice


def standing_of(invoice: Invoice) -> tuple[object, ...]:
    return invoice.status, invoice.draft_reason, invoice.total, invoice.adjusted_at_provider, invoice.paid_at


@given(
    st.lists(st.sampled_from(SAID), max_size=5), st.sampled_from([None, *DraftReason]), st.sampled_from([1000, 1200])
)
def test_every_order_of_events_ends_the_same(
    standings: list[Standing], draft_reason: DraftReason | None, total: int
) -> None:
    invoice = replace(PENDING, draft_reason=draft_reason)
    sightings = [said(standing, total) for standing in standings]
    ends = {standing_of(after(invoice, list(order))) for order in itertools.permutations(sightings)}
    assert len(ends) == 1


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
