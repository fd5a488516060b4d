import copy
import dataclasses
import inspect
import json
import pickle
import pprint
import reprlib

import msgspec
import pytest

from services.common.secret import Secret, redact

KEY = "sk_test_" + "51Hx9secretsecretsecret" + "Zz99"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "{:>10}".format, "%s".__mod__])
def test_secret_never_shows_its_value(show: object) -> None:
    assert callable(show)
    assert KEY not in show(Secret(KEY))
    assert KEY not in f"{[Secret(KEY)]} { ({'key': Secret(KEY)}) }"


@dataclasses.dataclass
class Holder:
    key: Secret


class Sketch(msgspec.Struct):
    key: Secret


@pytest.mark.parametrize(
    "encode",
    [
        *(pickle.dumps, json.dumps, msgspec.json.encode, msgspec.to_builtins, copy.deepcopy, copy.copy, hash, vars),
        *(lambda secret: sorted([secret, secret]), lambda secret: secret + "", lambda secret: secret < secret),
        *(lambda secret: secret.__getstate__(), lambda secret: secret.__reduce_ex__(4), len, iter, bytes),
        *(lambda secret: json.dumps(secret, default=vars), lambda secret: dataclasses.asdict(Holder(secret))),
        lambda secret: KEY in secret,
    ],
)
def test_secret_refuses_to_be_encoded_or_copied(encode: object) -> None:
    assert callable(encode)
    with pytest.raises((TypeError, ValueError)) as error:
        encode(Secret(KEY))
    assert KEY not in str(error.value)


def test_holders_of_a_secret_print_without_it() -> None:
    holders = (Holder(Secret(KEY)), Sketch(Secret(KEY)))
    shown = f"{holders} {pprint.pformat({'a': [Secret(KEY)]})} {reprlib.repr(Secret(KEY))}"
    assert KEY not in shown
    assert "***" in shown
    assert KEY not in str(inspect.getmembers(Secret(KEY), lambda value: not callable(value)))
    assert json.dumps({"key": Secret(KEY)}, default=str) == '{"key": "***"}'


def test_secret_of_any_text_can_be_compared() -> None:
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800") != Secret("?")


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
        ("sk_org_live_51Habc and sk_org_test_****abcd", "sk_org_live_*** and sk_org_test_***"),
        ("made\nsk_org_live_51HabcDEF012", "made\nsk_org_live_***"),
        ("The key is sk_live_51Habc.", "The key is sk_live_***."),
        ("Expired API Key provided: rk_live_*********************abcd", "Expired API Key provided: rk_live_***"),
        ("key sk_test_…abcd and sk_test_••••abcd", "key sk_test_*** and sk_test_***"),
        ("secret_key_sk_test_51Habc", "secret_key_sk_test_***"),
        ("b'sk_test_51Habc'", "b'sk_test_***'"),
        ("key=sk_test_51Habc&x=1", "key=sk_test_***&x=1"),
        ("2026-11=" + "A" * 43 + "=", "2026-11=***"),
        ("req_abc123 acct_1Hx9abc in_123", "req_abc123 acct_1Hx9abc in_123"),
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
