"""How a provider call can fail: one table from failure to error kind, and the error that adapters raise."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from services.common.errors import Fault, Kind, ShowbillError
from services.common.secret import redact


class Failure(Enum):
    """What went wrong, as ErrorReason of the contract names it."""

    CREDENTIALS_MALFORMED = "credentials_malformed"
    CREDENTIALS_REJECTED = "credentials_rejected"
    PERMISSION_MISSING = "permission_missing"
    NOT_CONNECTED = "not_connected"
    RATE_LIMITED = "rate_limited"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_REFUSED = "provider_refused"
    TOTAL_MISMATCH = "total_mismatch"
    ACCOUNT_CHANGED = "account_changed"
    PROVIDER_NOT_AVAILABLE = "provider_not_available"


KINDS: Final[dict[Failure, Kind]] = {
    Failure.CREDENTIALS_MALFORMED: Kind.INVALID,
    Failure.CREDENTIALS_REJECTED: Kind.FAILED_PRECONDITION,
    Failure.PERMISSION_MISSING: Kind.FAILED_PRECONDITION,
    Failure.NOT_CONNECTED: Kind.FAILED_PRECONDITION,
    Failure.RATE_LIMITED: Kind.RATE_LIMITED,
    Failure.PROVIDER_UNAVAILABLE: Kind.UNAVAILABLE,
    Failure.PROVIDER_REFUSED: Kind.FAILED_PRECONDITION,
    Failure.TOTAL_MISMATCH: Kind.FAILED_PRECONDITION,
    Failure.ACCOUNT_CHANGED: Kind.FAILED_PRECONDITION,
    Failure.PROVIDER_NOT_AVAILABLE: Kind.FAILED_PRECONDITION,
}

_RETRY_AFTER: Final = {Failure.RATE_LIMITED: 1.0, Failure.PROVIDER_UNAVAILABLE: 2.0}


class AdapterError(ShowbillError):
    """A provider call failed. Carries the failure and a finished sentence for the operator."""

    def __init__(
        self,
        failure: Failure,
        sentence: str,
        *,
        faults: Sequence[Fault] = (),
        retry_after: float | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """`details` are for the log and the caller's record: the provider's request id and code, never its keys."""
        super().__init__(redact(sentence), faults=faults, retry_after=retry_after or _RETRY_AFTER.get(failure))
        self.details = {name: str(value) for name, value in (details or {}).items()}
        self.failure = failure
        self.kind = KINDS[failure]
        self.reason = failure.name
