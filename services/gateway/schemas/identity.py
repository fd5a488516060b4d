"""Sessions and API tokens."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from services.gateway.identity.principal import Principal
from services.gateway.identity.tokens import TokenRecord
from services.gateway.schemas.base import Body, Name, View

RoleName = Literal["owner", "operator"]


class SignIn(Body):
    """E-mail address and password."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=320, examples=["owner@example.com"])]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class WorkspaceView(View):
    """The tenant."""

    id: str
    name: str
    plan: str


class UserView(View):
    """A person."""

    id: str
    email: str


class SessionView(View):
    """Who is signed in, and where."""

    way: Annotated[Literal["session", "token"], msgspec.Meta(description="A browser session, or an API token.")]
    role: RoleName
    workspace: WorkspaceView
    user: Annotated[UserView | None, msgspec.Meta(description="Null for an API token.")]

    @classmethod
    def of(cls, principal: Principal) -> "SessionView":
        return cls(
            way=principal.way.value,
            role=principal.role.value,
            workspace=WorkspaceView(id=principal.workspace_id, name=principal.workspace_name, plan=principal.plan),
            user=UserView(id=principal.user_id, email=principal.email) if principal.user_id else None,
        )


class NewToken(Body):
    """An API token to be made."""

    name: Name
    role: RoleName = "operator"


class TokenView(View):
    """An API token, without the token itself."""

    id: str
    name: str
    hint: Annotated[str, msgspec.Meta(description="Its last characters, to tell tokens apart.")]
    role: RoleName
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, record: TokenRecord) -> "TokenView":
        return cls(
            id=record.id,
            name=record.name,
            hint=record.hint,
            role=record.role.value,
            created_at=record.created_at,
            last_used_at=record.last_used_at,
        )


class CreatedToken(TokenView):
    """A new API token: the only answer that holds the token itself."""

    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"CreatedToken(id={self.id!r})"


class TokenList(View):
    """The workspace's API tokens."""

    items: list[TokenView]
