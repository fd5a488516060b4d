"""Shows and their lifecycle."""

from typing import Annotated, Final

from litestar import Response, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from services.gateway.api.conditions import IfMatch, etag, etag_of
from services.gateway.api.parameters import IdempotencyKey, PageSize, PageToken, request_id_of
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.identity.principal import Principal
from services.gateway.schemas.invoices import SummaryView
from services.gateway.schemas.shows import NewShow, ShowChange, ShowPage, ShowState, ShowView


@get("/api/shows")
async def list_shows(
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    page_size: PageSize = 0,
    page_token: PageToken = "",
    search: Annotated[str, QueryParameter(max_length=200, description="Part of a name, in any case.")] = "",
    states: Annotated[list[ShowState] | None, QueryParameter(description="Only shows in these.")] = None,
) -> ShowPage:
    """Shows, newest first. A page token is of one search."""
    return await shows.list(caller.identity, page_size, page_token, search=search, states=states or ())


@post("/api/shows", status_code=201)
async def create_show(
    data: JSONBody[NewShow],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    idempotency_key: IdempotencyKey = None,
) -> ShowView:
    """Make a show, in state `draft`."""
    return await shows.create(caller.identity, data, request_id_of(idempotency_key, caller.identity, "create show"))


@get("/api/shows/{show_id:str}")
async def get_show(
    show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[ShowView]:
    """One show. The answer's `ETag` goes into `If-Match` of a change."""
    show = await shows.get(caller.identity, show_id)
    return Response(show, headers=etag(show.etag))


@patch("/api/shows/{show_id:str}")
async def change_show(
    show_id: FromPath[str],
    data: JSONBody[ShowChange],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    if_match: IfMatch = None,
) -> Response[ShowView]:
    """Change name, currency or start time; null takes the start away, until the show begins. The currency is fixed once
    an invoice exists."""
    show = await shows.update(caller.identity, show_id, data, etag_of(if_match))
    return Response(show, headers=etag(show.etag))


@post("/api/shows/{show_id:str}/start", status_code=200)
async def start_show(
    show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> ShowView:
    """Begin the show, or go on after a pause."""
    return await shows.start(caller.identity, show_id)


@post("/api/shows/{show_id:str}/pause", status_code=200)
async def pause_show(
    show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> ShowView:
    """Pause the show."""
    return await shows.pause(caller.identity, show_id)


@post("/api/shows/{show_id:str}/end", status_code=200)
async def end_show(
    show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> ShowView:
    """End the show."""
    return await shows.end(caller.identity, show_id)


@get("/api/shows/{show_id:str}/summary")
async def get_summary(
    show_id: FromPath[str], caller: NamedDependency[Principal], invoices: NamedDependency[Invoices]
) -> SummaryView:
    """The show's money: what was claimed, and where it stands."""
    return await invoices.summary(caller.identity, show_id)


ROUTES: Final = Router(
    "/",
    route_handlers=[list_shows, create_show, get_show, change_show, start_show, pause_show, end_show, get_summary],
    tags=["Shows"],
)
