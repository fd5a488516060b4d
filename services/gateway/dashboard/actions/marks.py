"""A file of invoices looked at, and taken: what was paid elsewhere is marked, one after the other, by a run."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.errors import Fault, ShowbillError
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.actions.shows import (
    AWAY,
    CUT_OFF,
    chosen_file,
    name_of,
    require_seen,
    told_lines,
    told_of,
    wants_whole,
)
from services.gateway.dashboard.formats import plural
from services.gateway.dashboard.pages.shows import imported
from services.gateway.dashboard.rendering import AnyRequest, go, render, said
from services.gateway.identity.principal import Principal
from services.gateway.imports.marks import import_marks
from services.gateway.imports.preview import digest_of
from services.gateway.imports.upload import LARGEST_FILE
from services.gateway.schemas.marks import MarksReport
from services.gateway.schemas.shows import ShowView

_KIND: Final = "invoices"
_NOT_LOOKED_AT: Final = (
    "The invoices cannot be looked at, for a part of Showbill cannot be reached just now."
    " Choose the file again in a minute."
)
_NOTHING_CHOSEN: Final = "Choose a file of invoices first."


@post("/shows/{show_id:str}/import/invoices/preview", status_code=200, request_max_body_size=LARGEST_FILE)
async def preview_marks(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """What would be marked, as the invoices stand now. Takes nothing, keeps nothing."""
    form = await request.form()
    file, notes = chosen_file(form, _KIND), list[str]()
    values = dict[str, Any](report=None, problem="", whole=wants_whole(form), notes=notes)
    if file is None:
        await shows.get(caller.identity, show_id)  # whoever's show it is not finds nothing here either
    else:
        try:
            values["report"] = await import_marks(
                file, shows, invoices, caller.identity, show_id, validate_only=True, notes=notes
            )
            values |= {"name": name_of(form, _KIND), "digest": await digest_of(file)}
        except ShowbillError as error:
            values["problem"] = _NOT_LOOKED_AT if error.kind in AWAY else told_of(error)
    return render(request, "parts/marks-preview.html", values, headers=_told(values["report"]))


def _told(report: MarksReport | None) -> dict[str, str]:
    """For those who do not see the lines."""
    if report is None:
        return {}
    marked, bad = report.updated, report.rejected_count
    return said(f"{marked:,} {plural(marked, 'invoice')} would be marked" + (f", {bad:,} cannot be." if bad else "."))


@post("/shows/{show_id:str}/import/invoices", status_code=200, request_max_body_size=LARGEST_FILE)
async def mark_file(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """Takes the file as it was looked at. The same lines again change nothing."""
    show, form = await shows.get(caller.identity, show_id), await request.form()
    file = chosen_file(form, _KIND)
    if file is None:
        return _refused(request, show, _NOTHING_CHOSEN)
    try:
        await require_seen(form, (_KIND,))
        report = await import_marks(file, shows, invoices, caller.identity, show_id, all_or_none=wants_whole(form))
    except ShowbillError as error:
        if error.kind in AWAY:
            return _refused(request, show, CUT_OFF, status=503)
        return _refused(request, show, told_of(error), told_lines(error))
    if report.rejected_count:
        return render(request, "show-import.html", imported(show, marks=report, run=_run(report)))
    return go(request, f"/shows/{show.id}" + (f"?run={_run(report)}" if _run(report) else ""))


def _run(report: MarksReport) -> str:
    """The last one, which is over last; empty where nothing is marked."""
    return (report.generation_ids or [""])[-1]


def _refused(
    request: AnyRequest, show: ShowView, problem: str, faults: Sequence[Fault] = (), status: int = 422
) -> Response[bytes]:
    return render(request, "show-import.html", imported(show, problems=[problem], faults=faults), status=status)


HANDLERS: Final = [preview_marks, mark_file]
