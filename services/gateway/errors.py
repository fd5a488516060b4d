"""Whatever goes wrong becomes a problem document of RFC 9457 with the request's id."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.utils.scope.state import ScopeState

from services.common.context import request_id
from services.common.errors import AnswerLost, Fault, InvalidRequest, Kind, ShowbillError, Unavailable
from services.common.problem import HTTP_STATUS, headers, problem
from services.common.secret import redact
from services.common.server import translate
from services.common.status import RemoteError
from services.gateway.faults import faults_of

log = structlog.get_logger()

PROBLEM_JSON: Final = "application/problem+json"

# What the web layer itself refuses: status, stable type, title, sentence.
REFUSALS: Final = {
    404: ("no-such-route", "Not found", "There is nothing at this address. Look it up in /api/docs."),
    405: (
        "method-not-allowed",
        "Method not allowed",
        "This address has no such method. Look it up in /api/docs.",
    ),
    408: ("too-slow", "Too slow", "The body did not arrive in time. Send it again, without pauses."),
    413: ("too-large", "Too large", "The body is larger than this address takes. Send it in several parts."),
}
_STEP: Final = re.compile(r"\.|\[|\]\.?")


def answer(error: ShowbillError, status: int | None = None) -> Response[bytes]:
    """The problem document of one of our errors, with a status other than its kind's where that says more."""
    extra = headers(error)
    if error.kind is Kind.UNAUTHENTICATED:
        extra["WWW-Authenticate"] = 'Bearer realm="showbill"'
    if error.kind is Kind.UNAVAILABLE:  # whoever raised it did not say when: soon
        extra.setdefault("Retry-After", str(round(Unavailable.default_retry_after or 1)))
    code: int = status if status is not None else getattr(error, "http_status", HTTP_STATUS[error.kind][0])
    return _response(problem_of(error, request_id()) | {"status": code}, code, extra)


def problem_of(error: ShowbillError, request: str) -> dict[str, Any]:
    """The problem document, its faults pointing into the JSON body."""
    body = problem(error, request)
    if error.faults:
        body["errors"] = [
            {"pointer": pointer(redact(fault.field)), "detail": redact(fault.problem)} for fault in error.faults
        ]
    return body


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """One of our own errors, or one that nobody foresaw."""
    # What the decoder raises of a body that is no text, or nested without end; the framework knows neither.
    if isinstance(error, UnicodeDecodeError | RecursionError) and (faults := _body_faults(request)):
        return answer(InvalidRequest(faults[0].problem, faults=faults))
    return told(to_whom(request, known_error(error)), error)


def to_whom(request: Request[Any, Any, Any], known: ShowbillError) -> ShowbillError:
    """As it is told to whoever asked: who only reads has nothing to look for that may have been done."""
    return Unavailable() if request.method == "GET" and known.message == AnswerLost().message else known


def known_error(error: Exception) -> ShowbillError:
    """What there is to say of whatever was raised.

    A service behind that takes us for nobody says nothing of our caller, whom no signing in would help.
    """
    known = translate(error)
    return ShowbillError() if isinstance(known, RemoteError) and known.kind is Kind.UNAUTHENTICATED else known


def told(known: ShowbillError, error: Exception) -> Response[bytes]:
    """The answer to what was raised, wherever it was, and what there is to say of it."""
    if known.kind in (Kind.INTERNAL, Kind.UNAVAILABLE):
        log.error("request failed", reason=known.reason, exc_info=error)
    return answer(known)


def on_validation(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """A body, query or header that does not fit."""
    faults = _body_faults(request) or _parameter_faults(error)
    message = " ".join(fault.problem for fault in faults[:3]) or InvalidRequest().message
    return answer(InvalidRequest(message, faults=faults))


def on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the web framework refuses."""
    if error.status_code in REFUSALS:
        return refusal(error.status_code, error.headers)
    if error.status_code < 500:
        faults = _body_faults(request)
        return answer(InvalidRequest(faults[0].problem, faults=faults) if faults else InvalidRequest())
    return on_error(request, error)


def refusal(status: int, extra: Mapping[str, str] | None = None) -> Response[bytes]:
    """One of the REFUSALS."""
    kind, title, sentence = REFUSALS[status]
    body = {"type": f"urn:showbill:problem:{kind}", "title": title, "status": status}
    body |= {"detail": sentence, "requestId": request_id()}
    headers = dict(extra or {})
    if status == 413:  # else the rest would be read, however long it is
        headers["Connection"] = "close"
    return _response(body, status, headers)


def _response(body: dict[str, Any], status: int, extra: Any) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type=PROBLEM_JSON, headers=dict(extra))


def _body_faults(request: Request[Any, Any, Any]) -> list[Fault]:
    handler = cast("dict[str, Any]", request.scope).get("route_handler")  # none where no route was found
    expected = handler.parsed_fn_signature.parameters.get("data") if handler else None
    body = ScopeState.from_scope(request.scope).body
    if expected is None or not isinstance(body, bytes):
        return []
    if not body:
        return [Fault("", "The body is missing. Send JSON.")]
    return faults_of(body, expected.raw)


def _parameter_faults(error: ValidationException) -> list[Fault]:
    extra = error.extra if isinstance(error.extra, list) else []
    return [
        Fault(key := _camel(str(entry.get("key", ""))), f"The parameter {key} is not usable: {entry['message']}.")
        for entry in extra
        if isinstance(entry, dict) and "message" in entry
    ]


def pointer(field: str) -> str:
    """`claims[3].user_handle` as the JSON pointer `#/claims/3/userHandle`; one that is a pointer already stays it."""
    if field.startswith("/"):
        return "#" + quote(field, safe="/~!$&'()*+,;=:@?")
    steps = [step for step in _STEP.split(field) if step]
    return "#" + "".join(f"/{_camel(step)}" for step in steps)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
