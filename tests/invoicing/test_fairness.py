"""Who gets the next free hands."""

from services.invoicing.domain.fairness import Account, Waiting, share

A = Account("w1", "stripe", "acct_a", False)
B = Account("w2", "stripe", "acct_b", False)


def test_giant_account_does_not_hold_up_a_small_one() -> None:
    giant, small = Waiting(A, "s1", 16), Waiting(B, "s2", 3)
    assert share([giant, small], {A: 16}, 16, 256) == {small: 3}
    assert share([giant, small], {}, 16, 8) == {giant: 5, small: 3}


def test_shows_of_one_account_take_turns() -> None:
    giant, small = Waiting(A, "s1", 16), Waiting(A, "s2", 2)
    assert share([giant, small], {}, 16, 256) == {giant: 14, small: 2}


def test_full_hands_take_nothing() -> None:
    assert share([Waiting(A, "s1", 16)], {A: 16}, 16, 256) == {}
    assert share([Waiting(A, "s1", 16)], {}, 16, 0) == {}
