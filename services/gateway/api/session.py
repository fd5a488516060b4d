"""Signing in and out."""

from typing import Any, Final

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody

from services.common.addresses import BaseUrl
from services.common.secret import Secret
from services.gateway.identity.principal import Principal, Way
from services.gateway.identity.sessions import COOKIE, LIFETIME, Sessions
from services.gateway.realtime.hub import Hub
from services.gateway.schemas.identity import SessionView, SignIn


def session_cookie(token: Secret | None, base_url: BaseUrl) -> Cookie:
    """The cookie that carries a session; without one, what removes it."""
    return Cookie(
        COOKIE,
        value=token.reveal() if token else "",
        max_age=LIFETIME if token else 0,
        path="/",
        httponly=True,
        samesite="lax",
        secure=base_url.secure,
    )


@post("/api/session", status_code=200)
async def sign_in(
    data: JSONBody[SignIn],
    request: Request[Any, Any, Any],
    sessions: NamedDependency[Sessions],
    base_url: NamedDependency[BaseUrl],
) -> Response[SessionView]:
    """Sign in with e-mail address and password; the answer sets the session's cookie."""
    address = request.client.host if request.client else ""
    opened = await sessions.sign_in(data.email, Secret(data.password), address)
    return Response(SessionView.of(opened.principal), cookies=[session_cookie(opened.token, base_url)])


@get("/api/session")
async def who_am_i(caller: NamedDependency[Principal]) -> SessionView:
    """Who is signed in, or whom the token stands for."""
    return SessionView.of(caller)


@delete("/api/session", status_code=204)
async def sign_out(
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    hub: NamedDependency[Hub],
    base_url: NamedDependency[BaseUrl],
) -> Response[None]:
    """Sign out: the session ends, and its sockets close."""
    if caller.way is Way.SESSION:
        await sessions.end(caller.credential_id)
        hub.end_credential(caller.credential_id)
    return Response(None, status_code=204, cookies=[session_cookie(None, base_url)])


ROUTES: Final = Router("/", route_handlers=[sign_in, who_am_i, sign_out], tags=["Session"])
