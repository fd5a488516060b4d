"""The one table from error kinds to HTTP answers, as problem documents of RFC 9457."""

from typing import Final

from services.common.errors import Kind, ShowbillError
from services.common.secret import redact

HTTP_STATUS: Final[dict[Kind, tuple[int, str]]] = {
    Kind.INVALID: (400, "The request is not valid"),
    Kind.UNAUTHENTICATED: (401, "Not signed in"),
    Kind.FORBIDDEN: (403, "Not allowed"),
    Kind.NOT_FOUND: (404, "Not found"),
    Kind.CONFLICT: (409, "Already there"),
    Kind.FAILED_PRECONDITION: (409, "Not possible in this state"),
    Kind.OUTDATED: (412, "Changed meanwhile"),
    Kind.RATE_LIMITED: (429, "Too many requests"),
    Kind.UNAVAILABLE: (503, "Not available just now"),
    Kind.TIMED_OUT: (504, "Took too long"),
    Kind.UNIMPLEMENTED: (501, "Not built yet"),
    Kind.INTERNAL: (500, "Something broke on our side"),
}


_EXTENSIONS: Final[dict[str, dict[str, str]]] = {"PLAN_OUTDATED": {"plan_hash": "planHash"}}
"""Details that the reader can act on, by reason: their names here, and in the document."""


def problem(error: ShowbillError, request_id: str) -> dict[str, object]:
    """The body of an application/problem+json answer. `type` is stable and names the reason."""
    status, title = HTTP_STATUS[error.kind]
    body: dict[str, object] = {
        "type": "urn:showbill:problem:" + error.reason.lower().replace("_", "-"),
        "title": title,
        "status": status,
        "detail": redact(error.message),
        "requestId": request_id,
    }
    shown = _EXTENSIONS.get(error.reason, {})
    body |= {shown[name]: redact(value) for name, value in error.details.items() if name in shown}
    if error.faults:
        body["errors"] = [{"pointer": redact(fault.field), "detail": redact(fault.problem)} for fault in error.faults]
    return body


def headers(error: ShowbillError) -> dict[str, str]:
    """Headers that go with the problem: when to try again, in whole seconds."""
    return {} if error.retry_after is None else {"Retry-After": str(max(1, round(error.retry_after)))}
