"""Pages: templates, the files they use, and the policy they are shown under."""

import hashlib
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from services.gateway.lean import lean

_HERE: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}

_FOLDERS: Final = (_HERE / "static", _HERE / "dashboard" / "static")
_FILES: Final = {
    file.name: lean(file.name, file.read_bytes())
    for folder in _FOLDERS
    for file in sorted(folder.iterdir())
    if file.suffix in _TYPES and file.is_file()
}
_VERSIONS: Final = {name: hashlib.sha256(content).hexdigest()[:16] for name, content in _FILES.items()}

_templates: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def page(
    template: str, values: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """A page under the strict policy: nothing inline, nothing from elsewhere."""
    return shown(filled(template, values), status=status, headers=headers)


def filled(template: str, values: dict[str, Any]) -> bytes:
    return _templates.get_template(template).render(values).encode()


def shown(content: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """What a template was filled to, as a page."""
    headers = {"Content-Security-Policy": POLICY, **(headers or {})}
    return Response(content, status_code=status, media_type="text/html", headers=headers)


def asset(name: str) -> str:
    """The address of a file that pages use, with its version: a browser never asks twice for the same content."""
    return f"/static/{name}?v={_VERSIONS[name]}"


@get("/static/{name:str}", include_in_schema=False)
async def static_file(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file that pages use. Kept for ever when asked for by its version; else asked for again each time."""
    content = _FILES.get(name)
    if content is None:
        raise NotFoundException
    tag = f'"{_VERSIONS[name]}"'
    versioned = request.query_params.get("v") == _VERSIONS[name]
    headers = {"Cache-Control": _FOR_EVER if versioned else "no-cache", "ETag": tag}
    known = request.headers.get("if-none-match", "").split(",")
    if tag in [one.strip().removeprefix("W/") for one in known]:  # proxies that compress weaken our tags
        return Response(b"", status_code=304, headers=headers)
    media_type = _TYPES.get(Path(name).suffix, "application/octet-stream")
    return Response(content, media_type=media_type, headers=headers)


ROUTES: Final = Router("/", route_handlers=[static_file])
