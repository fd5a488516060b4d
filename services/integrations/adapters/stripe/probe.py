"""Asks Stripe whose keys these are, before anything is stored."""

import asyncio
import time

from services.common.secret import Secret
from services.integrations.adapters.stripe.api import Json, StripeApi
from services.integrations.adapters.stripe.endpoints import Endpoints
from services.integrations.adapters.stripe.keys import SECRET_KEY, is_live, is_restricted
from services.integrations.adapters.stripe.operations import READ_ACCOUNT, READ_BALANCE
from services.integrations.adapters.stripe.permissions import permissions_of
from services.integrations.failures import AdapterError, Failure
from services.integrations.ports import ConnectedAccount, Credentials, EndpointState, Health, Link, Permission

REJECTED = "Stripe didn’t accept this key. It may have been revoked, or a character is missing. Nothing was saved."
AWAY = "We couldn’t reach Stripe. Nothing was saved. Wait a moment and press Connect again."
FULL_ACCESS = "Full-access key. It works, but a restricted key is safer."
NO_CHARGES = "This Stripe account cannot take payments yet. Finish its activation in Stripe."
NO_ACCOUNT = "Account name not visible to this key."


class Probing:
    """The live checks of connecting and of testing."""

    def __init__(self, api: StripeApi, endpoints: Endpoints) -> None:
        self._api = api
        self._endpoints = endpoints

    async def account(self, credentials: Credentials) -> ConnectedAccount:
        """Raises AdapterError with what is wrong and what to do."""
        try:
            return await self._account(credentials[SECRET_KEY])
        except AdapterError as error:
            raise _nothing_saved(error) from error

    async def _account(self, secret_key: Secret) -> ConnectedAccount:
        balance = await self._api.ask(secret_key, READ_BALANCE)
        if balance["livemode"] is not is_live(secret_key):
            raise AdapterError(
                Failure.CREDENTIALS_REJECTED, "Stripe says that this key is of another mode than it looks."
            )
        account, permissions = await asyncio.gather(
            self._read_account(secret_key), permissions_of(self._api, secret_key)
        )
        missing = [one for one in permissions if one.required and not one.granted]
        if missing:
            raise _missing(missing)
        visible = "country" in account
        return ConnectedAccount(
            account_id=account["id"],
            livemode=balance["livemode"],
            country=account.get("country") or "",
            default_currency=(account.get("default_currency") or "").upper(),
            key_hint=secret_key.hint,
            permissions=(
                Permission(
                    "Balance: Read", granted=True, required=True, purpose="The key cannot be checked without it."
                ),
                *permissions,
                Permission(READ_ACCOUNT.tick, visible, required=False, purpose=NO_ACCOUNT),
            ),
            warnings=[
                *([] if is_restricted(secret_key) else [FULL_ACCESS]),
                *([NO_CHARGES] if account.get("charges_enabled") is False else []),
            ],
        )

    async def _read_account(self, secret_key: Secret) -> Json:
        """The account, or only its id where the key may not read it: the refusal names it."""
        try:
            return await self._api.ask(secret_key, READ_ACCOUNT)
        except AdapterError as error:
            if error.failure is not Failure.PERMISSION_MISSING or "account_id" not in error.details:
                raise
            return {"id": error.details["account_id"]}

    async def health(self, link: Link, endpoint_id: str) -> Health:
        """One live call, timed, and the state of our endpoint. Raises nothing: being unwell is an answer."""
        began = time.perf_counter()
        try:
            await self._api.ask(link.credentials[SECRET_KEY], READ_BALANCE)
            seconds = time.perf_counter() - began
            permissions = await permissions_of(self._api, link.credentials[SECRET_KEY])
            endpoint = await self._endpoint(link, endpoint_id)
        except AdapterError as error:
            rejected = error.failure is Failure.CREDENTIALS_REJECTED
            sentence = _STOPPED if rejected else error.message
            return Health(healthy=False, sentence=sentence, seconds=time.perf_counter() - began, rejected=rejected)
        missing = [one for one in permissions if not one.granted]
        sentence = _missing(missing).message if missing else f"Stripe answered in {seconds * 1000:.0f} ms."
        return Health(
            healthy=not missing, sentence=sentence, seconds=seconds, permissions=permissions, endpoint=endpoint
        )

    async def _endpoint(self, link: Link, endpoint_id: str) -> EndpointState | None:
        """None where there is none to look at, or the key may not look."""
        if not endpoint_id:
            return None
        try:
            return await self._endpoints.state(link, endpoint_id)
        except AdapterError as error:
            if error.failure is Failure.PERMISSION_MISSING:
                return None
            raise


_STOPPED = "Stripe stopped accepting this key. Connect again with a new key. Links already sent still take payments."


def _missing(missing: list[Permission]) -> AdapterError:
    named = " and ".join(" to ".join(one.name.split(": ")) for one in missing)
    deed = "create invoices" if any(one.name.startswith("Invoices") for one in missing) else "do all that is needed"
    return AdapterError(
        Failure.PERMISSION_MISSING,
        f"This key can’t {deed}. In Stripe, open the key, choose Edit, set {named}, save, then try again.",
        details={"permission": ", ".join(one.name for one in missing)},
    )


def _nothing_saved(error: AdapterError) -> AdapterError:
    sentences = {Failure.CREDENTIALS_REJECTED: REJECTED, Failure.PROVIDER_UNAVAILABLE: AWAY}
    sentence = sentences.get(error.failure, f"{error.message} Nothing was saved here.")
    return AdapterError(error.failure, sentence, retry_after=error.retry_after, details=error.details)
