import base64
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.common.context import Identity
from services.common.secret import Secret
from services.common.tokens import BadServiceToken, Signer, Verifier, parse_public_keys, public_key_of

SEEDS = {
    name: Secret(base64.b64encode(bytes([number]) * 32).decode()) for number, name in enumerate(["gateway", "rogue"])
}
KEYS = parse_public_keys(f"gateway={public_key_of(SEEDS['gateway'])}")
WHO = Identity("0198c0de-0000-7000-8000-000000000001", "user:1", "pro")


def test_a_token_says_who_calls_for_whom() -> None:
    caller = Verifier("invoicing", KEYS).verify(Signer("gateway", SEEDS["gateway"]).mint("invoicing", WHO))
    assert (caller.service, caller.identity) == ("gateway", WHO)


def test_a_service_wide_token_has_no_workspace() -> None:
    token = Signer("gateway", SEEDS["gateway"]).mint("invoicing", Identity("", "worker:webhooks"))
    assert Verifier("invoicing", KEYS).verify(token).identity.workspace_id == ""


def private_key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(SEEDS[name].reveal()))


def claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    return {"iss": "gateway", "aud": "invoicing", "sub": "user:1", "ws": "w", "iat": now, "exp": now + 60} | changes


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not-a-token",
        Signer("gateway", SEEDS["gateway"]).mint("integrations", WHO),
        Signer("gateway", SEEDS["rogue"]).mint("invoicing", WHO),
        Signer("rogue", SEEDS["rogue"]).mint("invoicing", WHO),
        jwt.encode(claims(exp=int(time.time()) - 60), private_key("gateway"), algorithm="EdDSA"),
        jwt.encode({k: v for k, v in claims().items() if k != "exp"}, private_key("gateway"), algorithm="EdDSA"),
        jwt.encode(claims(), "", algorithm="none"),
        jwt.encode(claims(), public_key_of(SEEDS["gateway"]), algorithm="HS256"),
        "a.b.c",
    ],
    ids=[
        "empty",
        "garbage",
        "other audience",
        "stolen name",
        "stranger",
        "expired",
        "no expiry",
        "alg none",
        "key confusion",
        "dots",
    ],
)
def test_a_token_that_proves_nothing_is_refused(token: str) -> None:
    with pytest.raises(BadServiceToken):
        Verifier("invoicing", KEYS).verify(token)


def test_clocks_of_two_machines_may_differ_by_seconds() -> None:
    ahead = int(time.time()) + 5
    token = jwt.encode(claims(iat=ahead, exp=ahead + 60), private_key("gateway"), algorithm="EdDSA")
    assert Verifier("invoicing", KEYS).verify(token).service == "gateway"


def test_a_wrong_key_list_names_its_entry() -> None:
    with pytest.raises(ValueError, match="'gateway'"):
        parse_public_keys("gateway=AAAA")
