"""What owners do on the settings pages: people, invitations, tokens."""

from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.addresses import BaseUrl
from services.common.errors import ShowbillError
from services.common.problem import HTTP_STATUS
from services.gateway.api.conditions import version_of
from services.gateway.api.invitations import link_of
from services.gateway.dashboard.pages.settings import token_values, workspace_values
from services.gateway.dashboard.problems import refusal
from services.gateway.dashboard.rendering import AnyRequest, go, render
from services.gateway.dashboard.views.tokens import terms_of
from services.gateway.identity.invitations import Invitations
from services.gateway.identity.members import Members
from services.gateway.identity.principal import Principal, Role
from services.gateway.identity.tokens import ApiTokens
from services.gateway.realtime.hub import Hub

_LONGEST: Final = 320
_LONGEST_NAME: Final = 200
_HERE: Final = "/settings"
_TOKENS: Final = "/settings/tokens"


@post("/settings/invitations", status_code=200)
async def invite(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    members: NamedDependency[Members],
    invitations: NamedDependency[Invitations],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """The page again, this once with the link."""
    form = await request.form()
    email, role = str(form.get("email", ""))[: _LONGEST + 1].strip(), _role(form.get("role"))
    try:
        invited, token = await invitations.create(caller, email, role)
    except ShowbillError as error:
        values = await workspace_values(caller, members, invitations, email=email, problem=refusal(error))
        return render(request, "settings.html", values, status=422)
    link = link_of(base_url, token)
    return render(
        request, "settings.html", await workspace_values(caller, members, invitations, invited=invited, link=link)
    )


@post("/settings/invitations/{invitation_id:str}/revoke", status_code=303)
async def revoke_invitation(
    request: AnyRequest,
    invitation_id: FromPath[str],
    caller: NamedDependency[Principal],
    invitations: NamedDependency[Invitations],
) -> Response[bytes]:
    await invitations.revoke(caller.workspace_id, invitation_id)
    return go(request, _HERE)


@post("/settings/members/{user_id:str}/role", status_code=303)
async def change_role(
    request: AnyRequest,
    user_id: FromPath[str],
    caller: NamedDependency[Principal],
    members: NamedDependency[Members],
    invitations: NamedDependency[Invitations],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    """Only if nobody changed the member since the page was made."""
    form = await request.form()
    version = version_of(f'"{form.get("version", "")}"')
    try:
        _, ended = await members.change_role(caller, user_id, _role(form.get("role")), version)
    except ShowbillError as error:
        return await _refused(request, caller, members, invitations, error)
    for credential in ended:
        hub.end_credential(credential)
    return go(request, _HERE)


@post("/settings/members/{user_id:str}/remove", status_code=303)
async def remove_member(
    request: AnyRequest,
    user_id: FromPath[str],
    caller: NamedDependency[Principal],
    members: NamedDependency[Members],
    invitations: NamedDependency[Invitations],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    try:
        ended = await members.remove(caller, user_id)
    except ShowbillError as error:
        return await _refused(request, caller, members, invitations, error)
    for credential in ended:
        hub.end_credential(credential)
    return go(request, _HERE)


async def _refused(
    request: AnyRequest, caller: Principal, members: Members, invitations: Invitations, error: ShowbillError
) -> Response[bytes]:
    values = await workspace_values(caller, members, invitations, problem=refusal(error))
    return render(request, "settings.html", values, status=HTTP_STATUS[error.kind][0])


@post("/settings/tokens", status_code=200)
async def create_token(
    request: AnyRequest, caller: NamedDependency[Principal], tokens: NamedDependency[ApiTokens]
) -> Response[bytes]:
    """The page again, this once with the token."""
    form = await request.form()
    name = str(form.get("name", ""))[:_LONGEST_NAME].strip()
    chosen = [str(scope) for scope in form.getall("scopes", [])]
    try:
        made, token = await tokens.create(caller, terms_of(name or "API token", chosen, str(form.get("days", ""))))
    except ShowbillError as error:
        values = await token_values(caller, tokens, name=name, chosen=chosen, problem=refusal(error))
        return render(request, "settings-tokens.html", values, status=422)
    values = await token_values(caller, tokens, made=made, token=token.reveal())
    return render(request, "settings-tokens.html", values)


@post("/settings/tokens/{token_id:str}/revoke", status_code=303)
async def revoke_token(
    request: AnyRequest,
    token_id: FromPath[str],
    caller: NamedDependency[Principal],
    tokens: NamedDependency[ApiTokens],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    hub.end_credential(await tokens.revoke(caller.workspace_id, token_id))
    return go(request, _TOKENS)


def _role(value: object) -> Role:
    return Role.OWNER if value == Role.OWNER.value else Role.OPERATOR


HANDLERS: Final = [invite, revoke_invitation, change_role, remove_member, create_token, revoke_token]
