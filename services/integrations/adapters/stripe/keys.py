"""The shape of Stripe's keys: what they begin with, which mode they are of, and what the operator mixed up."""

import re
from collections.abc import Mapping
from typing import Final

from services.common.errors import Fault
from services.common.secret import Secret
from services.integrations.connection_values import Credentials, Link
from services.integrations.failures import AdapterError, Failure

SECRET_KEY: Final = "secret_key"  # noqa: S105  # the name of a field
PUBLISHABLE_KEY: Final = "publishable_key"

_SECRET: Final = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]{10,250}")
_PUBLISHABLE: Final = re.compile(r"pk_(test|live)_[A-Za-z0-9_]{10,250}")

PASTE = "Paste the key from Stripe."
NOT_SECRET = "This does not look like a secret key. Copy it again from Stripe."  # noqa: S105  # a sentence
NOT_PUBLISHABLE = "This does not look like a publishable key. Copy it again from Stripe."
IS_PUBLISHABLE = "That is a publishable key. The secret key starts with rk_ or sk_."
IS_SECRET = "That is a secret key. Paste it in the field above."  # noqa: S105  # a sentence


def read_keys(fields: Mapping[str, str]) -> Credentials:
    """Raises AdapterError CREDENTIALS_MALFORMED with a fault for each field that is wrong."""
    secret, publishable = (fields.get(name, "").strip() for name in (SECRET_KEY, PUBLISHABLE_KEY))
    faults = [
        *(Fault(SECRET_KEY, problem) for problem in _secret_problem(secret)),
        *(Fault(PUBLISHABLE_KEY, problem) for problem in _publishable_problem(publishable, secret)),
        *(
            Fault(name, "Stripe has no such key. Send a secret key and a publishable key.")
            for name in fields.keys() - {SECRET_KEY, PUBLISHABLE_KEY}
        ),
    ]
    if faults:
        sentence = " ".join(dict.fromkeys(fault.problem for fault in faults))
        raise AdapterError(Failure.CREDENTIALS_MALFORMED, f"{sentence} Nothing was saved.", faults=faults)
    return {SECRET_KEY: Secret(secret), PUBLISHABLE_KEY: Secret(publishable)}


def _secret_problem(secret: str) -> list[str]:
    if not secret:
        return [PASTE]
    if secret.startswith("pk_"):
        return [IS_PUBLISHABLE]
    return [] if _SECRET.fullmatch(secret) else [NOT_SECRET]


def _publishable_problem(publishable: str, secret: str) -> list[str]:
    if not publishable:
        return [PASTE]
    if publishable.startswith(("sk_", "rk_")):
        return [IS_SECRET]
    ours, theirs = _PUBLISHABLE.fullmatch(publishable), _SECRET.fullmatch(secret)
    if ours is None:
        return [NOT_PUBLISHABLE]
    if theirs is not None and ours.group(1) != theirs.group(2):
        mixed = f"This is a {ours.group(1)} key but the secret key is a {theirs.group(2)} key."
        return [f"{mixed} Use two keys from the same mode."]
    return []


def secret_key_of(link: Link) -> Secret:
    """Raises AdapterError CREDENTIALS_REJECTED where the stored keys are not complete."""
    if SECRET_KEY not in link.credentials:
        raise AdapterError(
            Failure.CREDENTIALS_REJECTED, "The stored keys are not complete. Connect again with the keys from Stripe."
        )
    return link.credentials[SECRET_KEY]


def kind_of(secret_key: Secret) -> str:
    """What its beginning says for everybody to read: restricted or not, live or test."""
    found = _SECRET.fullmatch(secret_key.reveal())
    return f"{found.group(1)}_{found.group(2)}" if found else ""


def is_live(secret_key: Secret) -> bool:
    """The mode that a secret key's prefix claims."""
    return secret_key.reveal().split("_")[1] == "live"


def is_restricted(secret_key: Secret) -> bool:
    return secret_key.reveal().startswith("rk_")
