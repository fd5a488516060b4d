"""`showbill import` and `showbill export`: a show's CSV files in and out, over REST alone."""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Coroutine, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from cyclopts import Parameter
from rich.console import Console

from services.cli.complaint import Complaint
from services.cli.file_places import appearing, opened, pieces_of, progress, size_of
from services.cli.gateway_place import State, Token, Url, find_gateway
from services.cli.rest import Refused, Rest
from services.cli.state import DEFAULT

File: TypeAlias = Annotated[Path, Parameter(allow_leading_hyphen=True)]
PATIENCE: Final = 900.0
"""Seconds that a file may take."""
MOST_LINES: Final = 50
"""Bad lines that are printed; `--json` prints those that the gateway names."""


class Exit(IntEnum):
    """What a script decides on."""

    DONE = 0
    LINES_REFUSED = 1
    FAILED = 2


def import_file(
    show: str,
    what: Literal["items", "claims", "buyers", "invoices"],
    file: File,
    *,
    all_or_nothing: Annotated[bool, Parameter(negative="")] = False,
    prices: Literal["minor", "decimal"] = "minor",
    as_json: Annotated[bool, Parameter(negative="")] = False,
    url: Url = "",
    token: Token = "",
    state: State = Path(DEFAULT),
) -> int:
    """Take a CSV file of items, claims or buyers into a show, or mark invoices as paid elsewhere.

    Sending the same file again changes nothing.

    Exits with 0 when every line was taken, 1 when lines were refused, 2 when it could not be done.

    Parameters
    ----------
    show
        The show's id, or its name where only one has it.
    what
        What the file holds. Items come before the claims that name them. Of invoices an exported file is taken, in
        which paid_outside was filled in; they are marked in the background.
    file
        The file; - for standard input.
    all_or_nothing
        Take nothing at all when one line is wrong. For at most 100,000 lines.
    prices
        What the column price of items holds: minor units (1250), or decimals (12.50).
    as_json
        Print the report as JSON.
    url
        Address of the gateway; without it that of a running `up`.
    token
        An API token of the workspace; without it that of a running `up`.
    state
        The state folder that `up` was started with.
    """
    options = {"allOrNothing": str(all_or_nothing).lower()} | ({"prices": prices} if what == "items" else {})
    return _run(lambda: _import(show, what, file, options, *find_gateway(url, token, state), as_json=as_json))


def export_file(
    show: str,
    what: Literal["items", "claims", "buyers", "invoices"],
    file: File = Path("-"),
    *,
    bom: Annotated[bool, Parameter(negative="")] = False,
    url: Url = "",
    token: Token = "",
    state: State = Path(DEFAULT),
) -> int:
    """Write a show's items, claims, buyers or invoices to a CSV file.

    Exits with 0, or with 2 when it could not be done.

    Parameters
    ----------
    show
        The show's id, or its name where only one has it.
    what
        Which of them.
    file
        The file, which appears when it is whole; standard output without it.
    bom
        Begin with a byte order mark, as spreadsheets like it.
    url
        Address of the gateway; without it that of a running `up`.
    token
        An API token of the workspace; without it that of a running `up`.
    state
        The state folder that `up` was started with.
    """
    return _run(lambda: _export(show, what, file, bom, *find_gateway(url, token, state)))


def _run(work: Callable[[], Coroutine[Any, Any, Exit]]) -> int:
    try:
        return asyncio.run(work())
    except Complaint as error:
        print(error, file=sys.stderr)
    except TimeoutError:
        print("The answer took too long. Look what is there, then try again.", file=sys.stderr)
    return Exit.FAILED


async def _import(
    show: str, what: str, file: Path, options: Mapping[str, str], url: str, token: str, *, as_json: bool
) -> Exit:
    async with Rest(url, token, patience=PATIENCE) as rest:
        path = f"/api/shows/{await _show_id(rest, show)}/imports/{what}"
        with opened(file) as source, progress(f"Importing {what}", size_of(file)) as advance:
            try:
                report = await rest.call("POST", path, csv=pieces_of(source, advance), params=dict(options))
            except Refused as error:
                if not str(error.problem.get("type")).endswith(":nothing-taken"):
                    raise
                report = _nothing_taken(error)
    if as_json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print_report(report, what)
    return Exit.LINES_REFUSED if report["rejectedCount"] else Exit.DONE


def _nothing_taken(error: Refused) -> dict[str, Any]:
    """The refusal of a whole file as the report that it is; its faults point to lines."""
    faults = error.problem.get("errors", [])
    rejected = [{"line": int(one["pointer"].rpartition("/")[2]), "reason": one["detail"]} for one in faults]
    counts = {"created": 0, "updated": 0, "unchanged": 0, "rejectedCount": len(rejected)}
    return {**counts, "rejected": rejected, "detail": str(error)}


def _print_report(report: Mapping[str, Any], what: str) -> None:
    console = Console()
    if "detail" in report:
        console.print(report["detail"], markup=False, highlight=False, soft_wrap=True)
    else:
        named = {"created": "created", "updated": "updated", "unchanged": "unchanged"}
        if what == "invoices":
            named = {"updated": "to be marked as paid elsewhere", "unchanged": "unchanged"}
        counts = ", ".join(f"{report[key]:,} {name}" for key, name in named.items())
        read = f"Read as {report['encoding']}, columns by {report['separator']}."
        console.print(
            f"{what.capitalize()}: {counts}, {report['rejectedCount']:,} refused. {read}",
            highlight=False,
            soft_wrap=True,
        )
    if report.get("generationIds"):
        console.print("They are marked one after the other; the page of the show tells how far it is.", soft_wrap=True)
    for line in report["rejected"][:MOST_LINES]:
        console.print(f"Line {line['line']:,}: {line['reason']}", markup=False, highlight=False, soft_wrap=True)
    if report["rejectedCount"] > MOST_LINES:
        more = report["rejectedCount"] - MOST_LINES
        console.print(f"… and {more:,} more. --as-json names the first 1,000.", highlight=False, soft_wrap=True)


async def _export(show: str, what: str, file: Path, bom: bool, url: str, token: str) -> Exit:
    async with Rest(url, token, patience=PATIENCE) as rest:
        path = f"/api/shows/{await _show_id(rest, show)}/exports/{what}"
        pieces = rest.pieces(path, bom=str(bom).lower())
        if file == Path("-"):
            async for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return Exit.DONE
        with appearing(file) as target, progress(f"Exporting {what}", None) as advance:
            async for piece in pieces:
                target.write(piece)
                advance(len(piece))
    return Exit.DONE


async def _show_id(rest: Rest, show: str) -> str:
    """Raises Complaint where no show has this name, or several have."""
    try:
        return str(uuid.UUID(show))
    except ValueError:
        found = [one["id"] async for one in rest.pages("/api/shows", pageSize="200") if one["name"] == show]
    if len(found) == 1:
        return str(found[0])
    if found:
        raise Complaint(
            f"{len(found)} shows are named {show}. Name the one that you mean by its id: {', '.join(found)}."
        )
    raise Complaint(f"No show is named {show}. Look the name or the id up on the page of shows.")
