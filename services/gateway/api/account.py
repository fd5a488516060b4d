"""A person's own account: sessions, password, workspaces. For people; an API token has none of these."""

from typing import Any, Final

from litestar import Request, Response, Router, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.common.secret import Secret
from services.gateway.identity.cookies import cookies_of
from services.gateway.identity.own_account import OwnAccount
from services.gateway.identity.principal import Principal
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.visitor import visitor_of
from services.gateway.realtime.hub import Hub
from services.gateway.schemas.account import (
    OpenSessionView,
    PasswordChange,
    SessionList,
    SwitchBody,
    WorkspaceList,
)
from services.gateway.schemas.identity import SessionView


@get("/api/sessions")
async def list_sessions(caller: NamedDependency[Principal], sessions: NamedDependency[Sessions]) -> SessionList:
    """Where you are signed in: device, address and last use, the last used first."""
    found = await sessions.list(caller.user_id)
    return SessionList([OpenSessionView.of(record, caller.credential_id) for record in found])


@delete("/api/sessions/{session_id:str}", status_code=204)
async def end_session(
    session_id: FromPath[str],
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    hub: NamedDependency[Hub],
) -> None:
    """End one of your sessions; its sockets close."""
    hub.end_credential(await sessions.end(caller.user_id, session_id))


@delete("/api/sessions", status_code=204)
async def end_other_sessions(
    caller: NamedDependency[Principal], sessions: NamedDependency[Sessions], hub: NamedDependency[Hub]
) -> None:
    """End all of your sessions but this one."""
    for ended in await sessions.end_others(caller.user_id, caller.credential_id):
        hub.end_credential(ended)


@put("/api/password", status_code=204)
async def change_password(
    data: JSONBody[PasswordChange],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    account: NamedDependency[OwnAccount],
    hub: NamedDependency[Hub],
) -> Response[None]:
    """Change your password. All your sessions end, and this browser gets a new one."""
    current, new = Secret(data.current_password), Secret(data.new_password)
    opened, ended = await account.change_password(caller, current, new, visitor_of(request))
    for credential in ended:
        hub.end_credential(credential)
    return Response(None, status_code=204, cookies=cookies_of(request, opened.token, opened.device))


@get("/api/workspaces")
async def list_workspaces(caller: NamedDependency[Principal], account: NamedDependency[OwnAccount]) -> WorkspaceList:
    """The workspaces that you belong to, by name."""
    return WorkspaceList.of(await account.workspaces(caller.user_id), caller.workspace_id)


@put("/api/session/workspace", status_code=200)
async def switch_workspace(
    data: JSONBody[SwitchBody],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    account: NamedDependency[OwnAccount],
    hub: NamedDependency[Hub],
) -> Response[SessionView]:
    """Go on in another of your workspaces: this session ends, and a new one begins there."""
    opened = await account.switch(caller, data.workspace_id, visitor_of(request))
    hub.end_credential(caller.credential_id)
    return Response(SessionView.of(opened.principal), cookies=cookies_of(request, opened.token, opened.device))


ROUTES: Final = Router(
    "/",
    route_handlers=[
        list_sessions,
        end_session,
        end_other_sessions,
        change_password,
        list_workspaces,
        switch_workspace,
    ],
    tags=["Your account"],
)
