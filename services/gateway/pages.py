"""Pages: templates, the files they use, and the policy they are shown under."""

import hashlib
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

_HERE: Final = Path(__file__).parent
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}

_FILES: Final = {file.name: file.read_bytes() for file in sorted((_HERE / "static").iterdir()) if file.is_file()}
_TAGS: Final = {name: f'"{hashlib.sha256(content).hexdigest()[:32]}"' for name, content in _FILES.items()}

_templates: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    template: str, values: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """A page under the strict policy: nothing inline, nothing from elsewhere."""
    content = _templates.get_template(template).render(values).encode()
    headers = {"Content-Security-Policy": _POLICY, **(headers or {})}
    return Response(content, status_code=status, media_type="text/html", headers=headers)


@get("/static/{name:str}", include_in_schema=False)
async def static_file(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file that pages use. Asked for again each time, and answered with nothing new while it is the same."""
    content = _FILES.get(name)
    if content is None:
        raise NotFoundException
    headers = {"Cache-Control": "no-cache", "ETag": _TAGS[name]}
    if request.headers.get("if-none-match") == _TAGS[name]:
        return Response(b"", status_code=304, headers=headers)
    media_type = _TYPES.get(Path(name).suffix, "application/octet-stream")
    return Response(content, media_type=media_type, headers=headers)


ROUTES: Final = Router("/", route_handlers=[static_file])
