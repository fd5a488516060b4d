"""Every way in which a call to Stripe fails, translated into a failure and an operator's sentence."""

import re
from typing import Final

import aiohttp
import stripe

from services.integrations.adapters.stripe.operations import Operation
from services.integrations.failures import AdapterError, Failure

TRANSPORT: Final = (stripe.APIConnectionError, aiohttp.ClientError, TimeoutError, OSError)
"""The outcome is unknown. The SDK lets the last three through where a body is cut off or stalls."""

_ACCOUNT: Final = re.compile(r"acct_[A-Za-z0-9]+")
_CURRENCY: Final = re.compile(r"\bcurrency ([a-z]{3})\b")
BAD_ADDRESS: Final = "email_invalid"
"""Stripe's code for an e-mail address that it does not take."""
MISSING: Final = "resource_missing"
"""Stripe's code for an object that it does not have."""
_BUSY: Final = frozenset({"lock_timeout", "idempotency_key_in_use"})


class KeySpent(AdapterError):
    """An earlier answer is saved under this idempotency key, and it is of no use: a fault, or of other parameters.

    Stripe will never answer anything else under it. Look what exists before another key is tried.
    """


class RefusedBefore(AdapterError):
    """A refusal that is saved under this idempotency key: whatever was wrong then may be right by now."""


class NotThere(AdapterError):
    """Stripe has no object with this id."""


class Busy(AdapterError):
    """Stripe did nothing: too fast, or another request holds the same object. The same call will work in a moment."""

    whole_account = False
    too_fast = False


def translate(error: Exception, operation: Operation) -> AdapterError:
    """The AdapterError for whatever the SDK or its transport raised."""
    if not isinstance(error, stripe.StripeError) or isinstance(error, stripe.APIConnectionError):
        return AdapterError(
            Failure.PROVIDER_UNAVAILABLE,
            "Stripe did not answer. It is safe to try again: what was begun is found, nothing is made twice.",
            details={"operation": operation.name},
        )
    details = _details(error, operation)
    if isinstance(error, stripe.RateLimitError) or details.get("code") in _BUSY:
        return _busy(error, details)
    if isinstance(error, stripe.AuthenticationError):
        return AdapterError(
            Failure.CREDENTIALS_REJECTED,
            "Stripe’s key was rejected (401). Rotate keys on the Stripe page.",
            details=details,
        )
    if isinstance(error, stripe.PermissionError):
        return _forbidden(error, operation, details)
    if isinstance(error, stripe.IdempotencyError):
        return KeySpent(Failure.PROVIDER_UNAVAILABLE, UNSURE, details=details)
    if error.http_status is None or error.http_status >= 500 or isinstance(error, stripe.APIError):
        kind = KeySpent if _replayed(error) else AdapterError
        return kind(Failure.PROVIDER_UNAVAILABLE, UNSURE, details=details)
    return _refused(error, details)


UNSURE: Final = (
    "Stripe had a fault of its own. It is safe to try again: what was begun is found, nothing is made twice."
)


def _details(error: stripe.StripeError, operation: Operation) -> dict[str, str]:
    found = {
        "operation": operation.name,
        "request_id": error.request_id,
        "code": error.code or _of_error(error, "code"),
        "param": getattr(error, "param", None),
        "http_status": str(error.http_status) if error.http_status else None,
    }
    return {name: value for name, value in found.items() if value and isinstance(value, str)}


def _of_error(error: stripe.StripeError, name: str) -> str | None:
    body = error.json_body
    inner = body.get("error") if isinstance(body, dict) else None
    value = inner.get(name) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else None


def _header(error: stripe.StripeError, name: str) -> str:
    return next((value for key, value in (error.headers or {}).items() if key.lower() == name), "")


def _said(error: stripe.StripeError) -> str:
    """Stripe's own words as a finished sentence; empty where it said nothing, or a proxy something else."""
    words: object = error.user_message
    text = words.strip() if isinstance(words, str) else ""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _replayed(error: stripe.StripeError) -> bool:
    return _header(error, "idempotent-replayed").lower() == "true"


def _busy(error: stripe.StripeError, details: dict[str, str]) -> Busy:
    if details.get("code") in _BUSY:
        sentence = "Stripe is still busy with an earlier request for the same thing. It is safe to try again."
        return Busy(Failure.PROVIDER_UNAVAILABLE, sentence, details=details)
    sentence = "Stripe was too busy to answer (429). It is safe to try again."
    busy = Busy(Failure.RATE_LIMITED, sentence, details=details)
    reason = _header(error, "stripe-rate-limited-reason")
    busy.too_fast = reason != "resource-specific"  # that one object is in demand, no bucket is empty
    busy.whole_account = not reason.startswith("endpoint")
    return busy


def _forbidden(error: stripe.StripeError, operation: Operation, details: dict[str, str]) -> AdapterError:
    account = _ACCOUNT.search(_said(error))
    if account:
        details["account_id"] = account.group()
    return AdapterError(
        Failure.PERMISSION_MISSING,
        f"This key can’t {operation.deed}. In Stripe, open the key, choose Edit, set {operation.permission} to"
        f" {operation.level}, save, then try again.",
        details={**details, "permission": operation.tick},
    )


def _refused(error: stripe.StripeError, details: dict[str, str]) -> AdapterError:
    message = _said(error) or "it did not say why."
    missing = details.get("code") == MISSING
    if missing and error.http_status == 404:
        return NotThere(Failure.PROVIDER_REFUSED, f"Stripe does not know it any more: {message}", details=details)
    if missing and details.get("param") == "customer":
        return AdapterError(
            Failure.PROVIDER_REFUSED,
            "This buyer’s customer was deleted in Stripe. Retry, and a new one is created.",
            details=details,
        )
    if details.get("code") == BAD_ADDRESS:
        return AdapterError(
            Failure.PROVIDER_REFUSED,
            "Stripe rejected the buyer’s e-mail address. Fix the address on the buyer, then retry.",
            details=details,
        )
    if "combine currencies" in message:
        named = _CURRENCY.search(message)
        billed = named[1].upper() if named else "another currency"
        return AdapterError(
            Failure.PROVIDER_REFUSED,
            f"This Stripe customer is already billed in {billed}. Change the customer in Stripe, then retry.",
            details=details,
        )
    kind = RefusedBefore if _replayed(error) else AdapterError
    return kind(Failure.PROVIDER_REFUSED, f"Stripe refused: {message}", details=details)
