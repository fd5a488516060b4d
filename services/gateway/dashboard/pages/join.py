"""The page that an invitation's link leads to."""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.identity.invitations import InvitationGone, Invitations
from services.gateway.identity.oidc import Oidc


@get("/join/{token:str}")
async def join_page(
    request: AnyRequest,
    token: FromPath[str],
    invitations: NamedDependency[Invitations],
    oidc: NamedDependency[Oidc],
) -> Response[bytes]:
    return await join_page_of(request, token, invitations, oidc)


async def join_page_of(
    request: AnyRequest,
    token: str,
    invitations: Invitations,
    oidc: Oidc,
    *,
    name: str = "",
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response[bytes]:
    """The form; or, for a link that lets nobody in any more, what to do."""
    values: dict[str, Any] = {
        "token": token,
        "name": name,
        "problems": problems or {},
        "gone": "",
        "oidc_name": oidc.name,
    }
    try:
        invitation = await invitations.find(token)
    except InvitationGone as error:
        return render(request, "join.html", values | {"invitation": None, "gone": error.message}, status=404)
    return render(request, "join.html", values | {"invitation": invitation}, status=status)


HANDLERS: Final = [join_page]
