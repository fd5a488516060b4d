"""The cookie that carries a session, and the one by which a device is known again."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from services.common.secret import Secret

COOKIE: Final = "showbill_session"
SECURE_COOKIE: Final = "__Host-showbill_session"
"""Its name behind TLS: browsers take it from this very host only: no neighbour can plant a session of theirs."""
LIFETIME: Final = 30 * 24 * 3600
"""Seconds after which a session ends in any case."""
DEVICE_LIFETIME: Final = 180 * 24 * 3600
"""Seconds without a sign-in after which a device is known no more."""
_DEVICE_COOKIE: Final = "showbill_device"
_LONGEST: Final = 512

AnyConnection = ASGIConnection[Any, Any, Any, Any]


def is_secure(connection: AnyConnection) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy before us."""
    return connection.scope["scheme"] in ("https", "wss")


def session_token(connection: AnyConnection) -> str | None:
    """What the browser's cookie carries, of whatever worth."""
    return _carried(connection, SECURE_COOKIE if is_secure(connection) else COOKIE)


def device_token(connection: AnyConnection) -> str | None:
    """What the device's cookie carries, of whatever worth."""
    return _carried(connection, _device_cookie(is_secure(connection)))


def _carried(connection: AnyConnection, name: str) -> str | None:
    token = connection.cookies.get(name, "")
    return token if 0 < len(token) <= _LONGEST else None


def _device_cookie(secure: bool) -> str:
    return "__Host-" * secure + _DEVICE_COOKIE


def session_cookie(connection: AnyConnection, token: Secret | None) -> Cookie:
    """The cookie that carries a session; without one, what removes it."""
    name = SECURE_COOKIE if is_secure(connection) else COOKIE
    return _cookie(connection, name, token, LIFETIME if token else 0)


def cookies_of(connection: AnyConnection, session: Secret, device: Secret) -> list[Cookie]:
    """What a browser is to keep of a sign-in. The device's cookie stays when the session ends."""
    name = _device_cookie(is_secure(connection))
    return [session_cookie(connection, session), _cookie(connection, name, device, DEVICE_LIFETIME)]


def _cookie(connection: AnyConnection, name: str, value: Secret | None, max_age: int) -> Cookie:
    return Cookie(
        name,
        value=value.reveal() if value else "",
        max_age=max_age,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_secure(connection),
    )
