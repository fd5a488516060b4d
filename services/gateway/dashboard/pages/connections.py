"""How claims come in, and what arrived last."""

from datetime import UTC, datetime
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.identity.principal import Principal, Role
from services.gateway.schemas.shows import ShowView

_MOST_LOOKED_AT: Final = 200
_MOST_SHOWN: Final = 10
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


@get("/connections")
async def connections_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
) -> Response[bytes]:
    """Of the newest shows, those that claims reached last."""
    found = (await shows.list(caller.identity, _MOST_LOOKED_AT, "")).items
    values = {"arrived": _latest(found), "newest": found[0] if found else None, "owner": caller.role is Role.OWNER}
    return render(request, "connections.html", values)


def _latest(found: list[ShowView]) -> list[ShowView]:
    """Claims that came before their time was kept stand last."""
    with_claims = [show for show in found if show.claim_count]
    return sorted(with_claims, key=lambda show: show.claims_arrived_at or _BEFORE_ALL, reverse=True)[:_MOST_SHOWN]


HANDLERS: Final = [connections_page]
