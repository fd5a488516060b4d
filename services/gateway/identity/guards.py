"""The door: every request passes here before anything else is looked at."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import WebSocketException
from litestar.handlers.base import BaseRouteHandler

from services.common.errors import Forbidden, ShowbillError, Unauthenticated
from services.common.problem import HTTP_STATUS
from services.common.server import translate
from services.gateway.identity.access import RULES, SOCKET, Rule
from services.gateway.identity.cookies import session_token
from services.gateway.identity.origin import check_same_origin
from services.gateway.identity.principal import Principal, Role, Way
from services.gateway.identity.sessions import Sessions
from services.gateway.identity.tokens import ApiTokens
from services.gateway.identity.visitor import network_of, visitor_of
from services.gateway.limits import Limits, TooManyRequests, note

_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_UNCOUNTED: Final = frozenset(("/api/health", "/api/health/live", "/static/{name}"))
"""What costs nothing, and is asked for often."""
_LONGEST_CREDENTIAL: Final = 512
SUBPROTOCOL: Final = "showbill.v1"
"""What a socket speaks. A client that cannot send headers, such as a browser's script, offers it beside its token."""
TOKEN_PREFIX: Final = "showbill.token."  # noqa: S105  # what stands before a token
REFUSAL: Final = "showbill.refusal"
SOCKET_REFUSED: Final = 4000
"""A socket that is not let in is closed with this plus the status that HTTP would answer."""


class OwnersOnly(Forbidden):
    """Only an owner of the workspace may do this. Ask an owner."""

    reason = "OWNERS_ONLY"


class TokenNotMeantForThis(Forbidden):
    """This API token may not do this: it lacks the scope {scope}. Use one that has it, or ask an owner to make one."""

    reason = "SCOPE_MISSING"


class PeopleOnly(Forbidden):
    """An API token cannot do this. Sign in with your own account."""

    reason = "PEOPLE_ONLY"


def check_allowed(principal: Principal, rule: Rule) -> None:
    """Raises the Forbidden that says why this caller may not use a route of this rule."""
    if rule.owners_only and principal.role is not Role.OWNER:
        raise OwnersOnly
    if principal.way is Way.TOKEN and rule is Rule.PERSON:
        raise PeopleOnly
    if rule.scope is not None and rule.scope not in principal.scopes:
        raise TokenNotMeantForThis(scope=rule.scope.value)


class Door:
    """Finds out who comes, and lets in whom the table of rules lets in."""

    def __init__(self, sessions: Sessions, tokens: ApiTokens, public_url: str | None, limits: Limits) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._public_url = public_url
        self._limits = limits

    async def guard(self, connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        """Sets `connection.user`, or raises Unauthenticated or Forbidden."""
        if connection.scope["type"] != ScopeType.WEBSOCKET:
            await self._admit(connection, str(connection.scope["method"]))
            return
        try:
            await self._admit(connection, SOCKET)
        except Exception as error:
            raise refused(connection, translate(error)) from error

    async def _admit(self, connection: ASGIConnection[Any, Any, Any, Any], method: str) -> None:
        rule = Rule.KNOWN if method == "OPTIONS" else RULES.get((method, connection.scope["path_template"]))
        if rule is None:
            raise Forbidden
        if rule is Rule.OPEN and connection.scope["path_template"] not in _UNCOUNTED:
            await self._count_address(connection)
        if rule in (Rule.OPEN, Rule.PROVIDER):
            return
        headers, cookie = connection.headers, session_token(connection)
        authorization = headers.get("authorization") or _offered(connection)
        if authorization is None and method not in _SAFE:
            check_same_origin(headers, self._public_url, must_say=method == SOCKET and cookie is not None)
        if rule is Rule.SIGN_IN:
            await self._count_address(connection)
            return
        principal = await self._who(authorization, cookie)
        if principal is None:
            await self._count_address(connection)
            raise Unauthenticated
        await self._count(connection, "known", principal.credential_id)
        check_allowed(principal, rule)
        connection.scope["user"] = principal

    async def _count_address(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        await self._count(connection, "address", network_of(visitor_of(connection).address))

    async def _count(self, connection: ASGIConnection[Any, Any, Any, Any], kind: str, caller: str) -> None:
        try:
            standing = await self._limits.take(kind, caller)
        except TooManyRequests as error:
            note(connection.scope, error.standing)
            raise
        note(connection.scope, standing)

    async def _who(self, authorization: str | None, cookie: str | None) -> Principal | None:
        if authorization is not None:  # whoever shows a token means the token, not a cookie that came along
            scheme, _, token = authorization.partition(" ")
            usable = scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST_CREDENTIAL
            return await self._tokens.find(token.strip()) if usable else None
        return await self._sessions.find(cookie) if cookie else None


def refused(connection: ASGIConnection[Any, Any, Any, Any], error: ShowbillError) -> WebSocketException:
    """What makes a socket that is not open yet an answer of HTTP that says why."""
    connection.scope[REFUSAL] = error  # type: ignore[typeddict-unknown-key]
    return WebSocketException(detail=error.message, code=SOCKET_REFUSED + HTTP_STATUS[error.kind][0])


def _offered(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The token among the subprotocols of a socket: never in the address, which proxies and browsers write down."""
    offered: list[str] = (
        connection.scope.get("subprotocols", []) if connection.scope["type"] == ScopeType.WEBSOCKET else []
    )
    tokens = [name.removeprefix(TOKEN_PREFIX) for name in offered if name.startswith(TOKEN_PREFIX)]
    return f"Bearer {tokens[0]}" if tokens else None
