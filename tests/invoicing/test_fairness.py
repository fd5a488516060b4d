"""Who gets the next free hands."""

import pytest

from services.invoicing.domain.fairness import Account, Waiting, share

A = Account("w1", "stripe", "acct_a", False)
B = Account("w2", "stripe", "acct_b", False)
GIANT, SMALL = "s1", "s2"


def test_giant_account_does_not_hold_up_a_small_one() -> None:
    giant, small = Waiting(A, GIANT, 16), Waiting(B, SMALL, 3)
    assert share([giant, small], {(A, GIANT): 16}, 16, 256) == {small: 3}
    assert share([giant, small], {}, 16, 8) == {giant: 5, small: 3}


def test_shows_of_one_account_take_turns() -> None:
    first, second, small = Waiting(A, GIANT, 20), Waiting(A, SMALL, 20), Waiting(A, "s3", 2)
    assert share([first, second], {}, 16, 256) == {first: 8, second: 8}
    assert share([first, small], {}, 16, 256) == {first: 14, small: 2}


@pytest.mark.parametrize("order", [("s1", "s2"), ("s2", "s1")])
def test_one_free_hand_goes_to_the_show_that_has_fewer(order: tuple[str, str]) -> None:
    mine, other = (Waiting(A, show, 100) for show in order)
    assert share([mine, other], {(A, mine.show_id): 14, (A, other.show_id): 1}, 16, 256) == {other: 1}


def test_one_free_hand_of_the_process_goes_to_the_account_that_has_fewer() -> None:
    mine, other = Waiting(A, GIANT, 100), Waiting(B, SMALL, 100)
    assert share([mine, other], {(A, GIANT): 14, (B, SMALL): 2}, 16, 1) == {other: 1}
    assert share([mine, other], {(A, GIANT): 2, (B, SMALL): 14}, 16, 1) == {mine: 1}


def test_full_hands_take_nothing() -> None:
    assert share([Waiting(A, GIANT, 16)], {(A, GIANT): 16}, 16, 256) == {}
    assert share([Waiting(A, GIANT, 16)], {}, 16, 0) == {}


def finished_at(sizes: dict[str, int], show: str) -> int:
    """How many invoices were made in all when the last one of a show was: hands get free one at a time."""
    left, made = dict(sizes), 0
    under_way: list[str] = []
    while left[show] or show in under_way:
        busy = {(A, one): under_way.count(one) for one in sizes}
        waiting = [Waiting(A, one, min(count, 128)) for one, count in left.items() if count]
        for group, count in (share(waiting, busy, 16, 256) if waiting else {}).items():
            left[group.show_id] -= count
            under_way += [group.show_id] * count
        under_way.pop(0)
        made += 1
    return made


@pytest.mark.parametrize("giant_first", [True, False])
@pytest.mark.parametrize("size", [5, 20, 50])
def test_small_show_beside_a_giant_takes_its_own_time_and_a_half(size: int, giant_first: bool) -> None:
    """Time counts in invoices that the account makes meanwhile; what was under way before is finished first."""
    giant, small = ("s1", "s2") if giant_first else ("s2", "s1")
    assert finished_at({giant: 5000, small: size}, small) <= 1.5 * size + 16
