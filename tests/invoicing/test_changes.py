"""What is proposed about invoices whose claims or prices changed; carrying it out leaves nothing to propose."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.domain.changes import NOT_HEARD
from services.invoicing.domain.difference import Before, difference
from services.invoicing.domain.invoice import DraftReason, Status
from services.invoicing.domain.plan import Action, Wishes
from services.invoicing.domain.rollup import ChangeKind
from tests.invoicing.world import PAYABLE, World

PRICES: dict[str, int | None] = {"1": 1000, "2": 250, "3": None, "4": 0, "5": 29}


def invoiced(*claims: tuple[str, int], email: str = "a@example.com") -> World:
    world = World(dict(PRICES), list(claims), email=email)
    world.run()
    return world


def paid(*claims: tuple[str, int]) -> World:
    world = invoiced(*claims)
    world.bills[-1].status = Status.PAID
    return world


def proposed(world: World) -> tuple[ChangeKind | None, int]:
    proposal = world.entry().proposal
    return (proposal.change, proposal.difference) if proposal else (None, 0)


# Steps that may happen to a buyer between runs.
def claim(item: str, quantity: int) -> Callable[[World], None]:
    return lambda world: world.claims.append((item, quantity))


def release(number: int) -> Callable[[World], None]:
    def step(world: World) -> None:
        if world.claims:
            world.claims.pop(number % len(world.claims))

    return step


def price(item: str, amount: int | None) -> Callable[[World], None]:
    return lambda world: world.prices.update({item: amount})


def settle(status: Status) -> Callable[[World], None]:
    def step(world: World) -> None:
        for bill in world.bills:
            if bill.payable:
                bill.status = status

    return step


def pay_a_void_one(world: World) -> None:
    """Money came in just before it was voided."""
    for bill in world.bills[:1]:
        if bill.status is Status.VOID:
            bill.status = Status.PAID


def run(changes: bool, fails: bool) -> Callable[[World], None]:
    return lambda world: world.run(Wishes(changes=changes), fails=fails)


items = st.sampled_from(sorted(PRICES))
steps = st.lists(
    st.one_of(
        st.builds(claim, items, st.integers(1, 4)),
        st.builds(release, st.integers(0, 5)),
        st.builds(price, items, st.none() | st.integers(0, 2000)),
        st.builds(settle, st.sampled_from([Status.PAID, Status.UNCOLLECTIBLE, Status.SENT, Status.VOID])),
        st.just(pay_a_void_one),
        st.builds(run, st.booleans(), st.booleans()),
        st.just(run(True, False)),
    ),
    max_size=14,
)


def after(taken: list[Callable[[World], None]]) -> World:
    world = World(dict(PRICES), [("1", 1)])
    for step in taken:
        step(world)
        assert len(world.unsettled()) <= 1
    return world


@given(steps)
def test_carrying_a_plan_out_leaves_nothing_to_change(taken: list[Callable[[World], None]]) -> None:
    world = after(taken)
    before = world.plan()
    assert world.plan() == before
    # Twice: a failed one that owes nothing more is voided by the first, what was settled shows in the second.
    world.run()
    world.run()
    entry = world.entry()
    assert entry.action in (Action.UNCHANGED, Action.SKIP) or entry.change is ChangeKind.NONE
    again = world.plan()
    world.run()
    assert world.plan() == again


@given(steps)
def test_standing_totals_are_what_the_buyer_owes(taken: list[Callable[[World], None]]) -> None:
    world = after(taken)
    world.run()
    world.run()
    entry, owed = world.entry(), world.owed()
    assert len(world.unsettled()) <= 1
    if entry.change is ChangeKind.NONE or entry.action is Action.SKIP or world.bills[-1].status is Status.ERROR:
        return  # told with a sentence: a refund, a price to set, too little to charge
    assert sum(bill.total for bill in world.standing()) == owed.total
    billed: Counter[str] = Counter()
    for bill in world.standing():
        assert bill.total == sum(line["amount"] for line in bill.lines)
        for line in bill.lines:
            billed[line["item_number"]] += line["amount"]
    if world.standing()[-1].digest == owed.digest:  # else other items for the same money, all settled
        assert {item: amount for item, amount in billed.items() if amount} == {
            line["item_number"]: line["amount"] for line in world.lines() if line["amount"]
        }


@given(steps)
def test_run_without_asking_touches_nothing_that_exists(taken: list[Callable[[World], None]]) -> None:
    world = after(taken)
    before = [repr(bill) for bill in world.bills]
    world.run(Wishes())
    assert [repr(bill) for bill in world.bills[: len(before)]] == before


def test_hash_differs_with_what_is_asked() -> None:
    world = invoiced(("1", 1))
    wishes = [Wishes(), Wishes(changes=True), Wishes(emails=True)]
    assert len({world.plan(one).hash for one in wishes}) == 3


def test_hash_differs_with_what_is_proposed() -> None:
    world = invoiced(("1", 1))
    world.claims.append(("2", 1))
    open_one = world.plan(Wishes()).hash
    world.bills[-1].status = Status.PAID
    assert world.plan(Wishes()).hash != open_one


@pytest.mark.parametrize("status", PAYABLE)
def test_open_invoice_is_issued_again(status: Status) -> None:
    world = invoiced(("1", 1))
    world.bills[0].status = status
    world.claims.append(("2", 2))
    proposal = world.entry().proposal
    assert proposal
    assert (proposal.change, proposal.before, proposal.after, proposal.difference) == (
        ChangeKind.REISSUE,
        1000,
        1500,
        500,
    )
    assert "voided and issued again over £15.00 instead of £10.00" in proposal.sentence


def test_draft_that_is_held_back_is_edited() -> None:
    world = invoiced(("1", 1), ("3", 1))
    assert world.bills[0].draft_reason is DraftReason.NEEDS_PRICE
    world.prices["3"] = 700
    proposal = world.entry().proposal
    assert proposal
    assert (proposal.change, proposal.difference) == (ChangeKind.EDIT_DRAFT, 700)
    assert proposal.sentence == "The draft at the provider is brought from £10.00 to £17.00. It can be paid then."
    world.run()
    assert [(bill.revision, bill.total, bill.draft_reason) for bill in world.bills] == [(1, 1700, None)]
    world.prices["3"] = None
    entry = world.entry()
    assert (entry.change, entry.draft_reason) == (ChangeKind.REISSUE, DraftReason.NEEDS_PRICE)
    assert entry.proposal
    assert "It stays a draft" in entry.proposal.sentence


def test_paid_one_gets_a_supplement_over_the_difference() -> None:
    world = paid(("1", 1))
    world.claims.append(("2", 2))
    assert proposed(world) == (ChangeKind.SUPPLEMENT, 500)
    world.run()
    assert [bill.total for bill in world.bills] == [1000, 500]
    world.claims.append(("1", 1))
    assert proposed(world) == (ChangeKind.REISSUE, 1000)
    world.run()
    assert [(bill.status, bill.total) for bill in world.bills][1:] == [(Status.VOID, 500), (Status.DRAFT, 1500)]


def test_owing_less_than_was_paid_is_told() -> None:
    world = paid(("1", 2))
    world.claims = [("1", 1)]
    proposal = world.entry().proposal
    assert proposal
    assert (proposal.change, proposal.difference) == (ChangeKind.NONE, -1000)
    assert proposal.sentence == "The buyer owes £10.00 less than was settled. Refund it at the provider; " + NOT_HEARD


@pytest.mark.parametrize(
    ("settled", "claims", "sentence"),
    [
        (
            [(Status.UNCOLLECTIBLE, 1000)],
            [],
            "The buyer owes nothing now; nothing was paid, and £10.00 was written off. There is nothing to refund.",
        ),
        (
            [(Status.PAID, 1000), (Status.UNCOLLECTIBLE, 500)],
            [("2", 3)],
            "The buyer owes £7.50 now; £10.00 was paid, and £5.00 was written off. Refund £2.50 at the provider; "
            + NOT_HEARD,
        ),
        (
            [(Status.PAID, 1000), (Status.UNCOLLECTIBLE, 500)],
            [("1", 1)],
            "The buyer owes £10.00 now; £10.00 was paid, and £5.00 was written off. There is nothing to refund.",
        ),
    ],
)
def test_what_was_written_off_is_not_to_be_refunded(
    settled: list[tuple[Status, int]], claims: list[tuple[str, int]], sentence: str
) -> None:
    world = invoiced(("1", 1))
    for status, total in settled:
        if world.bills[-1].status not in PAYABLE:
            world.claims.append(("2", total // 250))
            world.run()
        world.bills[-1].status = status
    assert [(bill.status, bill.total) for bill in world.bills] == settled
    world.claims = claims
    proposal = world.entry().proposal
    assert proposal
    assert (proposal.change, proposal.sentence) == (ChangeKind.NONE, sentence)


def test_supplement_beside_what_was_changed_at_the_provider_says_so() -> None:
    world = paid(("1", 1))
    world.bills[0].total, world.bills[0].adjusted = 700, True
    world.claims.append(("2", 1))
    proposal = world.entry().proposal
    assert proposal
    assert (proposal.change, proposal.bill) == (ChangeKind.SUPPLEMENT, 550)
    told = "The total of what is settled was changed at the provider"
    assert told in proposal.sentence
    world.run()
    world.claims.append(("2", 1))
    proposal = world.entry().proposal
    assert proposal
    assert (proposal.change, proposal.bill, told in proposal.sentence) == (ChangeKind.REISSUE, 800, True)


def test_failed_supplement_of_a_buyer_without_claims_tells_of_the_refund() -> None:
    world = paid(("1", 1))
    world.claims.append(("2", 1))
    world.run(fails=True)
    world.claims.clear()
    proposal = world.entry().proposal
    assert proposal
    refund = "The buyer owes £10.00 less than was settled. Refund it at the provider; " + NOT_HEARD
    told = (proposal.change, proposal.sentence)
    assert told == (ChangeKind.VOID, f"{refund} The invoice over £2.50 is voided.")


def test_paid_one_of_the_same_amount_is_right() -> None:
    world = paid(("1", 1))
    world.claims = [("2", 4)]
    assert world.entry().action is Action.UNCHANGED


@pytest.mark.parametrize(
    ("late", "told"), [(("5", 1), "below what the provider can charge, which is £0.30"), (("3", 1), "has no price yet")]
)
def test_difference_that_cannot_be_charged_is_told(late: tuple[str, int], told: str) -> None:
    world = paid(("1", 1))
    world.claims.append(late)
    proposal = world.entry().proposal
    assert proposal
    assert proposal.change is ChangeKind.NONE
    assert told in proposal.sentence


def test_unpaid_one_of_a_buyer_without_claims_is_voided() -> None:
    world = invoiced(("1", 1))
    world.claims.clear()
    assert proposed(world) == (ChangeKind.VOID, -1000)
    world.run()
    assert (world.bills[0].status, world.entry().action) == (Status.VOID, Action.SKIP)


def test_supplement_is_voided_once_nothing_is_missing() -> None:
    world = paid(("1", 1))
    world.claims.append(("2", 1))
    world.run()
    world.claims.pop()
    assert proposed(world) == (ChangeKind.VOID, -250)
    world.run()
    assert world.entry().action is Action.UNCHANGED


def test_second_invoice_of_a_buyer_whose_void_one_was_paid_is_voided() -> None:
    world = invoiced(("1", 1))
    world.claims.append(("2", 1))
    world.run()
    world.bills[0].status = Status.PAID
    entry = world.entry()
    assert (entry.change, entry.proposal and entry.proposal.bill) == (ChangeKind.REISSUE, 250)
    world.run()
    assert [(bill.status, bill.total) for bill in world.bills] == [
        (Status.PAID, 1000),
        (Status.VOID, 1250),
        (Status.DRAFT, 250),
    ]


def test_failed_one_is_tried_again_with_the_claims_of_now() -> None:
    world = World(dict(PRICES), [("1", 1)])
    world.run(fails=True)
    assert (world.entry().action, world.entry().reason) == (Action.UNCHANGED, "Its making failed; retry it.")
    world.claims.append(("2", 1))
    assert proposed(world) == (ChangeKind.RETRY, 250)
    world.run()
    assert [(bill.status, bill.total) for bill in world.bills] == [(Status.DRAFT, 1250)]


def test_known_email_offers_to_issue_again() -> None:
    world = invoiced(("1", 1), email="")
    assert world.entry().proposal is None
    world.email = "new@example.com"
    entry = world.entry()
    assert entry.action is Action.UNCHANGED
    assert entry.proposal
    assert (entry.proposal.change, entry.proposal.optional) == (ChangeKind.REISSUE, True)
    world.run(Wishes(changes=True))
    assert len(world.bills) == 1
    world.run(Wishes(emails=True))
    assert [(bill.status, bill.told_email) for bill in world.bills] == [
        (Status.VOID, ""),
        (Status.DRAFT, "new@example.com"),
    ]
    assert world.entry().proposal is None


def test_changed_email_offers_to_issue_again_for_the_new_address() -> None:
    world = invoiced(("1", 1), email="old@example.com")
    world.email = "Old@Example.com"
    assert world.entry().proposal is None, "the same address"
    world.email = ""
    assert world.entry().proposal is None, "there is no address to issue it for"
    world.email = "new@example.com"
    looked_at = world.plan(Wishes(emails=True))
    (entry,) = looked_at.entries
    assert entry.proposal
    assert (entry.proposal.change, entry.proposal.optional) == (ChangeKind.REISSUE, True)
    assert entry.proposal.sentence.startswith("The provider would mail it to another e-mail address")
    world.run(Wishes(emails=True))
    assert world.bills[-1].told_email == "new@example.com"
    assert world.entry().proposal is None


def line(number: str, quantity: int, unit_price: int | None) -> dict[str, Any]:
    amount = quantity * (unit_price or 0)
    return {
        "item_number": number,
        "title": f"Item {number}",
        "quantity": quantity,
        "unit_price": unit_price,
        "amount": amount,
    }


def test_lines_of_a_supplement_say_what_changed() -> None:
    now = [line("1", 3, 1000), line("2", 2, 300), line("4", 1, 50), line("5", 2, 700)]
    before = [line("1", 1, 1000), line("2", 2, 250), line("3", 2, 100), line("5", 1, 500)]
    found = difference(now, [Before("N-1", 2200, before, adjusted=False)], "GBP")
    assert [(one["title"], one["quantity"], one["unit_price"], one["amount"]) for one in found] == [
        ("Item 4", 1, 50, 50),
        ("Item 1 (now 3 × £10.00, before 1 × £10.00)", 2, 1000, 2000),
        ("Item 2 (now 2 × £3.00, before 2 × £2.50)", 2, 50, 100),
        ("Item 5 (now 2 × £7.00, before 1 × £5.00)", 1, 900, 900),
        ("Item 3 (no longer claimed, before 2 × £1.00)", 2, -100, -200),
    ]


def test_invoice_edited_at_the_provider_is_taken_off_in_one_line() -> None:
    edited = Before("N-1", 900, [line("", 1, 900)], adjusted=True)
    found = difference([line("1", 1, 1000), line("2", 1, 500)], [edited], "GBP")
    assert [(one["title"], one["amount"]) for one in found] == [
        ("Item 1", 1000),
        ("Item 2", 500),
        ("Invoiced before N-1", -900),
    ]
    more = Before("N-2", 600, found, adjusted=False)
    again = difference([line("1", 1, 1000), line("2", 2, 500)], [edited, more], "GBP")
    assert [(one["title"], one["amount"]) for one in again] == [("Item 2 (now 2 × £5.00, before 1 × £5.00)", 500)]


lines = st.dictionaries(
    st.sampled_from("123456"), st.tuples(st.integers(1, 5), st.none() | st.integers(0, 900)), max_size=6
).map(lambda found: [line(number, *what) for number, what in found.items()])


@given(lines, st.lists(st.tuples(lines, st.booleans()), max_size=3))
def test_lines_of_a_supplement_sum_up_to_the_difference(
    now: list[dict[str, Any]], settled: list[tuple[list[dict[str, Any]], bool]]
) -> None:
    before = [Before("N", sum(one["amount"] for one in found), found, edited) for found, edited in settled]
    found = difference(now, before, "GBP")
    due = sum(one["amount"] for one in now) - sum(one.total for one in before)
    assert sum(one["amount"] for one in found) == due
    assert all(one["amount"] == one["quantity"] * (one["unit_price"] or 0) and one["quantity"] > 0 for one in found)
