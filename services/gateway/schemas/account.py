"""A person's own account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from services.gateway.identity.own_account import OwnWorkspace
from services.gateway.identity.sessions import SessionRecord
from services.gateway.schemas.base import Body, View
from services.gateway.schemas.identity import Password, RoleName


class OpenSessionView(View):
    """A session that is open."""

    id: str
    device: Annotated[str, msgspec.Meta(examples=["Firefox on Linux"])]
    address: Annotated[str, msgspec.Meta(description="From where it was opened.")]
    workspace: Annotated[str, msgspec.Meta(description="Its name.")]
    created_at: datetime
    last_used_at: datetime
    current: Annotated[bool, msgspec.Meta(description="Whether it is the one that asks.")]

    @classmethod
    def of(cls, record: SessionRecord, current: str) -> "OpenSessionView":
        return cls(
            id=record.id,
            device=record.device,
            address=record.address,
            workspace=record.workspace_name,
            created_at=record.created_at,
            last_used_at=record.last_seen_at,
            current=record.id == current,
        )


class SessionList(View):
    """Your open sessions."""

    items: list[OpenSessionView]


class PasswordChange(Body):
    """The password as it is, and as it shall be."""

    current_password: Annotated[
        str, msgspec.Meta(max_length=1024, description="Empty for an account that has no password yet.")
    ]
    new_password: Password


class OwnWorkspaceView(View):
    """A workspace that you belong to."""

    id: str
    name: str
    plan: str
    role: RoleName
    current: bool


class WorkspaceList(View):
    """Your workspaces."""

    items: list[OwnWorkspaceView]

    @classmethod
    def of(cls, workspaces: Sequence[OwnWorkspace], current: str) -> "WorkspaceList":
        return cls(
            [
                OwnWorkspaceView(
                    id=one.id, name=one.name, plan=one.plan, role=one.role.value, current=one.id == current
                )
                for one in workspaces
            ]
        )


class SwitchBody(Body):
    """The workspace to go on in."""

    workspace_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
