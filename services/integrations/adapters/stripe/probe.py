"""Asks Stripe whose keys these are, before anything is stored."""

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.keys import PUBLISHABLE_KEY, SECRET_KEY, is_live, is_restricted, kind_of
from services.integrations.adapters.stripe.operations import READ_ACCOUNT
from services.integrations.adapters.stripe.permissions import Examination, examine, missing_permissions
from services.integrations.connection_values import ConnectedAccount, Credentials, Names
from services.integrations.failures import AdapterError, Failure

REJECTED = "Stripe didn’t accept this key. It may have been revoked, or a character is missing. Nothing was saved."
AWAY = "We couldn’t reach Stripe. Nothing was saved. Wait a moment and try again."
FULL_ACCESS = "Full-access key. It works, but a restricted key is safer."
NO_CHARGES = "This Stripe account cannot take payments yet. Finish its activation in Stripe."


async def read_account(api: StripeApi, credentials: Credentials) -> ConnectedAccount:
    """Raises AdapterError with what is wrong and what to do."""
    secret_key = credentials[SECRET_KEY]
    try:
        return _account(credentials, await examine(lambda operation, params: api.ask(secret_key, operation, params)))
    except AdapterError as error:
        raise _nothing_saved(error) from error


def names_of(credentials: Credentials, account: Json) -> Names:
    """The name that buyers know, else that of Stripe's dashboard."""
    known = (account.get("business_profile") or {}), (account.get("settings") or {}).get("dashboard") or {}
    name = known[0].get("name") or known[1].get("display_name") or ""
    public_key = credentials[PUBLISHABLE_KEY].hint if PUBLISHABLE_KEY in credentials else ""
    return Names(name, public_key, kind_of(credentials[SECRET_KEY]))


def _account(credentials: Credentials, found: Examination) -> ConnectedAccount:
    secret_key = credentials[SECRET_KEY]
    if found.missing:
        raise missing_permissions(found.missing)
    if found.balance["livemode"] is not is_live(secret_key):
        raise AdapterError(Failure.CREDENTIALS_REJECTED, "Stripe says that this key is of another mode than it looks.")
    account = found.account
    if not account:
        raise missing_permissions([one for one in found.permissions if one.name == READ_ACCOUNT.tick])
    return ConnectedAccount(
        account_id=account["id"],
        livemode=found.balance["livemode"],
        country=account.get("country") or "",
        default_currency=(account.get("default_currency") or "").upper(),
        key_hint=secret_key.hint,
        names=names_of(credentials, account),
        permissions=found.permissions,
        warnings=[
            *([] if is_restricted(secret_key) else [FULL_ACCESS]),
            *([NO_CHARGES] if account.get("charges_enabled") is False else []),
        ],
    )


def _nothing_saved(error: AdapterError) -> AdapterError:
    sentences = {Failure.CREDENTIALS_REJECTED: REJECTED, Failure.PROVIDER_UNAVAILABLE: AWAY}
    sentence = sentences.get(error.failure, f"{error.message} Nothing was saved here.")
    return AdapterError(error.failure, sentence, retry_after=error.retry_after, details=error.details)
