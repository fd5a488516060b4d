"""What the first start invents: passwords, keys and the demo account. Kept in one private file."""

import base64
import json
import secrets
import string
from collections.abc import Callable
from pathlib import Path

from services.cli.complaint import Complaint
from services.cli.key_file import write_key_file
from services.cli.private_files import write_private

SERVICES = ("gateway", "invoicing", "integrations", "claims", "messaging")
"""Who signs service tokens; `claims` and `messaging` stand for the operator's own, which are not part of the stack."""
DATABASES = ("integrations", "invoicing", "gateway")


def password() -> str:
    """Letters, digits, - and _: safe in a URL."""
    return secrets.token_urlsafe(24)


def readable_password() -> str:
    """For a person to type: four groups of four, 75 bits, without letters that look alike."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def key_32() -> str:
    """The base64 of 32 random bytes."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def stripe_keys() -> dict[str, str]:
    """A secret and a publishable test key of one account, shaped like Stripe's."""
    letters = string.ascii_letters + string.digits
    account, *tails = ("".join(secrets.choice(letters) for _ in range(length)) for length in (14, 83, 83))
    return {f"{kind}_key": f"{kind}_test_51{account}{tail}" for kind, tail in zip(("sk", "pk"), tails, strict=True)}


GENERATORS: dict[str, Callable[[], str]] = {
    "postgres_password": password,
    "nats_password": password,
    **{f"{name}_database_password": password for name in DATABASES},
    **{f"{name}_signing_key": key_32 for name in SERVICES},
    "demo_password": readable_password,
    "demo_api_token": lambda: f"showbill_{secrets.token_urlsafe(32)}",
}


def load(path: Path) -> dict[str, str]:
    """What the file holds, with what is new since it was written added to it.

    Raises Complaint when it is not readable as what it should be: inventing new keys would orphan the data.
    """
    known: dict[str, str] = {}
    if path.exists():
        try:
            known = json.loads(path.read_text())
        except ValueError as error:
            raise Complaint(
                f"{path} is damaged, and the data beside it cannot be read without it. "
                "Put back a copy, or remove the whole state folder to start anew."
            ) from error
    values = {name: known.get(name) or generate() for name, generate in GENERATORS.items()}
    if "sk_key" not in known:
        values |= stripe_keys()
    if {entry.partition("=")[0] for entry in known.get("service_public_keys", "").split(",")} != set(SERVICES):
        values["service_public_keys"] = _public_keys(values)
    values = known | values
    if values != known:
        write_private(path, json.dumps(values, indent=2) + "\n")
    return values


def make_keyring(path: Path, keyring: Path) -> None:
    """The keyring in a file of its own, which `showbill keys` changes: made at the first start.

    An older version kept its one key with the other secrets: that is the one, and it leaves that place.
    """
    known: dict[str, str] = json.loads(path.read_text())
    if not keyring.exists():
        key_id = known.get("credential_key_id", f"local-{secrets.token_hex(4)}")
        write_key_file(keyring, key_id, known.get("credential_key") or key_32())
    left = {name: value for name, value in known.items() if name not in ("credential_key_id", "credential_key")}
    if left != known:
        write_private(path, json.dumps(left, indent=2) + "\n")


def _public_keys(values: dict[str, str]) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # only at the first start

    def public(seed: str) -> str:
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed)).public_key()
        return base64.b64encode(key.public_bytes_raw()).decode()

    return ",".join(f"{name}={public(values[f'{name}_signing_key'])}" for name in SERVICES)
