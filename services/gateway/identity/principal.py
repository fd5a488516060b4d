"""Somebody who came in: a user by a session, or a program by an API token."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

from services.common.context import Identity


class Role(Enum):
    """What somebody may do in a workspace."""

    OWNER = "owner"
    OPERATOR = "operator"


class Way(Enum):
    """How somebody came in."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105  # a name


class Scope(Enum):
    """What an API token may be used for. A person may do all that their role may."""

    READ = "read"
    SHOWS = "shows:write"
    INVOICES = "invoices:write"
    INTEGRATIONS = "integrations"
    WORKSPACE = "workspace"


SCOPES: Final = {
    Role.OWNER: frozenset(Scope),
    Role.OPERATOR: frozenset((Scope.READ, Scope.SHOWS, Scope.INVOICES)),
}
"""What a token of each role may be allowed at most."""


@dataclass(frozen=True)
class Principal:
    """Whoever a request is made by. Everything they reach belongs to their workspace."""

    way: Way
    credential_id: str
    """Of the session or token."""
    role: Role
    workspace_id: str
    workspace_name: str
    plan: str
    user_id: str = ""
    email: str = ""
    name: str = ""
    token_name: str = ""
    scopes: frozenset[Scope] = frozenset(Scope)
    answerable_id: str | None = None
    """The user who signed in, or who made the token; None when nobody knows any more."""

    @cached_property
    def identity(self) -> Identity:
        """For whom the services behind are called."""
        actor = f"user:{self.user_id}" if self.way is Way.SESSION else f"token:{self.credential_id}"
        return Identity(self.workspace_id, actor, self.plan)
