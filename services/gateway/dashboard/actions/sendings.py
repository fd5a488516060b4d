"""Sending the links of all invoices that wait for it."""

from typing import Final, Literal

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.gateway.api.parameters import request_id_of
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.sendings import Sendings
from services.gateway.dashboard.rendering import AnyRequest, go
from services.gateway.dashboard.views.chosen import chosen_ids
from services.gateway.dashboard.views.money import money_of
from services.gateway.identity.principal import Principal
from services.gateway.schemas.sendings import SendManyBody


class MoreByNow(ShowbillError):
    """There are {now} links to send by now, and you looked at {seen}. Nothing was sent: ask once more."""

    kind = Kind.CONFLICT
    reason = "MORE_BY_NOW"


_OTHERS: Final[dict[str, Literal["dm", "manual"]]] = {"dm": "dm", "manual": "manual"}
_LONGEST_COUNT: Final = 10


@post("/shows/{show_id:str}/send-all", status_code=200)
async def send_all(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    sendings: NamedDependency[Sendings],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """Begins the run, and leads to its progress. No more go out than the question counted: no mail is taken back."""
    form = await request.form()
    await _require_no_more(str(form.get("count", "")), invoices, caller.identity, show_id)
    request_id = request_id_of(str(form.get("request_id", ""))[:100], caller.identity, f"send {show_id}")
    chosen = chosen_ids(form) if "ids" in form else []
    body = SendManyBody(invoice_ids=chosen, channel_without_email=_OTHERS.get(str(form.get("others", ""))))
    run = await sendings.begin(caller.identity, show_id, body, request_id)
    return go(request, f"/shows/{show_id}?sending={run.id}")


async def _require_no_more(seen: str, invoices: Invoices, who: Identity, show_id: str) -> None:
    """Raises MoreByNow where others came to those that were looked at."""
    if not (seen.isascii() and seen.isdecimal() and len(seen) < _LONGEST_COUNT):
        return
    now = money_of(await invoices.summary(who, show_id)).sendable_count
    if now > int(seen):
        raise MoreByNow(now=f"{now:,}", seen=f"{int(seen):,}")


HANDLERS: Final = [send_all]
