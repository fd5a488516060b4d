"""What operations may answer when they cannot do what was asked: for the description, by status, with examples."""

from collections.abc import Mapping
from typing import Any, Final

from services.common.errors import (
    Fault,
    Forbidden,
    InvalidRequest,
    Kind,
    NotFound,
    ShowbillError,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from services.common.problem import HTTP_STATUS
from services.gateway.errors import PROBLEM_JSON, REFUSALS, problem_of
from services.gateway.idempotency import KeyInUse, KeyReused
from services.gateway.identity.access import Rule
from services.gateway.limits import TooManyRequests

_SCHEMA: Final = {"$ref": "#/components/schemas/Problem"}
_REQUEST: Final = "019abf00-0000-7000-8000-0000000000ff"


def _own(error: ShowbillError, title: str = "", headers: tuple[str, ...] = ()) -> dict[str, Any]:
    body = problem_of(error, _REQUEST)
    return _response(title or HTTP_STATUS[error.kind][1], body, headers)


def _webs(status: int, headers: tuple[str, ...] = ()) -> dict[str, Any]:
    kind, title, sentence = REFUSALS[status]
    body = {"type": f"urn:showbill:problem:{kind}", "title": title, "status": status, "detail": sentence}
    return _response(title, body | {"requestId": _REQUEST}, headers)


def _response(title: str, example: Mapping[str, Any], headers: tuple[str, ...]) -> dict[str, Any]:
    return {
        "description": title,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *headers)},
        "content": {PROBLEM_JSON: {"schema": _SCHEMA, "example": dict(example)}},
    }


class _Outdated(ShowbillError):
    """The show was changed meanwhile. Read it again, then change it."""

    kind = Kind.OUTDATED
    reason = "SHOW_CHANGED"


_LIMITED: Final = ("Retry-After", "RateLimit", "RateLimit-Policy")
_FAULT: Final = Fault("name", "The field name is missing.")
ANSWERS: Final[dict[int, tuple[str, dict[str, Any]]]] = {
    400: ("Invalid", _own(InvalidRequest(_FAULT.problem, faults=[_FAULT]))),
    401: ("NotSignedIn", _own(Unauthenticated(), headers=("WWW-Authenticate",))),
    403: ("NotAllowed", _own(Forbidden())),
    404: ("NotFound", _own(NotFound(what="show"))),
    408: ("TooSlow", _webs(408)),
    409: ("NotNow", _own(KeyInUse(), "Already there, or not possible in this state", ("Retry-After",))),
    412: ("ChangedMeanwhile", _own(_Outdated())),
    413: ("TooLarge", _webs(413)),
    422: ("KeyReused", _own(KeyReused(), "The Idempotency-Key came with another body before")),
    429: ("TooManyRequests", _own(TooManyRequests(seconds=12, retry_after=12), headers=_LIMITED)),
    500: ("Broken", _own(ShowbillError())),
    503: ("NotAvailable", _own(Unavailable(), headers=("Retry-After",))),
    504: ("TookTooLong", _own(TimedOut())),
}
"""The name among the components, and the answer, by status."""
HEADERS: Final = {
    "X-Request-Id": ("The request’s id, the caller’s own or a new one. Name it when you ask for help.", "string"),
    "RateLimit": ("What is left of the quota, and in how many seconds it is whole again.", "string"),
    "RateLimit-Policy": ("The quota, and its window in seconds.", "string"),
    "Retry-After": ("Seconds after which trying again makes sense.", "integer"),
    "ETag": ("Names this state, for `If-Match` of a change.", "string"),
    "WWW-Authenticate": ("How to show who you are.", "string"),
    "Idempotency-Replayed": ("`true` where the answer is one given before, under the same key.", "string"),
    "Set-Cookie": ("The session’s cookie; at a sign-in also one by which the device is known again.", "string"),
    "Content-Disposition": ("The file’s name.", "string"),
}


_NAMED_IN_BODY: Final = frozenset({"/api/session/workspace"})


def components() -> dict[str, Any]:
    """What operations refer to."""
    return {
        "responses": dict(ANSWERS.values()),
        "headers": {name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in HEADERS.items()},
    }


def refusals(path: str, method: str, operation: Mapping[str, Any], rule: Rule) -> list[int]:
    """The statuses that an operation may refuse with."""
    found = {500}
    parameters = operation.get("parameters", [])
    if parameters or "requestBody" in operation:
        found.add(400)
    if "requestBody" in operation:
        found |= {408, 413}
    if any(one["name"] == "If-Match" for one in parameters):
        found.add(412)
    if any(one["name"] == "Idempotency-Key" for one in parameters):
        found |= {409, 422}
    if rule.guarded:
        found |= {401, 403, 429, 503, 504} | _of_things(path, method)
    if rule is Rule.SIGN_IN:
        found |= {401, 403, 404, 409, 429, 503}
    return sorted(found)


def _of_things(path: str, method: str) -> set[int]:
    """Where something is named, it may be missing, or not be in the state for it."""
    named = "{" in path or "stripe" in path or path in _NAMED_IN_BODY
    found = {404, 409} if named else set()
    if method != "get":
        found |= {409, 412} if named else {409}
    return found
