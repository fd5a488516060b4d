"""What people do with their own account, and how they come to have one."""

from typing import Final

from litestar import Response, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.errors import ShowbillError
from services.common.problem import headers
from services.common.secret import Secret
from services.gateway.dashboard.pages.join import join_page_of
from services.gateway.dashboard.pages.settings import account_values
from services.gateway.dashboard.pages.sign_in import HOME
from services.gateway.dashboard.problems import refusal
from services.gateway.dashboard.rendering import AnyRequest, go, render
from services.gateway.identity.cookies import cookies_of
from services.gateway.identity.invitations import InvitationGone, Invitations
from services.gateway.identity.oidc import Oidc
from services.gateway.identity.own_account import OwnAccount
from services.gateway.identity.principal import Principal
from services.gateway.identity.sessions import OpenedSession, Sessions
from services.gateway.identity.visitor import visitor_of
from services.gateway.realtime.hub import Hub

_LONGEST: Final = 1024
_LONGEST_NAME: Final = 200
_HERE: Final = "/settings/account"


@post("/settings/password", status_code=200)
async def change_password(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    account: NamedDependency[OwnAccount],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    form = await request.form()
    current, new = _secret(form, "current_password"), _secret(form, "new_password")
    try:
        opened, ended = await account.change_password(caller, current, new, visitor_of(request))
    except ShowbillError as error:
        told = {fault.field: fault.problem for fault in error.faults} or {"": refusal(error)}
        values = await account_values(caller, sessions, account, problems=told)
        return render(request, "settings-account.html", values, status=422, headers=headers(error))
    for credential in ended:
        hub.end_credential(credential)
    done = "Your password is changed, and all your other sessions have ended."
    page = render(
        request, "settings-account.html", await account_values(opened.principal, sessions, account, done=done)
    )
    page.cookies.extend(cookies_of(request, opened.token, opened.device))
    return page


@post("/settings/sessions/{session_id:str}/end", status_code=303)
async def end_session(
    request: AnyRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    hub.end_credential(await sessions.end(caller.user_id, session_id))
    return go(request, _HERE)


@post("/settings/sessions/end-others", status_code=303)
async def end_other_sessions(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    for ended in await sessions.end_others(caller.user_id, caller.credential_id):
        hub.end_credential(ended)
    return go(request, _HERE)


@post("/settings/workspace", status_code=303)
async def switch_workspace(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    account: NamedDependency[OwnAccount],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    """Goes on in another of the person's workspaces, under a new session."""
    wanted = str((await request.form()).get("workspace_id", ""))
    opened = await account.switch(caller, wanted, visitor_of(request))
    hub.end_credential(caller.credential_id)
    return _signed_in(request, opened)


@post("/join/{token:str}", status_code=303)
async def join(
    request: AnyRequest,
    token: FromPath[str],
    invitations: NamedDependency[Invitations],
    oidc: NamedDependency[Oidc],
) -> Response[bytes]:
    """Into the workspace, or the form again with what it lacks."""
    form = await request.form()
    name = str(form.get("name", ""))[:_LONGEST_NAME]
    try:
        opened = await invitations.accept(token, name, _secret(form, "password"), visitor_of(request))
    except InvitationGone:
        return await join_page_of(request, token, invitations, oidc)
    except ShowbillError as error:
        told = {fault.field: fault.problem for fault in error.faults} or {"": refusal(error)}
        return await join_page_of(request, token, invitations, oidc, name=name, problems=told, status=422)
    return _signed_in(request, opened)


def _signed_in(request: AnyRequest, opened: OpenedSession) -> Response[bytes]:
    answer = go(request, HOME)
    answer.cookies.extend(cookies_of(request, opened.token, opened.device))
    return answer


def _secret(form: FormMultiDict, name: str) -> Secret:
    return Secret(str(form.get(name, ""))[: _LONGEST + 1])


HANDLERS: Final = [change_password, end_session, end_other_sessions, switch_workspace, join]
