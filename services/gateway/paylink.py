"""`/p/{token}`: the buyer's stable link. No account and no cookie; whoever has the link may see what it shows."""

from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar

import structlog
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from services.common.addresses import BaseUrl
from services.common.errors import Kind, ShowbillError
from services.common.problem import headers
from services.common.status import RemoteError
from services.gateway.backends.paylinks import PayLinks
from services.gateway.errors import on_error
from services.gateway.identity.origin import check_same_origin
from services.gateway.identity.visitor import network_of, visitor_of
from services.gateway.limits import Limits, TooManyRequests
from services.gateway.pages import asset, page
from services.gateway.paypage import content, web_address
from services.gateway.reader import reader_of

log = structlog.get_logger()

_HEADERS: Final = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Vary": "Accept-Language",
    "Cache-Control": "no-store",
}
_LONGEST_TOKEN: Final = 200

_UNKNOWN: Final = ("Link not found", "This link leads nowhere. Ask the seller for a new one.")
_AWAY: Final = ("Just a moment", "The invoice cannot be shown just now. Nothing is lost: try again in a minute.")
_TOO_MANY: Final = ("One moment please", "This page was asked for too often. Wait a minute, then try again.")

AnyRequest = Request[Any, Any, Any]
T = TypeVar("T")


@get("/p/{token:str}", include_in_schema=False)
async def show_pay_link(
    token: FromPath[str], request: AnyRequest, pay_links: NamedDependency[PayLinks], limits: NamedDependency[Limits]
) -> Response[Any]:
    """What is owed, and a button to where it can be paid. A GET counts nothing: chat apps fetch links for previews."""
    await limits.take("pay links", "")
    link = await _resolved(pay_links.resolve(token[:_LONGEST_TOKEN]))
    if isinstance(link, Response):
        return link
    reader = reader_of(request.headers.get("accept-language", ""))
    return _page(200, "pay-link.html", content(link, reader, f"/p/{token}"))


@get("/p/{token:str}/pay", include_in_schema=False)
async def go_and_pay(
    token: FromPath[str], pay_links: NamedDependency[PayLinks], limits: NamedDependency[Limits]
) -> Response[Any]:
    """To the provider's page of now: the button of a page that was left open for weeks still leads there."""
    await limits.take("pay links", "")
    link = await _resolved(pay_links.resolve(token[:_LONGEST_TOKEN]))
    if isinstance(link, Response):
        return link
    return Redirect(web_address(link.external_url) or f"/p/{token}", status_code=303, headers=_HEADERS)


@post("/p/{token:str}/opened", include_in_schema=False)
async def count_opening(
    token: FromPath[str],
    request: AnyRequest,
    pay_links: NamedDependency[PayLinks],
    limits: NamedDependency[Limits],
    base_url: NamedDependency[BaseUrl],
) -> Response[Any]:
    """The page's script says that somebody looks at it: once in a visit, by the script's word, without a cookie.

    Where a browser keeps nothing for the script, once in a minute for each address.
    """
    check_same_origin(request.headers, base_url, must_say=True)
    await limits.take("pay links", "")
    token = token[:_LONGEST_TOKEN]
    if await _first(limits, f"{token} {network_of(visitor_of(request).address)}"):
        counted = await _resolved(pay_links.count_opening(token))
        if isinstance(counted, Response):
            return counted
    return Response(None, status_code=204, headers=_HEADERS)


async def _first(limits: Limits, visit: str) -> bool:
    try:
        await limits.take("opening", visit)
    except TooManyRequests:
        return False
    return True


async def _resolved(call: Awaitable[T]) -> T | Response[Any]:
    """What the services say, or the page that says why they do not. Unknown and revoked links are one and the same."""
    try:
        return await call
    except RemoteError as error:
        if error.kind in (Kind.NOT_FOUND, Kind.INVALID):
            return _told(404, _UNKNOWN)
        return _told(503, _AWAY, {"Retry-After": "30"})


def _busy(_request: AnyRequest, error: TooManyRequests) -> Response[Any]:
    return _told(429, _TOO_MANY, headers(error))


def _broken(request: AnyRequest, error: Exception) -> Response[Any]:
    """Whatever nobody foresaw: a buyer gets a page, and not what is meant for programs."""
    if request.method != "GET" or isinstance(error, ShowbillError):
        return on_error(request, error)
    log.error("pay page failed", exc_info=error)
    return _told(500, _AWAY, {"Retry-After": "30"})


def _told(status: int, words: tuple[str, str], more: Mapping[str, str] | None = None) -> Response[Any]:
    heading, sentence = words
    return _page(status, "pay-told.html", {"heading": heading, "sentence": sentence}, more)


def _page(status: int, template: str, values: dict[str, Any], more: Mapping[str, str] | None = None) -> Response[Any]:
    return page(template, {**values, "asset": asset}, status=status, headers={**_HEADERS, **(more or {})})


ROUTES: Final = Router(
    "/",
    route_handlers=[show_pay_link, go_and_pay, count_opening],
    exception_handlers={TooManyRequests: _busy, Exception: _broken},
)
