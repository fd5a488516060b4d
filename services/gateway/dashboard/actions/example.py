"""The example show, for a workspace that has none of its own yet."""

from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency

from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, go
from services.gateway.example_show import load_example
from services.gateway.identity.principal import Principal


@post("/shows/example", status_code=200)
async def make_example(
    request: AnyRequest, caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    show = await load_example(shows, caller.identity)
    return go(request, f"/shows/{show.id}")


HANDLERS: Final = [make_example]
