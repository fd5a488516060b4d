"""API tokens."""

from datetime import datetime
from typing import Annotated

import msgspec

from services.gateway.identity.principal import Role, Scope
from services.gateway.identity.tokens import NewTokenTerms, TokenRecord
from services.gateway.schemas.base import Body, Moment, Name, View
from services.gateway.schemas.identity import RoleName, ScopeName


class NewToken(Body):
    """An API token to be made."""

    name: Name
    role: RoleName = "operator"
    scopes: Annotated[
        list[ScopeName] | None, msgspec.Meta(description="What it may be used for; null for all that its role may.")
    ] = None
    expires_at: Annotated[Moment | None, msgspec.Meta(description="Null for a token that stays.")] = None

    def terms(self) -> NewTokenTerms:
        scopes = None if self.scopes is None else [Scope(scope) for scope in self.scopes]
        return NewTokenTerms(self.name, Role(self.role), scopes, self.expires_at)


class TokenView(View):
    """An API token, without the token itself."""

    id: str
    name: str
    hint: Annotated[str, msgspec.Meta(description="Its last characters, to tell tokens apart.")]
    role: RoleName
    scopes: list[ScopeName]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, record: TokenRecord) -> "TokenView":
        return cls(
            id=record.id,
            name=record.name,
            hint=record.hint,
            role=record.role.value,
            scopes=[scope.value for scope in record.scopes],
            created_at=record.created_at,
            last_used_at=record.last_used_at,
            expires_at=record.expires_at,
        )


class CreatedToken(TokenView):
    """A new API token: the only answer that holds the token itself."""

    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"CreatedToken(id={self.id!r})"


class TokenPage(View):
    """The workspace's API tokens, the oldest first."""

    items: list[TokenView]
    next_page_token: str
