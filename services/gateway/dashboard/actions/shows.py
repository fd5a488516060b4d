"""Making a show, and taking its files of items, claims and buyers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, Final, cast

import msgspec
from litestar import Response, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.errors import Fault, InvalidRequest, Kind, ShowbillError
from services.common.money import is_currency
from services.gateway.api.parameters import request_id_of
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.formats import plural
from services.gateway.dashboard.pages.shows import imported, new_show_form
from services.gateway.dashboard.rendering import AnyRequest, go, render, said
from services.gateway.dashboard.views.moments import moment_of
from services.gateway.faults import sentence_of
from services.gateway.identity.principal import Principal
from services.gateway.imports.buyers import BUYERS
from services.gateway.imports.claims import CLAIMS
from services.gateway.imports.items import Prices, import_items, items_in
from services.gateway.imports.preview import Preview, digest_of, preview_file
from services.gateway.imports.taking import take_file
from services.gateway.imports.upload import LARGEST_FILE
from services.gateway.schemas.shows import ImportReport, NewShow, ShowView

NOTHING_CHOSEN: Final = "Choose a file of items, claims or buyers first."
KINDS: Final = ("items", "claims", "buyers")
"""In the order in which they are taken: a claim names its item, and what is told of a buyer by hand comes last."""


class FileChanged(InvalidRequest):
    """The file of {name} is another one than you looked at. Choose it again, and look at it once more."""

    reason = "FILE_CHANGED"


class ReadOtherwise(InvalidRequest):
    """The prices would be read in another way than you looked at. Choose the file again, and look at it once more."""

    reason = "READ_OTHERWISE"


class NoCurrency(InvalidRequest):
    """Choose the currency of the show first: prices are read in it."""

    reason = "NO_CURRENCY"


_REFUSED: Final = (Kind.INVALID, Kind.FAILED_PRECONDITION, Kind.CONFLICT)
AWAY: Final = (Kind.UNAVAILABLE, Kind.TIMED_OUT, Kind.RATE_LIMITED)
CUT_OFF: Final = (
    "This file was cut off, for a part of Showbill cannot be reached just now. Choose the same files again in a minute:"
    " what was taken is kept, and the same lines again change nothing."
)
_NOT_MADE: Final = (
    "A part of Showbill cannot be reached just now. Choose the files again and press once more in a minute: however"
    " often you do, it is one show."
)
Reports = list[tuple[str, ImportReport]]


@dataclass(slots=True)
class Taken:
    """What became of the chosen files."""

    reports: Reports = field(default_factory=list)
    """Of each file that was taken."""
    problem: str = ""
    """Why the file after those was refused; empty when none was."""
    faults: Sequence[Fault] = ()
    away: bool = False
    """It was refused by nobody: a service could not be reached."""


@post("/shows/new", status_code=200, request_max_body_size=len(KINDS) * LARGEST_FILE)
async def create_show(
    request: AnyRequest, caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    """Makes the show and takes the files that came along; what could not be taken is told line by line."""
    form = await request.form()
    name, currency = str(form.get("name", "")).strip(), str(form.get("currency", ""))
    starts, key = str(form.get("starts", ""))[:40], str(form.get("request_id", ""))[:100]
    try:
        start_time = moment_of(starts, str(form.get("zone", ""))[:60])
        wanted = msgspec.convert({"name": name, "currency": currency, "startTime": start_time}, NewShow)
        await require_seen(form, currency=currency)
        show = await shows.create(caller.identity, wanted, request_id_of(key, caller.identity, "create show"))
    except (msgspec.ValidationError, ShowbillError) as error:
        away = isinstance(error, ShowbillError) and error.kind in AWAY
        problem = "Give the show a name of at most 200 characters." if not name or len(name) > 200 else ""
        problem = problem or (_NOT_MADE if away else told_of(error))
        values = new_show_form(name=name, currency=currency, starts=starts, request_id=key, problems=[problem])
        return render(request, "show-new.html", values, status=503 if away else 422)
    return _done(request, show, await _take_files(form, shows, caller, show.id), made=True)


@post("/shows/{show_id:str}/import", status_code=200, request_max_body_size=len(KINDS) * LARGEST_FILE)
async def import_files(
    request: AnyRequest, show_id: FromPath[str], caller: NamedDependency[Principal], shows: NamedDependency[Shows]
) -> Response[bytes]:
    """Takes files of items, claims and buyers as they were looked at. The same lines again change nothing."""
    show, form = await shows.get(caller.identity, show_id), await request.form()
    try:
        await require_seen(form, currency=show.currency)
    except ShowbillError as error:
        return _done(request, show, Taken(problem=told_of(error)))
    taken = await _take_files(form, shows, caller, show_id)
    if not taken.reports and not taken.problem:
        taken.problem = NOTHING_CHOSEN
    return _done(request, show, taken)


@post("/shows/preview", status_code=200, request_max_body_size=len(KINDS) * LARGEST_FILE)
async def preview_files(request: AnyRequest, caller: NamedDependency[Principal]) -> Response[bytes]:
    """How the chosen files would be read. Takes nothing, keeps nothing."""
    form = await request.form()
    previews: list[Preview] = []
    problems: list[str] = []
    for name in KINDS:
        file = chosen_file(form, name)
        if file is None:
            continue
        try:
            previews.append(await _preview(name, file, form))
        except ShowbillError as error:
            problems.append(f"{name.capitalize()}: {told_of(error)}")
    importing, whole, currency = form.get("importing") == "yes", wants_whole(form), str(form.get("currency", ""))[:3]
    bad = any(preview.report.rejected_count for preview in previews)
    values = {
        "previews": previews,
        "problems": problems,
        "currency": currency,
        "read_as": _read_as(form, currency),
        "importing": importing and bool(previews) and not problems and not (whole and bad),
        "refused": whole and bad,
    }
    return render(request, "parts/file-preview.html", values, headers=said(_told(previews)) if previews else {})


def _told(previews: Sequence[Preview]) -> str:
    """For those who do not see them: not all rows, as a region that is live would say them."""
    return " ".join(
        f"{one.kind.capitalize()}: {one.good_count:,} {plural(one.good_count, 'line')} can be read"
        + (f", {one.report.rejected_count:,} cannot." if one.report.rejected_count else ".")
        for one in previews
    )


async def _preview(name: str, file: BinaryIO, form: FormMultiDict) -> Preview:
    filename = name_of(form, name)
    if name == "claims":
        return await preview_file(file, "claims", filename, CLAIMS)
    if name == "buyers":
        return await preview_file(file, "buyers", filename, BUYERS)
    currency = str(form.get("currency", ""))
    if not is_currency(currency):
        raise NoCurrency
    return await preview_file(file, "items", filename, items_in(currency, _prices(form)))


def name_of(form: FormMultiDict, kind: str) -> str:
    """What the chosen file is called where it comes from."""
    told = form.get(kind)
    return (told.filename if isinstance(told, UploadFile) else "")[:200]


async def require_seen(form: FormMultiDict, kinds: Sequence[str] = KINDS, *, currency: str = "") -> None:
    """Raises FileChanged where another file came than the one that was looked at, and ReadOtherwise where its prices
    would be others than were shown."""
    for name in kinds:
        seen, file = form.get(f"{name}_seen"), chosen_file(form, name)
        if seen and file is not None and seen != await digest_of(file):
            raise FileChanged(name=name)
        read_as = form.get(f"{name}_read_as")
        if read_as and file is not None and read_as != _read_as(form, currency):
            raise ReadOtherwise


def _read_as(form: FormMultiDict, currency: str) -> str:
    """What the prices of a file mean."""
    return f"{currency} {_prices(form)}"


def _prices(form: FormMultiDict) -> Prices:
    return "decimal" if form.get("prices") == "decimal" else "minor"


def wants_whole(form: FormMultiDict) -> bool:
    return form.get("whole") == "yes"


async def _take_files(form: FormMultiDict, shows: Shows, caller: Principal, show_id: str) -> Taken:
    """Up to the first file that is refused."""
    taken = Taken()
    files = [(name, file) for name in KINDS if (file := chosen_file(form, name)) is not None]
    for place, (name, file) in enumerate(files, start=1):
        try:
            taken.reports.append((name, await _take(name, file, form, shows, caller, show_id)))
        except ShowbillError as error:
            later = " and ".join(name for name, _ in files[place:])
            rest = f" Not looked at: {later}." if later else ""
            taken.away = error.kind in AWAY
            told = CUT_OFF if taken.away else told_of(error)
            taken.problem, taken.faults = f"{name.capitalize()}: {told}{rest}", told_lines(error)
            break
    return taken


async def _take(
    name: str, file: BinaryIO, form: FormMultiDict, shows: Shows, caller: Principal, show_id: str
) -> ImportReport:
    who, whole = caller.identity, wants_whole(form)
    if name == "items":
        return await import_items(file, shows, who, show_id, prices=_prices(form), all_or_none=whole)
    if name == "claims":
        return await take_file(file, CLAIMS, partial(shows.stream_claims, who, show_id), all_or_none=whole)
    return await take_file(file, BUYERS, partial(shows.stream_buyers, who, show_id), all_or_none=whole)


def chosen_file(form: FormMultiDict, name: str) -> BinaryIO | None:
    file = form.get(name)
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    file.file.seek(0)
    return cast(BinaryIO, file.file)


def told_of(error: Exception) -> str:
    """The sentence of a refusal. Raises what is no refusal."""
    if isinstance(error, msgspec.ValidationError):
        return sentence_of(error)
    if isinstance(error, ShowbillError) and error.kind in _REFUSED:
        return error.message
    raise error


def told_lines(error: ShowbillError) -> list[Fault]:
    """The bad lines of a file; what is wrong with it as a whole stands in the sentence."""
    return [fault for fault in error.faults if fault.field.startswith("lines[")][:100]


def _done(request: AnyRequest, show: ShowView, taken: Taken, *, made: bool = False) -> Response[bytes]:
    """`made` is a show that was not there before: what is wrong with its files is mended on its own page."""
    if taken.problem or any(report.rejected_count for _, report in taken.reports):
        problem = f"The show was made. {taken.problem}" if made and taken.problem else taken.problem
        problems = [problem] if problem else []
        values = imported(show, reports=taken.reports, problems=problems, faults=taken.faults)
        status = 503 if taken.away else 422 if problem else 200
        return render(request, "show-import.html", values, status=status)
    return go(request, f"/shows/{show.id}")


HANDLERS: Final = [create_show, import_files, preview_files]
