"""Templates: what may stand in braces, and where it is said that something may not."""

import pytest

from services.common.templates import render
from services.integrations.connection import Settings
from services.integrations.connection_values import Limits
from services.integrations.settings import FIELDS, faults_of
from services.integrations.templates import MEMO_VARIABLES, MESSAGE_VARIABLES, problems, sample_values

LIMITS = Limits({}, 1, 1, longest_memo=1500, longest_footer=5000)


@pytest.mark.parametrize("name", MESSAGE_VARIABLES)
def test_every_variable_has_a_sample_that_is_put_in(name: str) -> None:
    template = f"A {{{name}}} b"
    assert problems(template, MESSAGE_VARIABLES) == []
    assert render(template, sample_values("JPY")) == f"A {sample_values('JPY')[name]} b"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Thanks {buyr}", "There is no variable {buyr} (at character 8)."),
        ("One\nTwo {nope}", "There is no variable {nope} (at line 2, character 5)."),
        ("{}", "There is no variable {} (at character 1)."),
        ("{ buyer }", "There is no variable { buyer } (at character 1)."),
        ("Total {total", "The brace at character 7 has no partner."),
        ("Total total}", "The brace at character 12 has no partner."),
        ("Pay {pay_link}", "The variable {pay_link} at character 5 cannot be used here"),
    ],
)
def test_what_is_no_variable_is_told_with_its_place(template: str, says: str) -> None:
    (problem,) = problems(template, MEMO_VARIABLES)
    assert problem.startswith(says)
    assert problem.endswith(".")


def test_all_problems_are_told_at_once() -> None:
    assert len(problems("{a} {buyer} {b} }", MEMO_VARIABLES)) == 3


def test_settings_of_a_new_connection_are_valid() -> None:
    assert faults_of(Settings(), FIELDS, LIMITS) == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("default_currency", "XXQ", "ISO 4217"),
        ("memo_template", "x" * 1501, "1 character too long; 1500 fit"),
        ("message_template", "x" * 2003, "3 characters too long"),
        ("footer", "x" * 5002, "The footer is 2 characters too long"),
        ("payment_instructions", "x" * 5001, "The payment instructions are 1 character too long"),
        ("days_until_due", 0, "1 to 365 days"),
        ("days_until_due", 366, "1 to 365 days"),
    ],
)
def test_setting_out_of_bounds_is_refused(field: str, value: object, says: str) -> None:
    given: dict[str, object] = {field: value}
    (fault,) = faults_of(Settings(**given), FIELDS, LIMITS)  # type: ignore[arg-type]  # one field, its name in a variable
    assert fault.field == field
    assert says in fault.problem


def test_only_the_fields_that_change_are_judged() -> None:
    assert faults_of(Settings(days_until_due=0), ["footer"], LIMITS) == []
