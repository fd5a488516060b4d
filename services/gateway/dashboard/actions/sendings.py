"""Sending the links of all invoices that wait for it."""

from typing import Final, Literal

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.gateway.api.parameters import request_id_of
from services.gateway.backends.sendings import Sendings
from services.gateway.dashboard.rendering import AnyRequest, go
from services.gateway.dashboard.views.chosen import chosen_ids
from services.gateway.identity.principal import Principal
from services.gateway.schemas.sendings import SendManyBody

_OTHERS: Final[dict[str, Literal["dm", "manual"]]] = {"dm": "dm", "manual": "manual"}
_LONGEST_COUNT: Final = 10


@post("/shows/{show_id:str}/send-all", status_code=200)
async def send_all(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    sendings: NamedDependency[Sendings],
) -> Response[bytes]:
    """Begins the run, and leads to its progress. No more go out than the question counted: no mail is taken back."""
    form = await request.form()
    count = str(form.get("count", ""))
    seen = int(count) if count.isascii() and count.isdecimal() and len(count) < _LONGEST_COUNT else None
    request_id = request_id_of(str(form.get("request_id", ""))[:100], caller.identity, f"send {show_id}")
    chosen = chosen_ids(form) if "ids" in form else []
    body = SendManyBody(
        invoice_ids=chosen, channel_without_email=_OTHERS.get(str(form.get("others", ""))), most_count=seen
    )
    run = await sendings.begin(caller.identity, show_id, body, request_id)
    return go(request, f"/shows/{show_id}?sending={run.id}")


HANDLERS: Final = [send_all]
