"""The one taxonomy of errors: a kind that decides the answer, a stable reason, a finished sentence, and details."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What an error means to the caller. `status.py` maps it to gRPC, `problem.py` to HTTP."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    FAILED_PRECONDITION = "failed-precondition"
    OUTDATED = "outdated"
    RATE_LIMITED = "rate-limited"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed-out"
    UNIMPLEMENTED = "unimplemented"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: the path of the field, and a finished sentence."""

    field: str
    problem: str


class ShowbillError(Exception):
    """Something broke on our side. Nothing was lost; try again, and tell us the reference if it stays."""

    # A subclass stands beside the code that raises it. Its docstring is the message, with {details} filled in.
    kind: Kind = Kind.INTERNAL
    reason: str = "INTERNAL"
    default_retry_after: ClassVar[float | None] = None

    def __init__(
        self,
        message: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        retry_after: float | None = None,
        **details: object,
    ) -> None:
        text = message or inspect.cleandoc(type(self).__doc__ or "").replace("\n", " ").format(**details)
        super().__init__(text)
        self.message = text
        self.faults = tuple(faults)
        self.retry_after = self.default_retry_after if retry_after is None else retry_after
        """Seconds after which trying again makes sense; None where it does not or nobody knows."""
        self.details = {name: str(value) for name, value in details.items()}


class InvalidRequest(ShowbillError):
    """The request is not valid. Correct the fields that are named and send it again."""

    kind = Kind.INVALID
    reason = "INVALID_REQUEST"


class Unauthenticated(ShowbillError):
    """Sign in, or send a valid token, and try again."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class Forbidden(ShowbillError):
    """You are not allowed to do this. Ask an owner of the workspace."""

    kind = Kind.FORBIDDEN
    reason = "FORBIDDEN"


class NotFound(ShowbillError):
    """There is no {what} with this id in your workspace."""

    kind = Kind.NOT_FOUND
    reason = "NOT_FOUND"


class Unavailable(ShowbillError):
    """A part of Showbill cannot be reached just now. Nothing was changed; try again in a moment."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"
    default_retry_after = 2.0


class AnswerLost(Unavailable):
    """A part of Showbill went away before it answered. Look whether it was done before you try again."""


class TimedOut(ShowbillError):
    """The answer took too long. Look whether it was done before you try again."""

    kind = Kind.TIMED_OUT
    reason = "TIMED_OUT"


class Unimplemented(ShowbillError):
    """This part of Showbill is announced, but not built yet."""

    kind = Kind.UNIMPLEMENTED
    reason = "UNIMPLEMENTED"


class CannotStart(Exception):
    """A service cannot come up as it is configured. The message is a sentence that says what to put right."""


def require(faults: Sequence[Fault]) -> None:
    """Raises InvalidRequest with all faults at once, if there are any."""
    if faults:
        raise InvalidRequest(" ".join(fault.problem for fault in faults[:3]), faults=faults)
