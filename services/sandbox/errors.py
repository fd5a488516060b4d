"""Stripe's refusals, word for word where a recording or a public quotation gives the words.

`docs/sandbox.md` says for each message where it comes from.
"""

from typing import Any, Final

DOC_URL: Final = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """An answer of the API that is not 2xx, with the fields of Stripe's error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        executed: bool = True,
    ) -> None:
        """`executed` is false where Stripe refuses before execution, so that no idempotency key keeps the answer."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.headers = headers or {}
        self.executed = executed

    def body(self, request_log_url: str | None = None) -> dict[str, Any]:
        error: dict[str, Any] = {}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = DOC_URL + self.code.replace("_", "-")
        error["message"] = self.message
        if self.param is not None:
            error["param"] = self.param
        if request_log_url is not None:
            error["request_log_url"] = request_log_url
        error["type"] = self.kind
        return {"error": error}


def masked(key: str) -> str:
    """The key as Stripe quotes it: its prefix, stars, its last four characters."""
    parts = key.split("_")
    prefix = "_".join(parts[:2]) + "_" if len(parts) > 2 else key[:3]
    hidden = max(len(key) - len(prefix) - 4, 4)
    return prefix + "*" * hidden + key[-4:]


def no_key() -> ApiError:
    return ApiError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer"
        " auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for"
        " details, or we can help at https://support.stripe.com/.",
        executed=False,
    )


def invalid_key(key: str) -> ApiError:
    return ApiError(401, f"Invalid API Key provided: {masked(key)}", executed=False)


def expired_key(key: str) -> ApiError:
    return ApiError(401, f"Expired API Key provided: {masked(key)}", code="api_key_expired", executed=False)


def publishable_key() -> ApiError:
    return ApiError(
        403,
        "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of"
        " your API keys at https://dashboard.stripe.com/account/apikeys.",
        code="secret_key_required",
        executed=False,
    )


def missing_permission(key: str, account: str, permission: str) -> ApiError:
    return ApiError(
        403,
        f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on account"
        f" '{account}'. Having the '{permission}' permission would allow this request to continue.",
        executed=False,
    )


def no_access_to_account(key: str, account: str) -> ApiError:
    return ApiError(
        403,
        f"The provided key '{masked(key)}' does not have access to account '{account}' (or that account does not"
        " exist). Application access may have been revoked.",
        code="account_invalid",
        executed=False,
    )


def invalid_version(version: str) -> ApiError:
    return ApiError(400, f"Invalid Stripe API version: {version}", executed=False)


def unknown_url(method: str, path: str) -> ApiError:
    return ApiError(
        404,
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash."
        " If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code."
        " Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
        executed=False,
    )


def rate_limited(reason: str, *, livemode: bool) -> ApiError:
    """Reason: global-rate or endpoint-rate. There is no Retry-After."""
    message = (
        "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
        if livemode
        else "Testmode request rate limit exceeded, the rate limits in testmode are lower than livemode."
        " You can learn more about rate limits here https://stripe.com/docs/rate-limits."
    )
    headers = {"Stripe-Rate-Limited-Reason": reason}
    return ApiError(429, message, code="rate_limit", headers=headers, executed=False)


def unknown_parameter(name: str) -> ApiError:
    message = f"Received unknown parameter: {name}"
    return ApiError(400, message, code="parameter_unknown", param=name, executed=False)


def missing_parameter(name: str) -> ApiError:
    message = f"Missing required param: {name}."
    return ApiError(400, message, code="parameter_missing", param=name, executed=False)


def invalid_integer(name: str, value: str) -> ApiError:
    message = f"Invalid integer: {value}"
    return ApiError(400, message, code="parameter_invalid_integer", param=name, executed=False)


def invalid_parameter(name: str, message: str, code: str | None = None) -> ApiError:
    return ApiError(400, message, code=code, param=name, executed=False)


def not_modelled(name: str) -> ApiError:
    """Stripe knows the parameter and the sandbox does not act on it: refused, never silently ignored."""
    return ApiError(
        400,
        f"The sandbox does not model the parameter '{name}'. Leave it out, or rehearse this step on Stripe itself.",
        code="sandbox_not_modelled",
        param=name,
        executed=False,
    )


def no_such(noun: str, object_id: str, param: str, *, status: int = 404, other_mode: str | None = None) -> ApiError:
    """`other_mode`: "live" or "test" when the id exists there."""
    message = f"No such {noun}: '{object_id}'"
    if other_mode is not None:
        own = "test" if other_mode == "live" else "live"
        message += (
            f"; a similar object exists in {other_mode} mode, but a {own} mode key was used to make this request."
        )
    return ApiError(status, message, code="resource_missing", param=param)


def refused(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A refusal in the course of execution: 400, kept under the idempotency key."""
    return ApiError(400, message, param=param, code=code)


def key_reused_with_other_parameters(key: str) -> ApiError:
    return ApiError(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using"
        f" a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
        executed=False,
    )


def key_reused_on_other_endpoint(key: str, path: str, first_path: str) -> ApiError:
    return ApiError(
        400,
        "Keys for idempotent requests can only be used for the same endpoint they were first used for"
        f" ('{path}' vs. '{first_path}'). Try using a key other than '{key}' if you meant to execute a different"
        " request.",
        kind="idempotency_error",
        executed=False,
    )


def key_in_use(key: str) -> ApiError:
    return ApiError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        f" twice, and the other request is still going through): {key}. Please try again later.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        executed=False,
    )


def key_too_long(key: str) -> ApiError:
    message = f"Idempotency keys can be at most 255 characters; this one has {len(key)}."
    return ApiError(400, message, kind="idempotency_error", executed=False)


def internal_error() -> ApiError:
    message = "An unknown error occurred. Please contact us at https://support.stripe.com/ for more help."
    return ApiError(500, message, kind="api_error")
