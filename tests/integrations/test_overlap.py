"""How long the secrets of replaced endpoints hold."""

from datetime import UTC, datetime, timedelta

from services.common.secret import Secret
from services.integrations.overlap import OVERLAP, holding, still, with_replaced

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
A, B, C = (Secret(f"whsec_{name * 20}") for name in "abc")
MOMENT = timedelta(seconds=1)


def test_replaced_secret_holds_for_the_overlap() -> None:
    field = with_replaced(None, A, NOW)
    assert holding(field, NOW) == [A]
    assert holding(field, NOW + OVERLAP - MOMENT) == [A]
    assert holding(field, NOW + OVERLAP) == []


def test_second_replacement_keeps_the_first_for_the_rest_of_its_time() -> None:
    field = with_replaced(with_replaced(None, A, NOW), B, NOW + OVERLAP / 2)
    assert holding(field, NOW + OVERLAP - MOMENT) == [B, A]
    assert holding(field, NOW + OVERLAP) == [B]


def test_keeping_the_field_draws_nothing_out() -> None:
    field = with_replaced(with_replaced(None, A, NOW), B, NOW + OVERLAP / 2)
    kept = still(field, NOW + OVERLAP)
    assert kept
    assert holding(kept, NOW + OVERLAP) == [B]
    assert still(kept, NOW + 2 * OVERLAP) is None
    assert still(None, NOW) is None


def test_what_holds_no_longer_is_dropped_with_the_next() -> None:
    field = with_replaced(with_replaced(None, A, NOW), C, NOW + OVERLAP)
    assert A.reveal() not in field.reveal()


def test_secret_with_spaces_stays_whole() -> None:
    assert holding(with_replaced(None, Secret("secret of end 1"), NOW), NOW) == [Secret("secret of end 1")]


def test_secret_that_names_no_moment_holds_no_longer() -> None:
    assert holding(A, NOW) == []
