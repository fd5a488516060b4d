"""A show started, paused, ended."""

from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, go
from services.gateway.identity.principal import Principal


@post("/shows/{show_id:str}/start", status_code=200)
async def start_show(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    await shows.start(caller.identity, show_id)
    return go(request, f"/shows/{show_id}")


@post("/shows/{show_id:str}/pause", status_code=200)
async def pause_show(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    await shows.pause(caller.identity, show_id)
    return go(request, f"/shows/{show_id}")


@post("/shows/{show_id:str}/end", status_code=200)
async def end_show(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    await shows.end(caller.identity, show_id)
    return go(request, f"/shows/{show_id}")


HANDLERS: Final = [start_show, pause_show, end_show]
