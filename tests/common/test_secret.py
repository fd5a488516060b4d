import copy
import json
import pickle

import msgspec
import pytest

from services.common.secret import Secret, redact

KEY = "sk_test_" + "51Hx9secretsecretsecret" + "Zz99"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "{:>10}".format, "%s".__mod__])
def test_secret_never_shows_its_value(show: object) -> None:
    assert callable(show)
    assert KEY not in show(Secret(KEY))
    assert KEY not in f"{[Secret(KEY)]} { ({'key': Secret(KEY)}) }"


@pytest.mark.parametrize("encode", [pickle.dumps, json.dumps, msgspec.json.encode, copy.deepcopy, hash])
def test_secret_refuses_to_be_encoded_or_copied(encode: object) -> None:
    assert callable(encode)
    with pytest.raises(TypeError) as error:
        encode(Secret(KEY))
    assert KEY not in str(error.value)


def test_secret_equals_only_the_same_secret() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret(KEY + "x")
    assert Secret(KEY) != KEY


def test_hint_shows_four_characters_of_long_secrets_only() -> None:
    assert Secret(KEY).hint == "Zz99"
    assert Secret("short").hint == ""


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"Invalid API Key provided: {KEY}", "Invalid API Key provided: sk_test_***"),
        ("Invalid API Key provided: sk_test_****abcd", "Invalid API Key provided: sk_test_***"),
        ("rk_live_51Habc", "rk_live_***"),
        ("secret whsec_abc+/=def.", "secret whsec_***."),
        ("postgres://user:pa55@host/db", "postgres://user:***@host/db"),
        ("pk_test_51Habc is public", "pk_test_51Habc is public"),
        ("token showbill_0123456789abcdefXYZ", "token showbill_***"),
        ("Bearer eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJnIn0.c2ln", "Bearer ***"),
        (repr(f"pasted\n{KEY}"), r"'pasted\nsk_test_***'"),
        (repr("\nwhsec_0123456789abcdef"), r"'\nwhsec_***'"),
        (repr("\tshowbill_0123456789abcdefXYZ"), r"'\tshowbill_***'"),
        ("nats://:pa55@host", "nats://:***@host"),
        ("nats://t0ken@host:4222", "nats://***@host:4222"),
        ("http://showbill.example/p/x?mail=a@b", "http://showbill.example/p/x?mail=a@b"),
        ("task_test_is not a key", "task_test_is not a key"),
    ],
)
def test_redact_blanks_what_has_a_secrets_shape(text: str, clean: str) -> None:
    assert redact(text) == clean
