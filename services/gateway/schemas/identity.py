"""Signing in, and who one is."""

from typing import Annotated, Literal

import msgspec

from services.gateway.identity.principal import Principal, Scope
from services.gateway.schemas.base import Body, View

RoleName = Literal["owner", "operator"]
ScopeName = Literal["read", "shows:write", "invoices:write", "integrations", "workspace"]
Email = Annotated[str, msgspec.Meta(min_length=3, max_length=320, examples=["owner@example.com"])]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class SignIn(Body):
    """E-mail address and password."""

    email: Email
    password: Password


class WorkspaceView(View):
    """The tenant."""

    id: str
    name: str
    plan: str


class UserView(View):
    """A person."""

    id: str
    email: str
    name: str


class SessionView(View):
    """Who is signed in, and where."""

    way: Annotated[Literal["session", "token"], msgspec.Meta(description="A browser session, or an API token.")]
    role: RoleName
    scopes: Annotated[list[ScopeName], msgspec.Meta(description="What a token may be used for; of a session, all.")]
    workspace: WorkspaceView
    user: Annotated[UserView | None, msgspec.Meta(description="Null for an API token.")]

    @classmethod
    def of(cls, principal: Principal) -> "SessionView":
        user = UserView(id=principal.user_id, email=principal.email, name=principal.name)
        return cls(
            way=principal.way.value,
            role=principal.role.value,
            scopes=[scope.value for scope in Scope if scope in principal.scopes],
            workspace=WorkspaceView(id=principal.workspace_id, name=principal.workspace_name, plan=principal.plan),
            user=user if principal.user_id else None,
        )
