"""The cookie that carries a session."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from services.common.secret import Secret

COOKIE: Final = "showbill_session"
SECURE_COOKIE: Final = "__Host-showbill_session"
"""Its name behind TLS: browsers take it from this very host only: no neighbour can plant a session of theirs."""
LIFETIME: Final = 30 * 24 * 3600
"""Seconds after which a session ends in any case."""
_LONGEST: Final = 512

AnyConnection = ASGIConnection[Any, Any, Any, Any]


def is_secure(connection: AnyConnection) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy before us."""
    return connection.scope["scheme"] in ("https", "wss")


def session_token(connection: AnyConnection) -> str | None:
    """What the browser's cookie carries, of whatever worth."""
    token = connection.cookies.get(SECURE_COOKIE if is_secure(connection) else COOKIE, "")
    return token if 0 < len(token) <= _LONGEST else None


def session_cookie(connection: AnyConnection, token: Secret | None) -> Cookie:
    """The cookie that carries a session; without one, what removes it."""
    secure = is_secure(connection)
    return Cookie(
        SECURE_COOKIE if secure else COOKIE,
        value=token.reveal() if token else "",
        max_age=LIFETIME if token else 0,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )
