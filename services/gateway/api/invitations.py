"""Invitations into a workspace."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.common.addresses import BaseUrl
from services.common.secret import Secret
from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.idempotency import SHOWN_ONCE
from services.gateway.identity.cookies import cookies_of
from services.gateway.identity.invitations import Invitations
from services.gateway.identity.principal import Principal, Role
from services.gateway.identity.visitor import visitor_of
from services.gateway.schemas.identity import SessionView
from services.gateway.schemas.members import (
    Acceptance,
    CreatedInvitation,
    InvitationPage,
    InvitationView,
    NewInvitation,
)


def link_of(base_url: BaseUrl, token: Secret) -> str:
    """The address that the owner hands to the person invited."""
    return f"{base_url}/join/{token.reveal()}"


@get("/api/invitations")
async def list_invitations(
    caller: NamedDependency[Principal],
    invitations: NamedDependency[Invitations],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> InvitationPage:
    """Invitations that can still be accepted, without their links."""
    page = await invitations.list(caller.workspace_id, page_size, page_token)
    return InvitationPage([InvitationView.of(record) for record in page.items], page.next_page_token)


@post("/api/invitations", status_code=201, opt={SHOWN_ONCE: True})
async def invite(
    data: JSONBody[NewInvitation],
    caller: NamedDependency[Principal],
    invitations: NamedDependency[Invitations],
    base_url: NamedDependency[BaseUrl],
) -> CreatedInvitation:
    """Invite somebody by e-mail address. We send no mail: hand them the link, which only this answer holds. It is good
    once and for seven days. An earlier invitation of the same address is withdrawn.
    """
    record, token = await invitations.create(caller, data.email, Role(data.role))
    return CreatedInvitation(**msgspec.structs.asdict(InvitationView.of(record)), link=link_of(base_url, token))


@delete("/api/invitations/{invitation_id:str}", status_code=204)
async def revoke_invitation(
    invitation_id: FromPath[str], caller: NamedDependency[Principal], invitations: NamedDependency[Invitations]
) -> None:
    """Withdraw an invitation: its link lets nobody in any more."""
    await invitations.revoke(caller.workspace_id, invitation_id)


@post("/api/invitations/accept", status_code=200)
async def accept_invitation(
    data: JSONBody[Acceptance], request: Request[Any, Any, Any], invitations: NamedDependency[Invitations]
) -> Response[SessionView]:
    """Accept an invitation with the last part of its link. A new account gets this name and password; an account that
    the address has already proves its own password. The answer sets the session's cookie.
    """
    opened = await invitations.accept(data.token, data.name, Secret(data.password), visitor_of(request))
    return Response(SessionView.of(opened.principal), cookies=cookies_of(request, opened.token, opened.device))


ROUTES: Final = Router(
    "/", route_handlers=[list_invitations, invite, revoke_invitation, accept_invitation], tags=["Invitations"]
)
