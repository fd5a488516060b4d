"""The desk from which an operator sends links by hand, one buyer after the other."""

import asyncio
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.common.addresses import BaseUrl
from services.gateway.api.parameters import request_id_of
from services.gateway.backends.desk import Desk
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.rendering import AnyRequest, go, is_htmx, render
from services.gateway.dashboard.views.desk import desk_of
from services.gateway.identity.principal import Principal

_MOST_WAITING: Final = 100
_MOST_READERS: Final = 100
_MOST_HELD: Final = 50


@get("/shows/{show_id:str}/desk")
async def desk_page(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    desk: NamedDependency[Desk],
    base_url: NamedDependency[BaseUrl],
    at: Annotated[str, QueryParameter(max_length=100)] = "",
    skip: Annotated[str, QueryParameter(max_length=37 * _MOST_HELD)] = "",
    page: Annotated[str, QueryParameter(max_length=2000)] = "",
) -> Response[bytes]:
    """`at` is the one in hand; `skip` those that were marked a moment ago and can still be taken back."""
    who = caller.identity
    show = await shows.get(who, show_id)  # its position first: what changes while the rest is read counts as news
    queue, opened = await asyncio.gather(
        desk.unsent(who, show_id, _MOST_WAITING, page), desk.opened(who, show_id, _MOST_READERS)
    )
    values: dict[str, Any] = {"show": show, "desk": desk_of(queue, opened, at, set(skip.split(",")), base_url)}
    return render(request, "desk.html", values | {"page": page})


@post("/shows/{show_id:str}/desk/{invoice_id:str}/sent", status_code=200)
async def mark_sent(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """The operator sent the message. Of two who say so of one invoice, only the first counts."""
    form = await request.form()
    key = f"desk {str(form.get('revision', ''))[:10]}"
    request_id = request_id_of(key, caller.identity, f"send {invoice_id}")
    await invoices.send(caller.identity, show_id, invoice_id, "manual", request_id)
    if is_htmx(request):
        return Response(b"", status_code=204)
    following = str(form.get("next", ""))[:100]
    return go(request, f"/shows/{show_id}/desk" + (f"?at={following}" if following.replace("-", "").isalnum() else ""))


HANDLERS: Final = [desk_page, mark_sent]
