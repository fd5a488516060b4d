"""Templates of the dashboard turned into answers."""

import json
from pathlib import Path
from typing import Any, Final, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response

from services.gateway.dashboard.formats import FILTERS, locale_of
from services.gateway.dashboard.views.plan import KINDS
from services.gateway.dashboard.views.platforms import platform_of
from services.gateway.dashboard.views.statuses import BADGES
from services.gateway.identity.principal import Principal
from services.gateway.pages import POLICY, asset

AnyRequest: TypeAlias = Request[Any, Any, Any]

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    # Without a referrer a browser hides the origin of a form's own post too, and that is what proves where it is from.
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request, Accept-Language, Cookie",
}
_THEMES: Final = ("light", "dark")
_templates: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.filters.update(FILTERS, platform_name=lambda one: platform_of(one).name)
_templates.globals.update(asset=asset, badges=BADGES, kinds=KINDS, platform_of=platform_of)


def is_htmx(request: AnyRequest) -> bool:
    """Whether a script of our page asks, for a part of it."""
    return request.headers.get("hx-request") == "true"


def render(
    request: AnyRequest,
    template: str,
    values: dict[str, Any],
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """A page or a part of one, in the reader's locale and theme."""
    content = _templates.get_template(template).render({**_surroundings(request), **values}).encode()
    return Response(content, status_code=status, media_type="text/html", headers={**HEADERS, **(headers or {})})


def head_of(request: AnyRequest, template: str, values: dict[str, Any]) -> bytes:
    """A page up to the end of its head, which needs no more than its title."""
    told = {**_surroundings(request), **values, "head_only": True}
    return _templates.get_template(template).render(told).encode()


def _surroundings(request: AnyRequest) -> dict[str, Any]:
    user = request.scope.get("user")
    theme = request.cookies.get("theme", "")
    return {
        "caller": user if isinstance(user, Principal) else None,
        "locale": locale_of(request.headers),
        "theme": theme if theme in _THEMES else "",
        "path": request.scope["path"],
    }


def toast(kind: str, title: str, body: str = "", *, copy: str = "") -> dict[str, str]:
    """Headers that make the page show a message; with `copy`, also put a text on the clipboard."""
    detail = {"kind": kind, "title": title, "body": body, "copy": copy}
    return {"HX-Trigger": json.dumps({"toast": detail})}


def said(text: str) -> dict[str, str]:
    """Headers that make the page say something to those who do not see it."""
    return {"HX-Trigger": json.dumps({"said": {"text": text}})}


def go(request: AnyRequest, path: str) -> Response[bytes]:
    """Sends the browser to another page, whoever asked: a form, or our script."""
    if is_htmx(request):
        return Response(b"", status_code=200, headers={"HX-Redirect": path})
    return Response(b"", status_code=303, headers={"Location": path})
