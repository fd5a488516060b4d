"""Name, currency and start of a show: the form, and what somebody else saved meanwhile."""

from dataclasses import dataclass
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.errors import Kind, ShowbillError
from services.common.problem import HTTP_STATUS
from services.common.status import RemoteError
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.pages.shows import CURRENCIES
from services.gateway.dashboard.rendering import AnyRequest, go, render
from services.gateway.dashboard.views.moments import moment_of
from services.gateway.faults import sentence_of
from services.gateway.identity.principal import Principal
from services.gateway.schemas.shows import ShowChange, ShowView

_MENDABLE: Final = (Kind.INVALID, Kind.CONFLICT, Kind.FAILED_PRECONDITION, Kind.OUTDATED)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    name: str
    currency: str
    starts: str | None
    """As the field has it: empty is no start. None where nobody could touch it, which leaves what the show has."""


@get("/shows/{show_id:str}/edit")
async def edit_page(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    show = await shows.get(caller.identity, show_id)
    return _form(request, show, Typed(show.name, show.currency, None))


@post("/shows/{show_id:str}/edit", status_code=200)
async def save_show(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    """Saves, if nobody else did since the form was read; else the form again: saving over it is a choice."""
    form = await request.form()
    starts, zone = str(form.get("starts", ""))[:40], str(form.get("zone", ""))[:60]
    # What our script put into the field, to the minute, and the zone beside: untouched, it leaves the start as it is.
    had = str(form.get("had_start", ""))
    told = starts if starts != had and (starts or (zone and had)) else None
    typed = Typed(str(form.get("name", "")).strip()[:500], str(form.get("currency", ""))[:3], told)
    try:
        await shows.update(caller.identity, show_id, _change(typed, zone), _etag(form.get("etag")))
    except msgspec.ValidationError as error:
        return _form(request, await shows.get(caller.identity, show_id), typed, problem=sentence_of(error), status=422)
    except (RemoteError, ShowbillError) as error:
        if error.kind not in _MENDABLE:
            raise
        show, outdated = await shows.get(caller.identity, show_id), error.kind is Kind.OUTDATED
        problem = "" if outdated else error.message
        return _form(request, show, typed, problem=problem, theirs=outdated, status=HTTP_STATUS[error.kind][0])
    return go(request, f"/shows/{show_id}")


def _change(typed: Typed, zone: str) -> ShowChange:
    told = {"name": typed.name, "currency": typed.currency}
    start = {} if typed.starts is None else {"startTime": moment_of(typed.starts, zone)}
    return msgspec.convert(told | start, ShowChange)


def _etag(value: object) -> str:
    """A form without one would overwrite whatever is there, so it gets one that fits nothing."""
    return str(value)[:100] if value else "none"


def _form(
    request: AnyRequest, show: ShowView, typed: Typed, *, problem: str = "", theirs: bool = False, status: int = 200
) -> Response[bytes]:
    """`theirs` says that somebody else changed the show; the form then holds its state of now."""
    currencies = sorted({*CURRENCIES, typed.currency} - {""})
    values = {"show": show, "typed": typed, "problem": problem, "theirs": theirs, "currencies": currencies}
    return render(request, "show-edit.html", values, status=status)


HANDLERS: Final = [edit_page, save_show]
