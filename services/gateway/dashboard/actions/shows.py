"""Making a show, and taking its files of items and claims."""

from typing import BinaryIO, Final, cast

import msgspec
from litestar import Response, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.errors import Kind, ShowbillError
from services.gateway.api.parameters import request_id_of
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.pages.shows import new_show_form
from services.gateway.dashboard.rendering import AnyRequest, go, render
from services.gateway.faults import sentence_of
from services.gateway.identity.principal import Principal
from services.gateway.imports.claims import import_claims
from services.gateway.imports.items import import_items
from services.gateway.imports.upload import LARGEST_FILE
from services.gateway.schemas.shows import ImportReport, NewShow, ShowView

_REFUSED: Final = (Kind.INVALID, Kind.FAILED_PRECONDITION, Kind.CONFLICT)
Reports = list[tuple[str, ImportReport]]


@post("/shows/new", status_code=200, request_max_body_size=2 * LARGEST_FILE)
async def create_show(
    request: AnyRequest, caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    """Makes the show and takes the files that came along; what could not be taken is told line by line."""
    form = await request.form()
    name, currency = str(form.get("name", "")).strip(), str(form.get("currency", ""))
    key = str(form.get("request_id", ""))[:100]
    try:
        wanted = msgspec.convert({"name": name, "currency": currency}, NewShow)
        show = await shows.create(caller.identity, wanted, request_id_of(key, caller.identity, "create show"))
        reports = await _take_files(form, shows, caller, show.id)
    except (msgspec.ValidationError, ShowbillError) as error:
        problem = "Give the show a name of at most 200 characters." if not name or len(name) > 200 else _told(error)
        values = new_show_form(name=name, currency=currency, request_id=key, problems=[problem])
        return render(request, "show-new.html", values, status=422)
    return _done(request, show, reports)


@post("/shows/{show_id:str}/import", status_code=200, request_max_body_size=2 * LARGEST_FILE)
async def import_files(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    """Takes files of items and claims. The same lines again change nothing."""
    show = await shows.get(caller.identity, show_id)
    try:
        reports = await _take_files(await request.form(), shows, caller, show_id)
    except ShowbillError as error:
        values = {"show": show, "reports": [], "problems": [_told(error)]}
        return render(request, "show-import.html", values, status=422)
    if not reports:
        values = {"show": show, "reports": [], "problems": ["Choose a file of items or a file of claims first."]}
        return render(request, "show-import.html", values, status=422)
    return _done(request, show, reports)


async def _take_files(form: FormMultiDict, shows: Shows, caller: Principal, show_id: str) -> Reports:
    """Items before claims, for a claim names its item."""
    reports: Reports = []
    if (items := _file(form, "items")) is not None:
        reports.append(("items", await import_items(items, shows, caller.identity, show_id)))
    if (claims := _file(form, "claims")) is not None:
        reports.append(("claims", await import_claims(claims, shows, caller.identity, show_id)))
    return reports


def _file(form: FormMultiDict, name: str) -> BinaryIO | None:
    file = form.get(name)
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    file.file.seek(0)
    return cast(BinaryIO, file.file)


def _told(error: Exception) -> str:
    """The sentence of a refusal. Raises what is no refusal."""
    if isinstance(error, msgspec.ValidationError):
        return sentence_of(error)
    if isinstance(error, ShowbillError) and error.kind in _REFUSED:
        return error.message
    raise error


def _done(request: AnyRequest, show: ShowView, reports: Reports) -> Response[bytes]:
    if any(report.rejected_count for _, report in reports):
        return render(request, "show-import.html", {"show": show, "reports": reports, "problems": []})
    return go(request, f"/shows/{show.id}")


HANDLERS: Final = [create_show, import_files]
