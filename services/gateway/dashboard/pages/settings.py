"""Settings: the workspace with its people, its API tokens, and one's own account."""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency

from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.dashboard.views.tokens import LIFETIMES, SCOPES
from services.gateway.identity.invitations import Invitations
from services.gateway.identity.members import Members
from services.gateway.identity.own_account import OwnAccount
from services.gateway.identity.paging import Page
from services.gateway.identity.principal import Principal, Role
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.tokens import ApiTokens

MOST_SHOWN: Final = 1000
"""Entries of a list on these pages; the interface has them all, in pages."""


@get("/settings")
async def workspace_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    members: NamedDependency[Members],
    invitations: NamedDependency[Invitations],
) -> Response[bytes]:
    return render(request, "settings.html", await workspace_values(caller, members, invitations))


async def workspace_values(
    caller: Principal, members: Members, invitations: Invitations, **more: Any
) -> dict[str, Any]:
    """What the page shows; `more` is what an action has to say."""
    owner = caller.role is Role.OWNER
    invited = await invitations.list(caller.workspace_id, MOST_SHOWN) if owner else Page([], "")
    listed = await members.list(caller.workspace_id, MOST_SHOWN)
    values = {"owner": owner, "members": listed.items, "invitations": invited.items}
    return values | {"email": "", "problem": "", "invited": None, "link": ""} | more


@get("/settings/tokens")
async def tokens_page(
    request: AnyRequest, caller: NamedDependency[Principal], tokens: NamedDependency[ApiTokens]
) -> Response[bytes]:
    return render(request, "settings-tokens.html", await token_values(caller, tokens))


async def token_values(caller: Principal, tokens: ApiTokens, **more: Any) -> dict[str, Any]:
    listed = await tokens.list(caller.workspace_id, MOST_SHOWN)
    values = {"owner": True, "tokens": listed.items, "scopes": SCOPES, "lifetimes": LIFETIMES}
    return values | {"name": "", "chosen": ("read",), "problem": "", "made": None, "token": ""} | more


@get("/settings/account")
async def account_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    account: NamedDependency[OwnAccount],
) -> Response[bytes]:
    return render(request, "settings-account.html", await account_values(caller, sessions, account))


async def account_values(caller: Principal, sessions: Sessions, account: OwnAccount, **more: Any) -> dict[str, Any]:
    values = {
        "owner": caller.role is Role.OWNER,
        "sessions": await sessions.list(caller.user_id),
        "workspaces": await account.workspaces(caller.user_id),
        "has_password": await account.has_password(caller),
    }
    return values | {"problems": {}, "done": ""} | more


HANDLERS: Final = [workspace_page, tokens_page, account_page]
