"""The runs that a page follows, as its address names them."""

from services.common.context import Identity
from services.common.errors import Kind
from services.common.status import RemoteError
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.sendings import Sendings
from services.gateway.dashboard.views.chosen import Chosen
from services.gateway.dashboard.views.progress import SendingProgress, sending_of
from services.gateway.schemas.invoices import GenerationView

_LOOKED_AT = 200
"""Deliveries that are searched for what went wrong."""


async def run_of(invoices: Invoices, who: Identity, chosen: Chosen) -> GenerationView | None:
    """The run that is named, if there is such a run of this show."""
    if not chosen.run:
        return None
    try:
        found = await invoices.generation(who, chosen.run)
    except RemoteError as error:
        if error.kind in (Kind.NOT_FOUND, Kind.INVALID):
            return None
        raise
    return found if found.show_id == chosen.show_id else None


async def sending_progress(sendings: Sendings, who: Identity, chosen: Chosen) -> SendingProgress | None:
    """The sending that is named, if there is such a one of this show."""
    if not chosen.sending:
        return None
    try:
        found = await sendings.get(who, chosen.sending)
    except RemoteError as error:
        if error.kind in (Kind.NOT_FOUND, Kind.INVALID):
            return None
        raise
    if found.show_id != chosen.show_id:
        return None
    failed = (await sendings.deliveries(who, found.id, _LOOKED_AT, "")).items if found.failed_count else []
    return sending_of(found, failed)
