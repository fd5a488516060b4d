"""`showbill verify-show`: proves a show against the provider, exports the evidence, and exits by the verdict."""

import asyncio
import csv
import json
import sys
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from services.cli.complaint import Complaint
from services.cli.gateway_place import State, Token, Url, find_gateway
from services.cli.rest import Refused, Rest
from services.cli.state import DEFAULT
from services.common.cells import marked
from services.common.money import format_money

PATIENCE: Final = 150.0
"""Seconds without a sign of life: a page of the provider's list comes sooner, also when it is asked for anew."""
MOST_FINDINGS: Final = 50
_BAR: Final = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
_COLUMNS: Final = {
    "buyer": "handle",
    "platform": "platform",
    "platform_user_id": "platformUserId",
    "owed": "owed",
    "invoiced": "invoiced",
    "provider_total": "providerTotal",
    "invoices": "invoiceCount",
    "provider_invoices": "providerInvoiceCount",
    "verdict": "verdict",
    "reason": "reason",
}


class Exit(IntEnum):
    """What a script decides on."""

    PROVEN = 0
    DISPROVED = 1
    NOT_CHECKED = 2


_EXITS: Final = {"proven": Exit.PROVEN, "disproved": Exit.DISPROVED, "unchecked": Exit.NOT_CHECKED}


def verify_show(
    show: str,
    *,
    export: Path | None = None,
    url: Url = "",
    token: Token = "",
    state: State = Path(DEFAULT),
) -> int:
    """Prove that each buyer of a show has exactly the right invoices, here and at the provider. Changes nothing.

    Exits with 0 when it is proven, 1 when it is disproved, 2 when it could not be checked.

    Parameters
    ----------
    show
        The show's id, as the address of its page has it.
    export
        Also write the evidence to this file, one row for each buyer and for what is of none: .csv or .json.
    url
        Address of the gateway; without it that of a running `up`.
    token
        An API token of the workspace; without it that of a running `up`.
    state
        The state folder that `up` was started with.
    """
    try:
        return asyncio.run(_verify(show, export, *find_gateway(url, token, state)))
    except Complaint as error:
        print(error, file=sys.stderr)
        return Exit.NOT_CHECKED
    except TimeoutError:
        print("The answer took too long, so nothing is proven. Try again.", file=sys.stderr)
        return Exit.NOT_CHECKED


async def _verify(show: str, export: Path | None, url: str, token: str) -> int:
    if export is not None and export.suffix not in (".csv", ".json"):
        raise Complaint("The evidence is written as .csv or .json. Name such a file.")
    async with Rest(url, token, patience=PATIENCE) as rest:
        try:
            proof = await _proof(rest, show)
        except Refused as error:
            raise Complaint(f"Nothing is proven. {error}") from error
    if export is not None:
        _export(proof, export)
    _print(proof, Console())
    return _EXITS[proof["verdict"]]


async def _proof(rest: Rest, show: str) -> dict[str, Any]:
    """The proof, put together from its lines. How far it is stands on the terminal meanwhile, where it is one."""
    rows: dict[str, list[Any]] = {"findings": [], "buyers": []}
    screen = Console(stderr=True)
    with Progress(*_BAR, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("Listing the provider", total=None)
        async for line in rest.lines(f"/api/shows/{show}/verification"):
            match line:
                case {"progress": told}:
                    bar.update(task, total=told["expectedCount"], completed=told["foundCount"])
                case {"rows": part}:
                    for name, known in rows.items():
                        known += part[name]
                case {"result": result}:
                    return {**result, **rows}
                case {"problem": problem}:
                    raise Refused(problem.get("status", 500), problem)
    raise Complaint("The answer broke off before its end, so nothing is proven. Try again.")


def _export(proof: dict[str, Any], file: Path) -> None:
    """Raises Complaint where the file cannot be written."""
    try:
        if file.suffix == ".json":
            file.write_text(json.dumps(proof, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            return
        with file.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.writer(opened)
            writer.writerow([*_COLUMNS, "currency"])
            for buyer in [*proof["buyers"], *_of_no_buyer(proof)]:
                writer.writerow([_cell(buyer[key]) for key in _COLUMNS.values()] + [proof["currency"]])
    except OSError as error:
        raise Complaint(f"{file} cannot be written: {error.strerror}. Name another file.") from error


def _of_no_buyer(proof: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each thing that was found of nobody: else all rows would say proven, and the verdict otherwise."""
    nothing = dict.fromkeys(_COLUMNS.values(), "")
    found = (finding["problem"] for finding in proof["findings"] if not finding["buyerId"])
    return [nothing | {"verdict": "disproved", "reason": problem} for problem in found]


def _cell(value: object) -> object:
    return marked(value) if isinstance(value, str) else value


def _print(proof: dict[str, Any], console: Console) -> None:
    currency = proof["currency"]
    sums = [sum(buyer[key] for buyer in proof["buyers"]) for key in ("owed", "invoiced", "providerTotal")]
    table = Table("", "Invoices", "Amount", title=proof["showName"])
    table.columns[1].justify = table.columns[2].justify = "right"
    table.add_row("Owed", "", format_money(sums[0], currency, "en_GB"))
    table.add_row("Invoiced here", _count(proof, "invoiceCount"), format_money(sums[1], currency, "en_GB"))
    table.add_row("At the provider", _count(proof, "providerInvoiceCount"), format_money(sums[2], currency, "en_GB"))
    console.print(table)
    _print_findings(proof, console)
    for account in proof["uncheckedAccounts"]:
        console.print(f"Not seen: {account['reason']}", markup=False, highlight=False)
    console.print(_closing(proof), markup=False, highlight=False)


def _count(proof: dict[str, Any], key: str) -> str:
    return f"{sum(buyer[key] for buyer in proof['buyers']):,}"


def _print_findings(proof: dict[str, Any], console: Console) -> None:
    handles = {buyer["buyerId"]: buyer["handle"] for buyer in proof["buyers"]}
    findings: Sequence[dict[str, Any]] = proof["findings"]
    for finding in findings[:MOST_FINDINGS]:
        sign = "accepted" if finding["accepted"] else "found"
        who = handles.get(finding["buyerId"], "")
        console.print(f"{sign}: {who + ': ' if who else ''}{finding['problem']}", markup=False, highlight=False)
    if len(findings) > MOST_FINDINGS:
        console.print(f"… and {len(findings) - MOST_FINDINGS:,} more. --export writes them all.", highlight=False)


def _closing(proof: dict[str, Any]) -> str:
    buyers = len(proof["buyers"])
    if proof["verdict"] == "proven":
        return f"Proven: each of {buyers:,} buyers has exactly the right invoices, here and at the provider."
    if proof["verdict"] == "disproved":
        wrong = sum(buyer["verdict"] == "disproved" for buyer in proof["buyers"])
        if not wrong:
            return f"Disproved: the provider has what belongs to none of the {buyers:,} buyers."
        return f"Disproved: something is wrong with {wrong:,} of {buyers:,} buyers."
    return "Not proven: nothing is known to be wrong, but not everything could be looked at."
