"""Sessions, members, invitations and tokens."""

from typing import Final

from services.gateway.examples.ids import INVITATION, SESSION, TOKEN, USER, WORKSPACE, at
from services.gateway.schemas.account import (
    OpenSessionView,
    OwnWorkspaceView,
    PasswordChange,
    SessionList,
    SwitchBody,
    WorkspaceList,
)
from services.gateway.schemas.identity import SessionView, SignIn, UserView, WorkspaceView
from services.gateway.schemas.members import (
    Acceptance,
    CreatedInvitation,
    InvitationPage,
    InvitationView,
    MemberPage,
    MemberView,
    NewInvitation,
    RoleChange,
)
from services.gateway.schemas.tokens import CreatedToken, NewToken, TokenPage, TokenView

_EMAIL: Final = "robin@example.com"
_FRIEND: Final = "sam@example.com"
_WORKSPACE: Final = WorkspaceView(id=WORKSPACE, name="Robin’s vintage", plan="standard")
_MEMBER: Final = MemberView(
    user_id=USER, name="Robin", email=_EMAIL, role="owner", joined_at=at(9), last_seen_at=at(19, 58)
)
_INVITATION: Final = InvitationView(
    id=INVITATION,
    email=_FRIEND,
    role="operator",
    invited_by=_EMAIL,
    created_at=at(10),
    expires_at=at(10).replace(month=12, day=1),
)
_TOKEN: Final = TokenView(
    id=TOKEN,
    name="Claim importer",
    hint="x4Qk",
    role="operator",
    scopes=["read", "shows:write"],
    created_at=at(11),
    last_used_at=at(19, 30),
    expires_at=None,
)

PEOPLE: Final = (
    SignIn(email=_EMAIL, password="a phrase that I keep to myself"),
    SessionView(
        way="session",
        role="owner",
        scopes=["read", "shows:write", "invoices:write", "integrations", "workspace"],
        workspace=_WORKSPACE,
        user=UserView(id=USER, email=_EMAIL, name="Robin"),
    ),
    SessionList(
        [
            OpenSessionView(
                id=SESSION,
                device="Firefox on Linux",
                address="203.0.113.7",
                workspace="Robin’s vintage",
                created_at=at(9),
                last_used_at=at(19, 58),
                current=True,
            )
        ]
    ),
    PasswordChange(current_password="a phrase that I keep to myself", new_password="another long and quiet phrase"),
    WorkspaceList(
        [OwnWorkspaceView(id=WORKSPACE, name="Robin’s vintage", plan="standard", role="owner", current=True)]
    ),
    SwitchBody(workspace_id=WORKSPACE),
    _WORKSPACE,
    _MEMBER,
    MemberPage([_MEMBER], ""),
    RoleChange(role="operator"),
    NewInvitation(email=_FRIEND, role="operator"),
    InvitationPage([_INVITATION], ""),
    CreatedInvitation(
        id=INVITATION,
        email=_FRIEND,
        role="operator",
        invited_by=_EMAIL,
        created_at=_INVITATION.created_at,
        expires_at=_INVITATION.expires_at,
        link="https://showbill.example/join/2hV0mXc8bQwT",
    ),
    Acceptance(token="2hV0mXc8bQwT", password="a phrase of my own choice", name="Sam"),
    NewToken(name="Claim importer", role="operator", scopes=["read", "shows:write"]),
    TokenPage([_TOKEN], ""),
    CreatedToken(
        id=TOKEN,
        name="Claim importer",
        hint="x4Qk",
        role="operator",
        scopes=["read", "shows:write"],
        created_at=at(11),
        last_used_at=None,
        expires_at=None,
        token="showbill_…x4Qk",
    ),
)
