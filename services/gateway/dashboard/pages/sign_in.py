"""The page to sign in on."""

from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.identity.oidc import Oidc

HOME: Final = "/shows"


def safe_path(path: str) -> str:
    """Where to go after signing in: a path of our own, or the first page."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and path.isascii()
    return path if ours else HOME


@get("/sign-in")
async def sign_in_page(
    request: AnyRequest,
    oidc: NamedDependency[Oidc],
    return_to: Annotated[str, QueryParameter(name="next", max_length=2000)] = "",
) -> Response[bytes]:
    return render(
        request, "sign-in.html", {"next": safe_path(return_to), "email": "", "error": None, "oidc_name": oidc.name}
    )


HANDLERS: Final = [sign_in_page]
