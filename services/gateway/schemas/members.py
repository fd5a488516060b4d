"""Members of a workspace, and invitations into it."""

from datetime import datetime
from typing import Annotated

import msgspec

from services.gateway.identity.invitations import InvitationRecord
from services.gateway.identity.members import MemberRecord
from services.gateway.schemas.base import Body, View
from services.gateway.schemas.identity import Email, Password, RoleName


class MemberView(View):
    """A person in the workspace."""

    user_id: str
    name: str
    email: str
    role: RoleName
    joined_at: datetime
    last_seen_at: Annotated[datetime | None, msgspec.Meta(description="Null without an open session.")]

    @classmethod
    def of(cls, record: MemberRecord) -> "MemberView":
        return cls(
            user_id=record.user_id,
            name=record.name,
            email=record.email,
            role=record.role.value,
            joined_at=record.joined_at,
            last_seen_at=record.last_seen_at,
        )


class MemberPage(View):
    """The workspace's members."""

    items: list[MemberView]
    next_page_token: str


class RoleChange(Body):
    """The role that a member is to have."""

    role: RoleName


class NewInvitation(Body):
    """Whom to invite, and as what."""

    email: Email
    role: RoleName = "operator"


class InvitationView(View):
    """An invitation, without its link."""

    id: str
    email: str
    role: RoleName
    invited_by: Annotated[str, msgspec.Meta(description="An e-mail address; empty when a program invited.")]
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, record: InvitationRecord) -> "InvitationView":
        return cls(
            id=record.id,
            email=record.email,
            role=record.role.value,
            invited_by=record.invited_by,
            created_at=record.created_at,
            expires_at=record.expires_at,
        )


class CreatedInvitation(InvitationView):
    """A new invitation: the only answer that holds its link."""

    link: str

    def __repr__(self) -> str:
        """Without the link."""
        return f"CreatedInvitation(id={self.id!r})"


class InvitationPage(View):
    """Invitations that can still be accepted, the oldest first."""

    items: list[InvitationView]
    next_page_token: str


class Acceptance(Body):
    """Accepts an invitation."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200, description="The last part of its link.")]
    password: Password
    name: Annotated[str, msgspec.Meta(max_length=200, description="Of a new account.")] = ""
