"""Values put into texts."""

import pytest

from services.common.templates import render


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("Pay here: {link}", {"link": "https://shop.example/p/abc-"}, "Pay here: https://shop.example/p/abc-"),
        ("{link}", {"link": "-abc-"}, "-abc-"),
        ("{show} - {link}", {"link": "l", "show": ""}, "l"),
        ("{show} · {date}, {note}", {"show": "Friday"}, "Friday"),
        ("Hi {name}, pay {link}", {"name": "", "link": "l"}, "Hi , pay l"),
        ("{a}{b}", {}, ""),
        ("{a}", {"a": "{b}"}, "{b}"),
        (" Thanks ", {}, "Thanks"),
    ],
)
def test_a_value_is_never_cut_and_a_missing_one_leaves_no_joint(
    template: str, values: dict[str, str], text: str
) -> None:
    assert render(template, values) == text
