"""Whether a browser sent a request from one of our own pages. A cookie alone does not prove that."""

from collections.abc import Mapping

from services.common.errors import Forbidden


class CrossOrigin(Forbidden):
    """This request came from another site. Open Showbill itself and try again there."""

    reason = "CROSS_ORIGIN"


def check_same_origin(headers: Mapping[str, str], public_url: str | None, *, must_say: bool) -> None:
    """Raises CrossOrigin for a request that another site's page made.

    Browsers say where a request comes from and pages cannot change that. A request that says nothing was made by no
    browser; with `must_say` it is refused all the same.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise CrossOrigin
    origin = headers.get("origin")
    if origin is None:
        if must_say:
            raise CrossOrigin
        return
    if public_url is not None and origin == public_url:
        return
    # The scheme may differ behind a proxy that ends TLS; host and port may not.
    _, _, place = origin.partition("://")
    if place != headers.get("host"):
        raise CrossOrigin
