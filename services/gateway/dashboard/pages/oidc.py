"""To the sign-in provider and back."""

from typing import Annotated, Final
from urllib.parse import quote

from litestar import Response, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from services.common.errors import Kind, ShowbillError
from services.common.problem import HTTP_STATUS, headers
from services.gateway.dashboard.pages.sign_in import safe_path
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.identity.cookies import cookies_of, is_secure
from services.gateway.identity.known_people import KnownPeople
from services.gateway.identity.oidc import LIFETIME, Oidc
from services.gateway.identity.visitor import visitor_of

_TOLD: Final = (Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.UNAVAILABLE, Kind.NOT_FOUND)


@get("/sign-in/oidc")
async def leave(
    request: AnyRequest,
    oidc: NamedDependency[Oidc],
    return_to: Annotated[str, QueryParameter(name="next", max_length=2000)] = "",
    invitation: Annotated[str, QueryParameter(max_length=200)] = "",
) -> Response[bytes]:
    """To the provider. An invitation is accepted from its own page, which says into what, and by no link elsewhere."""
    if invitation and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return Response(b"", status_code=303, headers={"Location": f"/join/{quote(invitation, safe='')}"})
    path = safe_path(return_to)
    try:
        address, state = await oidc.begin(path, invitation or None)
    except ShowbillError as error:
        return _told(request, oidc, error, path)
    cookie = _cookie(request, state.reveal(), LIFETIME)
    return Response(b"", status_code=303, headers={"Location": address}, cookies=[cookie])


@get("/sign-in/oidc/callback")
async def come_back(
    request: AnyRequest, oidc: NamedDependency[Oidc], known_people: NamedDependency[KnownPeople]
) -> Response[bytes]:
    """With what the provider said: into the dashboard, or to the sign-in page with a sentence."""
    gone = _cookie(request, "", 0)
    try:
        person = await oidc.finish(request.query_params, request.cookies.get(gone.key, ""))
        opened = await known_people.sign_in(person, visitor_of(request))
    except ShowbillError as error:
        page = _told(request, oidc, error)
        page.cookies.append(gone)
        return page
    cookies = [*cookies_of(request, opened.token, opened.device), gone]
    return Response(b"", status_code=303, headers={"Location": safe_path(person.return_to)}, cookies=cookies)


def _told(request: AnyRequest, oidc: Oidc, error: ShowbillError, path: str = "/shows") -> Response[bytes]:
    if error.kind not in _TOLD:
        raise error
    values = {"next": path, "email": "", "error": error.message, "oidc_name": oidc.name}
    return render(request, "sign-in.html", values, status=HTTP_STATUS[error.kind][0], headers=headers(error))


def _cookie(request: AnyRequest, value: str, max_age: int) -> Cookie:
    """`lax`, for the browser comes back from another site."""
    secure = is_secure(request)
    name = "__Host-showbill_oidc" if secure else "showbill_oidc"
    return Cookie(name, value=value, max_age=max_age, path="/", httponly=True, samesite="lax", secure=secure)


HANDLERS: Final = [leave, come_back]
