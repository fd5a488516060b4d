"""The plan of a generation: pure, whole, and the same however its input is ordered."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.domain.invoice import DraftReason, Status
from services.invoicing.domain.plan import Action, Plan, Warn, plan
from services.invoicing.domain.rollup import NOTHING, Billed, Buyer, Owed, Position
from services.invoicing.domain.terms import Terms

TERMS = Terms(currency="GBP", minimum_totals={"GBP": 30}, maximum_total=99_999_999, maximum_lines=250)


def owed(total: int = 1000, lines: int = 1, unpriced: int = 0) -> Owed:
    return Owed(total, lines, lines, unpriced, f"{total}/{lines}/{unpriced}")


def position(what: Owed, billed: Billed | None = None, *, number: int = 1, email: str = "a@b.c") -> Position:
    return Position(Buyer(f"id-{number}", "facebook", f"u{number}", f"@u{number}", "", email), what, billed, 0)


def billed(what: Owed, status: Status = Status.DRAFT) -> Billed:
    return Billed("invoice", status, what.total, what.digest)


def only(planned: Plan) -> tuple[Action, DraftReason | None, tuple[Warn, ...]]:
    (entry,) = planned.entries
    return entry.action, entry.draft_reason, entry.warnings


positions = st.lists(
    st.builds(
        lambda number, total, lines, unpriced, made: position(
            owed(total, lines, min(unpriced, lines)),
            billed(owed(*made)) if made else None,
            number=number,
        ),
        number=st.integers(0, 10_000),
        total=st.integers(0, 200_000_000),
        lines=st.integers(1, 600),
        unpriced=st.integers(0, 3),
        made=st.none() | st.tuples(st.integers(0, 10_000), st.integers(1, 3), st.just(0)),
    ),
    max_size=12,
    unique_by=lambda one: one.buyer.id,
)


@given(positions, st.randoms())
def test_order_of_input_makes_no_difference(given_positions: list[Position], chance: random.Random) -> None:
    shuffled = given_positions.copy()
    chance.shuffle(shuffled)
    assert plan(shuffled, TERMS) == plan(given_positions, TERMS)


@given(positions)
def test_every_buyer_is_planned_once_and_sums_balance(given_positions: list[Position]) -> None:
    planned = plan(given_positions, TERMS)
    assert sorted(entry.buyer.id for entry in planned.entries) == sorted(one.buyer.id for one in given_positions)
    parts = [sum(entry.owed.total for entry in planned.having(action)) for action in Action]
    assert sum(parts) == sum(one.owed.total for one in given_positions)
    assert planned.create_total == parts[list(Action).index(Action.CREATE)]


def test_hash_changes_with_what_is_owed() -> None:
    assert plan([position(owed(1000))], TERMS).hash != plan([position(owed(1001))], TERMS).hash


def test_unpriced_line_holds_the_invoice_back() -> None:
    assert only(plan([position(owed(1000, 2, 1))], TERMS)) == (
        Action.CREATE,
        DraftReason.NEEDS_PRICE,
        (Warn.UNPRICED,),
    )


def test_total_below_the_minimum_is_held_back() -> None:
    assert only(plan([position(owed(29))], TERMS)) == (Action.CREATE, DraftReason.BELOW_MINIMUM, (Warn.BELOW_MINIMUM,))
    assert only(plan([position(owed(30))], TERMS)) == (Action.CREATE, None, ())


def test_buyer_of_free_things_is_skipped() -> None:
    planned = plan([position(owed(0))], TERMS)
    assert only(planned) == (Action.SKIP, None, (Warn.NOTHING_TO_PAY,))
    assert planned.entries[0].reason == "Everything is free: there is nothing to pay."


def test_total_above_the_maximum_is_skipped_with_the_limit() -> None:
    planned = plan([position(owed(100_000_000))], TERMS)
    assert planned.entries[0].action is Action.SKIP
    assert "£999,999.99" in planned.entries[0].reason


def test_warnings_name_email_and_many_lines() -> None:
    assert only(plan([position(owed(1000, 251), email="")], TERMS))[2] == (Warn.NO_EMAIL, Warn.MANY_LINES)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.VOID])
def test_buyer_with_an_invoice_is_left_alone(status: Status) -> None:
    assert only(plan([position(owed(), billed(owed(), status))], TERMS))[0] is Action.UNCHANGED


def test_changed_claims_are_told_with_both_totals() -> None:
    planned = plan([position(owed(1500), billed(owed(1000)))], TERMS)
    assert planned.entries[0].action is Action.CHANGED
    assert planned.entries[0].reason.endswith("it was £10.00, now it is £15.00.")


def test_buyer_who_lost_everything_is_changed() -> None:
    planned = plan([position(NOTHING, billed(owed(1000)))], TERMS)
    assert planned.entries[0].action is Action.CHANGED
    assert "no longer wins" in planned.entries[0].reason


def test_test_mode_and_a_sick_connection_are_warned_of() -> None:
    assert plan([], Terms("GBP", healthy=False, livemode=False)).warnings == (Warn.CONNECTION_UNHEALTHY, Warn.TEST_MODE)
