"""The shape of Stripe's keys, and what the operator is told about a wrong one."""

import pytest

from services.integrations.adapters.stripe import keys
from services.integrations.failures import AdapterError, Failure

SECRET = "sk_test_" + "a1" * 12
RESTRICTED = "rk_test_" + "a1" * 12
PUBLISHABLE = "pk_test_" + "a1" * 12
LIVE_SECRET, LIVE_PUBLISHABLE = (key.replace("test", "live") for key in (SECRET, PUBLISHABLE))


@pytest.mark.parametrize(
    ("secret", "publishable"), [(SECRET, PUBLISHABLE), (RESTRICTED, PUBLISHABLE), (LIVE_SECRET, LIVE_PUBLISHABLE)]
)
def test_keys_of_one_mode_pass(secret: str, publishable: str) -> None:
    read = keys.read_keys({"secret_key": f" {secret}\n", "publishable_key": publishable})
    assert read["secret_key"].reveal() == secret
    assert keys.is_live(read["secret_key"]) == ("live" in secret)
    assert keys.is_restricted(read["secret_key"]) == secret.startswith("rk_")


@pytest.mark.parametrize(
    ("secret", "publishable", "problems"),
    [
        ("", "", [("secret_key", keys.PASTE), ("publishable_key", keys.PASTE)]),
        (PUBLISHABLE, SECRET, [("secret_key", keys.IS_PUBLISHABLE), ("publishable_key", keys.IS_SECRET)]),
        (PUBLISHABLE, PUBLISHABLE, [("secret_key", keys.IS_PUBLISHABLE)]),
        (SECRET, RESTRICTED, [("publishable_key", keys.IS_SECRET)]),
        ("hello", PUBLISHABLE, [("secret_key", keys.NOT_SECRET)]),
        (SECRET + "!", PUBLISHABLE, [("secret_key", keys.NOT_SECRET)]),
        ("whsec_" + "a" * 24, PUBLISHABLE, [("secret_key", keys.NOT_SECRET)]),
        (SECRET, "pk_test_", [("publishable_key", keys.NOT_PUBLISHABLE)]),
        (
            *(SECRET, LIVE_PUBLISHABLE),
            [
                (
                    "publishable_key",
                    "This is a live key but the secret key is a test key. Use two keys from the same mode.",
                )
            ],
        ),
        (
            *(LIVE_SECRET, PUBLISHABLE),
            [
                (
                    "publishable_key",
                    "This is a test key but the secret key is a live key. Use two keys from the same mode.",
                )
            ],
        ),
    ],
)
def test_wrong_keys_are_told_apart(secret: str, publishable: str, problems: list[tuple[str, str]]) -> None:
    with pytest.raises(AdapterError) as refused:
        keys.read_keys({"secret_key": secret, "publishable_key": publishable})
    assert refused.value.failure is Failure.CREDENTIALS_MALFORMED
    assert [(fault.field, fault.problem) for fault in refused.value.faults] == problems
    assert SECRET not in refused.value.message


def test_unknown_credential_field_is_named() -> None:
    fields = {"secret_key": SECRET, "publishable_key": PUBLISHABLE, "webhook_secret": "whsec_x"}
    with pytest.raises(AdapterError) as refused:
        keys.read_keys(fields)
    assert [fault.field for fault in refused.value.faults] == ["webhook_secret"]
