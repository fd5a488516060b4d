"""Identifiers in the shapes of Stripe's."""

import random
import secrets
import string
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits
_UPPER: Final = string.ascii_uppercase + string.digits
_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_random: Final = random.SystemRandom()
_fast: Final = random.Random(_random.getrandbits(128))  # noqa: S311 - ids of objects are not secrets

ACCOUNT_TAIL: Final = 10


def _letters(count: int) -> str:
    return "".join(_fast.choices(_ALPHABET, k=count))


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits


def object_id(prefix: str, account_id: str, at: int) -> str:
    """`in_1UI6qsHIBYZYyePrZqHAeqdY`: 1, the time, the tail of the account's id, eight random letters."""
    return f"{prefix}_1{_base62(at)[-5:]}{account_id[-ACCOUNT_TAIL:]}{_letters(8)}"


def short_id(prefix: str) -> str:
    """`cus_VIiHj0TY6gyFLY`, `req_ZpvntSTDiMF54K`."""
    return f"{prefix}_{_letters(14)}"


def account_id() -> str:
    return f"acct_1{_letters(15)}"


def invoice_prefix() -> str:
    return "".join(_fast.choices(_UPPER, k=8))


def token(characters: int = 32) -> str:
    """Unguessable: for secrets and addresses."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def api_key(prefix: str, account: str) -> str:
    """`sk_test_51…`, of the length of Stripe's."""
    return f"{prefix}_51{account.removeprefix('acct_1')}{token(72)}00{token(8)}"
