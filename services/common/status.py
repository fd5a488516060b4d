"""The one table between error kinds and gRPC status, with the rich details of google.rpc."""

from typing import Final

import grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

from services.common.errors import AnswerLost, Fault, Kind, ShowbillError, TimedOut, Unavailable
from services.common.secret import redact

DOMAIN: Final = "showbill"
DETAILS_KEY: Final = "grpc-status-details-bin"
_FAULTS_ROOM: Final = 4_000
"""Bytes. They travel in headers, and beyond eight kilobytes of these the other side sees a broken call instead."""
_MOST_FAULTS: Final = 100

GRPC_STATUS: Final[dict[Kind, grpc.StatusCode]] = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.CONFLICT: grpc.StatusCode.ALREADY_EXISTS,
    Kind.FAILED_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.OUTDATED: grpc.StatusCode.ABORTED,
    Kind.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.TIMED_OUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    Kind.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
}
_KINDS: Final = {code: kind for kind, code in GRPC_STATUS.items()} | {grpc.StatusCode.CANCELLED: Kind.UNAVAILABLE}

_REMOTE_MESSAGES: Final = {Kind.UNAVAILABLE: AnswerLost().message, Kind.TIMED_OUT: TimedOut().message}
_NEVER_SENT: Final = ("failed to connect", "errors resolving")
"""How gRPC begins to tell of a call that reached nobody. Any other that broke off may have been carried out."""


class RemoteError(ShowbillError):
    """Another service answered with an error; carries its kind, reason, message and details onward."""

    def __init__(
        self,
        kind: Kind,
        reason: str,
        message: str,
        *,
        faults: tuple[Fault, ...] = (),
        retry_after: float | None = None,
        details: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, faults=faults, retry_after=retry_after)
        self.kind = kind
        self.reason = reason
        self.details = details or {}


def encode(error: ShowbillError) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """Code, message and trailing metadata for an aborted call, blanked of everything that has a secret's shape."""
    code = GRPC_STATUS[error.kind]
    message = redact(error.message)
    details = {name: redact(value) for name, value in error.details.items()}
    status = status_pb2.Status(code=code.value[0], message=message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=details))
    if error.faults:
        status.details.add().Pack(_bad_request(error.faults))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(error.retry_after * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return code, message, ((DETAILS_KEY, status.SerializeToString()),)


def _bad_request(faults: tuple[Fault, ...]) -> error_details_pb2.BadRequest:
    """As many of the faults as headers have room for, from the first."""
    told = error_details_pb2.BadRequest()
    for fault in faults[:_MOST_FAULTS]:
        told.field_violations.add(field=redact(fault.field), description=redact(fault.problem))
        if told.ByteSize() > _FAULTS_ROOM:
            del told.field_violations[-1]
            break
    return told


def decode(error: grpc.aio.AioRpcError) -> RemoteError:
    """The error that the other side raised; one of gRPC's own gets our words."""
    kind = _KINDS.get(error.code(), Kind.INTERNAL)
    details = next((value for key, value in error.trailing_metadata() if key == DETAILS_KEY), None)
    if not isinstance(details, bytes):
        message = _REMOTE_MESSAGES.get(kind, ShowbillError().message)
        if kind is Kind.UNAVAILABLE and (error.details() or "").startswith(_NEVER_SENT):
            message = Unavailable().message
        retry_after = 2.0 if kind is Kind.UNAVAILABLE else None
        return RemoteError(kind, kind.name, message, retry_after=retry_after)
    info, bad_request, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    status = status_pb2.Status.FromString(details)
    for detail in status.details:
        for target in (info, bad_request, retry):
            detail.Unpack(target)  # answers False and leaves the target alone when the type is another
    return RemoteError(
        kind,
        info.reason or kind.name,
        status.message,
        faults=tuple(Fault(violation.field, violation.description) for violation in bad_request.field_violations),
        retry_after=retry.retry_delay.ToNanoseconds() / 1e9 if retry.HasField("retry_delay") else None,
        details=dict(info.metadata),
    )
