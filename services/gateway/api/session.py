"""Signing in and out, and who one is."""

from typing import Any, Final

from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from services.common.secret import Secret
from services.gateway.identity.cookies import cookies_of, session_cookie
from services.gateway.identity.principal import Principal, Way
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.visitor import visitor_of
from services.gateway.realtime.hub import Hub
from services.gateway.schemas.identity import SessionView, SignIn


@post("/api/session", status_code=200)
async def sign_in(
    data: JSONBody[SignIn], request: Request[Any, Any, Any], sessions: NamedDependency[Sessions]
) -> Response[SessionView]:
    """Sign in with e-mail address and password; the answer sets the session's cookie."""
    opened = await sessions.sign_in(data.email, Secret(data.password), visitor_of(request))
    return Response(SessionView.of(opened.principal), cookies=cookies_of(request, opened.token, opened.device))


@get("/api/session")
async def who_am_i(caller: NamedDependency[Principal]) -> SessionView:
    """Who is signed in, or whom the token stands for."""
    return SessionView.of(caller)


@delete("/api/session", status_code=204)
async def sign_out(
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    hub: NamedDependency[Hub],
) -> Response[None]:
    """Sign out: the session ends, and its sockets close."""
    if caller.way is Way.SESSION:
        hub.end_credential(await sessions.end(caller.user_id, caller.credential_id))
    return Response(None, status_code=204, cookies=[session_cookie(request, None)])


ROUTES: Final = Router("/", route_handlers=[sign_in, who_am_i, sign_out], tags=["Session"])
