"""The people of a workspace."""

from typing import Final

from litestar import Response, Router, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.api.conditions import IfMatch, etag, version_of
from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.identity.members import Members
from services.gateway.identity.principal import Principal, Role
from services.gateway.realtime.hub import Hub
from services.gateway.schemas.identity import WorkspaceView
from services.gateway.schemas.members import MemberPage, MemberView, RoleChange


@get("/api/workspace")
async def get_workspace(caller: NamedDependency[Principal]) -> WorkspaceView:
    """The workspace's name and plan."""
    return WorkspaceView(id=caller.workspace_id, name=caller.workspace_name, plan=caller.plan)


@get("/api/members")
async def list_members(
    caller: NamedDependency[Principal],
    members: NamedDependency[Members],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> MemberPage:
    """The workspace's members with their roles."""
    page = await members.list(caller.workspace_id, page_size, page_token)
    return MemberPage([MemberView.of(record) for record in page.items], page.next_page_token)


@get("/api/members/{user_id:str}")
async def get_member(
    user_id: FromPath[str], caller: NamedDependency[Principal], members: NamedDependency[Members]
) -> Response[MemberView]:
    """One member. The answer's `ETag` goes into `If-Match` of a change."""
    record = await members.get(caller.workspace_id, user_id)
    return Response(MemberView.of(record), headers=etag(record.version))


@patch("/api/members/{user_id:str}")
async def change_member(
    user_id: FromPath[str],
    data: JSONBody[RoleChange],
    caller: NamedDependency[Principal],
    members: NamedDependency[Members],
    hub: NamedDependency[Hub],
    if_match: IfMatch = None,
) -> Response[MemberView]:
    """Give a member another role. Who is no owner any more loses the owner's tokens that they made, and their open
    invitations. The last owner stays one.
    """
    record, ended = await members.change_role(caller, user_id, Role(data.role), version_of(if_match))
    for credential in ended:
        hub.end_credential(credential)
    return Response(MemberView.of(record), headers=etag(record.version))


@delete("/api/members/{user_id:str}", status_code=204)
async def remove_member(
    user_id: FromPath[str],
    caller: NamedDependency[Principal],
    members: NamedDependency[Members],
    hub: NamedDependency[Hub],
    if_match: IfMatch = None,
) -> None:
    """Remove a member. Their sessions here end, as do the API tokens that they made and their open invitations."""
    for credential in await members.remove(caller, user_id, version_of(if_match)):
        hub.end_credential(credential)


ROUTES: Final = Router(
    "/", route_handlers=[get_workspace, list_members, get_member, change_member, remove_member], tags=["Members"]
)
