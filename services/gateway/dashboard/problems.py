"""What goes wrong on a page becomes a page, or a message on the one that is open; nobody signed in goes to sign in."""

from typing import Any, Final
from urllib.parse import quote, urlsplit

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from services.common.context import request_id
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.problem import HTTP_STATUS, headers
from services.gateway.dashboard.pages.sign_in import safe_path
from services.gateway.dashboard.rendering import go, is_htmx, render, toast
from services.gateway.errors import known_error, on_http, to_whom
from services.gateway.identity.sessions import WrongCredentials

log = structlog.get_logger()

_OUR_FAULT: Final = (Kind.INTERNAL, Kind.UNAVAILABLE)


class NoSuchPage(NotFound):
    """There is nothing at this address. It may have been deleted, or it belongs to another workspace."""


class Unusable(ShowbillError):
    """What was sent cannot be used. Open the page again and try once more."""

    kind = Kind.INVALID
    reason = "INVALID_REQUEST"


class TooLarge(Unusable):
    """What was sent is larger than may be sent here: a file may have 50 MB. Send it in several parts."""


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The answer to anything that was raised behind a page."""
    known = to_whom(request, _known(error))
    if known.kind is Kind.UNAUTHENTICATED:
        return go(request, "/sign-in" + _return_to(request))
    if known.kind in _OUR_FAULT:
        log.error("page failed", reason=known.reason, exc_info=error)
    status, title = HTTP_STATUS[known.kind]
    if is_htmx(request):
        body = f"{known.message} Reference {request_id()}." if known.kind is Kind.INTERNAL else known.message
        answer = headers(known) | toast("error", title, body) | {"HX-Reswap": "none"}
        return Response(b"", status_code=status, headers=answer, media_type="text/html")
    return told_page(request, status, title, known.message, headers(known))


def told_page(
    request: Request[Any, Any, Any], status: int, title: str, message: str, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """What went wrong as a page of its own."""
    values = {"status": status, "title": title, "message": message, "reference": request_id(), "again": _again(request)}
    return render(request, "error.html", values | {"asked": request.method == "GET"}, status=status, headers=headers)


def _again(request: Request[Any, Any, Any]) -> str:
    """Where to try once more: the same address; of a form the page that it stood on, for its own shows nothing."""
    if request.method == "GET":
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    else:
        path, query = _page(request.headers.get("referer", ""))
    return safe_path(path + (f"?{query}" if query else ""))


def refusal(error: ShowbillError) -> str:
    """The sentence of what a person can mend. Raises again what is our fault, or nobody's to mend on that form."""
    if error.kind in (*_OUR_FAULT, Kind.UNAUTHENTICATED, Kind.NOT_FOUND) and error.reason != WrongCredentials.reason:
        raise error
    return error.message


def on_stray(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """An address that is none: a page for a person with a browser, a problem document for a program."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.scope["path"].startswith("/api")
    return on_error(request, error) if wants_page else on_http(request, error)


def _known(error: Exception) -> ShowbillError:
    if isinstance(error, HTTPException) and error.status_code in (404, 405):
        return NoSuchPage()
    if isinstance(error, HTTPException) and error.status_code == 413:
        return TooLarge()
    if isinstance(error, HTTPException) and error.status_code < 500:
        return Unusable()
    return known_error(error)


def _return_to(request: Request[Any, Any, Any]) -> str:
    """The page that somebody asked for, or on which our script asked."""
    if is_htmx(request):
        path, query = _page(request.headers.get("hx-current-url", ""))
    elif request.method == "GET":
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    else:
        return ""
    if path in ("", "/"):
        return ""
    return "?next=" + quote(path + (f"?{query}" if query else ""), safe="")


def _page(address: str) -> tuple[str, str]:
    """The path and the query of what a header calls an address."""
    try:
        place = urlsplit(address)
    except ValueError:
        return "", ""
    return place.path, place.query
