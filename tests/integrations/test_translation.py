"""Every way in which Stripe fails has its failure and its sentence; no sentence shows a key."""

from typing import Any, cast

import aiohttp
import pytest
import stripe

from services.common.status import encode
from services.integrations.adapters.stripe.errors import Busy, KeySpent, NotThere, translate
from services.integrations.adapters.stripe.operations import CREATE_INVOICE
from services.integrations.failures import KINDS, Failure
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb

KEY_TAIL = "rk_test_*********************aB3d"


def raised(kind: Any, status: int, headers: dict[str, str] | None = None, **error: Any) -> Any:
    """An error as the SDK raises it."""
    headers = {"request-id": "req_1", **(headers or {})}
    body = {"error": {"message": "m", **error}}
    if kind is stripe.InvalidRequestError:
        untyped: Any = stripe.InvalidRequestError
        return untyped(body["error"]["message"], error.get("param"), error.get("code"), None, status, body, headers)
    return kind(body["error"]["message"], None, status, body, headers)


CUT = cast(Any, stripe.APIConnectionError)("cut")
REPLAYED = {"Idempotent-Replayed": "true"}


@pytest.mark.parametrize(
    ("error", "failure", "kind"),
    [
        (CUT, Failure.PROVIDER_UNAVAILABLE, None),
        (aiohttp.ClientPayloadError("cut"), Failure.PROVIDER_UNAVAILABLE, None),
        (TimeoutError(), Failure.PROVIDER_UNAVAILABLE, None),
        (raised(stripe.APIError, 500), Failure.PROVIDER_UNAVAILABLE, None),
        (stripe.APIError("Invalid response body", None, 200), Failure.PROVIDER_UNAVAILABLE, None),
        (raised(stripe.APIError, 500, REPLAYED), Failure.PROVIDER_UNAVAILABLE, KeySpent),
        (raised(stripe.IdempotencyError, 400), Failure.PROVIDER_UNAVAILABLE, KeySpent),
        (raised(stripe.APIError, 409, code="idempotency_key_in_use"), Failure.PROVIDER_UNAVAILABLE, Busy),
        (raised(stripe.RateLimitError, 429, code="lock_timeout"), Failure.PROVIDER_UNAVAILABLE, Busy),
        (raised(stripe.RateLimitError, 429, code="rate_limit"), Failure.RATE_LIMITED, Busy),
        (raised(stripe.AuthenticationError, 401), Failure.CREDENTIALS_REJECTED, None),
        (raised(stripe.PermissionError, 403), Failure.PERMISSION_MISSING, None),
        (raised(stripe.InvalidRequestError, 400), Failure.PROVIDER_REFUSED, None),
        (raised(stripe.InvalidRequestError, 404, code="resource_missing"), Failure.PROVIDER_REFUSED, NotThere),
    ],
)
def test_failure_is_told_by_its_kind(error: Exception, failure: Failure, kind: type | None) -> None:
    translated = translate(error, CREATE_INVOICE)
    assert translated.failure is failure
    for one in (KeySpent, Busy, NotThere):
        assert isinstance(translated, one) == (one is kind)
    assert translated.message.endswith((".", "m"))
    assert translated.details["operation"] == "invoices.create"


@pytest.mark.parametrize(("reason", "whole"), [("global-rate", True), ("endpoint-rate", False), ("", True)])
def test_rate_limit_reason_decides_who_slows_down(reason: str, whole: bool) -> None:
    headers = {"Stripe-Rate-Limited-Reason": reason} if reason else {}
    busy = translate(raised(stripe.RateLimitError, 429, headers, code="rate_limit"), CREATE_INVOICE)
    assert isinstance(busy, Busy)
    assert (busy.too_fast, busy.whole_account) == (True, whole)


def test_request_id_is_kept_for_stripes_support() -> None:
    assert translate(raised(stripe.APIError, 500), CREATE_INVOICE).details["request_id"] == "req_1"


def test_missing_permission_names_what_to_tick() -> None:
    error = raised(stripe.PermissionError, 403, message=f"The provided key '{KEY_TAIL}' … on account 'acct_1x'. …")
    translated = translate(error, CREATE_INVOICE)
    assert translated.message == (
        "This key can’t create invoices. In Stripe, open the key, choose Edit, set Invoices to Write, save, then try"
        " again."
    )
    assert translated.details["account_id"] == "acct_1x"
    assert translated.details["permission"] == "Invoices: Write"


@pytest.mark.parametrize("kind", [stripe.AuthenticationError, stripe.PermissionError, stripe.InvalidRequestError])
def test_echoed_key_does_not_get_through(kind: type[stripe.StripeError]) -> None:
    statuses = {stripe.AuthenticationError: 401, stripe.PermissionError: 403}
    error = raised(kind, statuses.get(kind, 400), message=f"Invalid API Key provided: {KEY_TAIL}")
    _, message, trailing = encode(translate(error, CREATE_INVOICE))
    assert "aB3d" not in message
    assert b"aB3d" not in trailing[0][1]


@pytest.mark.parametrize(
    ("error", "start"),
    [
        ({"code": "email_invalid"}, "Stripe rejected the buyer’s e-mail address."),
        ({"code": "resource_missing", "param": "customer"}, "This buyer’s customer was deleted in Stripe."),
        (
            {"message": "You cannot combine currencies on a single customer."},
            "This Stripe customer is already billed in another currency.",
        ),
        (
            {"message": "You cannot combine currencies on a single customer. It has an item with currency eur."},
            "This Stripe customer is already billed in EUR.",
        ),
        ({"message": "Something new."}, "Stripe refused: Something new."),
    ],
)
def test_refusals_say_what_to_do(error: dict[str, Any], start: str) -> None:
    assert translate(raised(stripe.InvalidRequestError, 400, **error), CREATE_INVOICE).message.startswith(start)


def test_every_failure_is_a_reason_of_the_contract() -> None:
    named = {one.removeprefix("ERROR_REASON_") for one in pb.ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118  # an enum wrapper, no dict
    assert {failure.name for failure in Failure} == named == {failure.name for failure in KINDS}
