"""Signing in and out from a page."""

from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency

from services.common.errors import Kind, ShowbillError
from services.common.problem import HTTP_STATUS, headers
from services.common.secret import Secret, redact
from services.gateway.dashboard.pages.sign_in import safe_path
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.identity.cookies import cookies_of, session_cookie
from services.gateway.identity.oidc import Oidc
from services.gateway.identity.principal import Principal, Way
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.visitor import visitor_of
from services.gateway.realtime.hub import Hub

_LONGEST: Final = 1024


@post("/sign-in", status_code=303)
async def sign_in(
    request: AnyRequest, sessions: NamedDependency[Sessions], oidc: NamedDependency[Oidc]
) -> Response[bytes]:
    """To the page that was asked for; wrong or too many attempts come back with a sentence."""
    form = await request.form()
    email, path = str(form.get("email", ""))[:_LONGEST].strip(), safe_path(str(form.get("next", "")))
    password = Secret(str(form.get("password", ""))[:_LONGEST])
    try:
        opened = await sessions.sign_in(email, password, visitor_of(request))
    except ShowbillError as error:
        if error.kind not in (Kind.UNAUTHENTICATED, Kind.RATE_LIMITED):
            raise
        values = {"next": path, "email": redact(email), "error": error.message, "oidc_name": oidc.name}
        status = HTTP_STATUS[error.kind][0]
        return render(request, "sign-in.html", values, status=status, headers=headers(error))
    return Response(
        b"", status_code=303, headers={"Location": path}, cookies=cookies_of(request, opened.token, opened.device)
    )


@post("/sign-out", status_code=303)
async def sign_out(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    """The session ends, and its sockets close."""
    if caller.way is Way.SESSION:
        hub.end_credential(await sessions.end(caller.user_id, caller.credential_id))
    return Response(b"", status_code=303, headers={"Location": "/sign-in"}, cookies=[session_cookie(request, None)])


HANDLERS: Final = [sign_in, sign_out]
