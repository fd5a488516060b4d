"""Who is calling and for which request: travels with the task through HTTP, gRPC and NATS."""

from contextvars import ContextVar
from dataclasses import dataclass

import structlog

from services.common.errors import Unauthenticated
from services.common.ids import new_id

REQUEST_ID_HEADER = "x-request-id"


@dataclass(frozen=True, slots=True)
class Identity:
    """For whom a call is made: what a service token says."""

    workspace_id: str
    """Empty for a service-wide call, whose items name the workspace."""
    actor: str
    """The user as `user:<id>`, an API token as `token:<id>`, background work as `worker:<name>`."""
    plan: str = "free"
    """The workspace's plan."""


_identity: ContextVar[Identity | None] = ContextVar("identity", default=None)
_method: ContextVar[str] = ContextVar("method", default="")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def identity() -> Identity:
    """The identity of the call being served. Raises Unauthenticated outside of one."""
    found = _identity.get()
    if found is None:
        raise Unauthenticated
    return found


def identity_or_none() -> Identity | None:
    """The identity of the call being served; None outside of one."""
    return _identity.get()


def bind_identity(value: Identity | None) -> None:
    _identity.set(value)


def method() -> str:
    """The name of the gRPC method being served, without its service; empty outside of one."""
    return _method.get()


def bind_method(path: str) -> None:
    """`path` as gRPC has it: /package.Service/Method."""
    _method.set(path.rpartition("/")[2])


def request_id() -> str:
    """The id of the request being served; empty outside of one."""
    return _request_id.get()


def bind_request(value: str | None) -> str:
    """Begins a request under the caller's id, or under a new one where that is missing or not fit for a log."""
    usable = value is not None and 8 <= len(value) <= 64 and value.isascii() and value.replace("-", "").isalnum()
    chosen = value if usable and value is not None else new_id()
    _request_id.set(chosen)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=chosen)
    return chosen
