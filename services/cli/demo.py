"""`showbill demo`: the main job in a terminal, against a running Showbill with its sandbox."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.cli.complaint import Complaint
from services.cli.rest import Rest
from services.cli.state import DEFAULT, VARIABLE, StateFolder
from services.common.money import format_money

EXAMPLES = Path(__file__).parents[2] / "examples"
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 30.0
"""How long to wait for a payment to arrive before saying that it did not."""


def demo(
    *,
    show: str = "retail-2010-12-01",
    pay: int = 20,
    state: Annotated[Path, Parameter(env_var=VARIABLE)] = Path(DEFAULT),
) -> int:
    """Import a real show, connect the sandbox keys, make the invoices, pay some of them, print what came of it.

    Running it again creates nothing: the show, its claims and its invoices are found again.

    Parameters
    ----------
    show
        A folder of examples/, or any folder with items.csv and claims.csv.
    pay
        How many invoices the buyers pay.
    state
        The state folder that `up` was started with.
    """
    try:
        asyncio.run(_demo(show, pay, _read_demo_file(StateFolder(state).demo)))
    except Complaint as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _read_demo_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        raise Complaint(f"{path} is not there. Start Showbill with `./run up` first.") from None
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    if "SANDBOX_URL" not in values:
        raise Complaint("This Showbill runs without the sandbox, and the demo would make real invoices. It does not.")
    return values


async def _demo(show_folder: str, pay: int, values: dict[str, str]) -> None:
    console = Console()
    folder = next((path for path in (EXAMPLES / show_folder, Path(show_folder)) if _is_show(path)), None)
    if folder is None:
        raise Complaint(
            f"{show_folder} has no items.csv and claims.csv. Name a folder of examples/, or one of your own with both."
        )
    async with Rest(values["SHOWBILL_URL"], values["SHOWBILL_API_TOKEN"]) as rest:
        show = await _import_show(rest, folder, console)
        await _connect(rest, values, console)
        await _generate(rest, show["id"], console)
        await _pay_some(rest, show["id"], values["SANDBOX_URL"], pay, console)
        await _print_invoices(rest, show, console)


def _is_show(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("items.csv", "claims.csv"))


async def _import_show(rest: Rest, folder: Path, console: Console) -> dict[str, Any]:
    show: dict[str, Any] = await rest.call(
        "POST",
        "/api/shows",
        {"name": folder.name, "currency": "GBP"},
        headers={"Idempotency-Key": f"demo-{folder.name}"},
    )
    for what in ("items", "claims"):
        report = await rest.call(
            "POST", f"/api/shows/{show['id']}/imports/{what}", csv=(folder / f"{what}.csv").read_bytes()
        )
        counts = ", ".join(f"{report[key]:,} {key}" for key in ("created", "updated", "unchanged"))
        console.print(f"{what.capitalize()}: {counts}, {len(report['rejected'])} refused.")
    await rest.call("POST", f"/api/shows/{show['id']}/end")
    return show


async def _connect(rest: Rest, values: dict[str, str], console: Console) -> None:
    integrations = await rest.call("GET", "/api/integrations")
    stripe = next(entry for entry in integrations["items"] if entry["provider"] == "stripe")
    if not stripe["connected"]:
        keys = {"secretKey": values["STRIPE_SECRET_KEY"], "publishableKey": values["STRIPE_PUBLISHABLE_KEY"]}
        stripe = await rest.call("POST", "/api/integrations/stripe/connect", keys)
    health = await rest.call("GET", "/api/integrations/stripe/test")
    console.print(f"Stripe sandbox: {health['reason']}")


async def _generate(rest: Rest, show_id: str, console: Console) -> None:
    generation = await rest.call("POST", f"/api/shows/{show_id}/invoices/generate", {})
    total = generation["totalCount"]
    if not total:
        console.print("Every buyer already has an invoice.")
        return
    columns = (TextColumn("Creating invoices"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total)
        while generation["state"] == "running":
            await asyncio.sleep(POLL_SECONDS)
            generation = await rest.call("GET", f"/api/generations/{generation['id']}")
            progress.update(task, completed=generation["createdCount"] + generation["failedCount"])
    console.print(
        f"{generation['createdCount']} created, {generation['draftCount']} of them held back as drafts, "
        f"{generation['failedCount']} failed."
    )


async def _pay_some(rest: Rest, show_id: str, sandbox_url: str, pay: int, console: Console) -> None:
    payable = [
        invoice
        async for invoice in rest.pages(f"/api/shows/{show_id}/invoices", pageSize="500")
        if invoice["status"] in ("draft", "sent") and not invoice["draftReason"]
    ][:pay]
    if not payable:
        return
    waiting = {invoice["id"] for invoice in payable}
    async with rest.events(show_id) as socket, Rest(sandbox_url, "") as sandbox:
        await socket.receive_json()  # hello: from here on nothing is missed
        for invoice in payable:
            await sandbox.call("POST", f"/_sandbox/invoices/{invoice['externalId']}/pay")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while waiting:
                    event = await socket.receive_json()
                    if event["type"] == "invoice.updated" and event["data"]["status"] == "paid":
                        waiting.discard(event["data"]["id"])
        except TimeoutError:
            raise Complaint(
                f"{len(waiting)} payments did not arrive within {PATIENCE_SECONDS:.0f} s. Look into the logs of `up`."
            ) from None
    paid = "1 buyer" if len(payable) == 1 else f"{len(payable)} buyers"
    console.print(f"{paid} paid, and every payment was heard over the WebSocket.")


async def _print_invoices(rest: Rest, show: dict[str, Any], console: Console) -> None:
    table = Table("Buyer", "Lines", "Amount", "Status", "Note", title=show["name"])
    table.columns[1].justify = table.columns[2].justify = "right"
    counts: Counter[str] = Counter()
    total = 0
    async for invoice in rest.pages(f"/api/shows/{show['id']}/invoices", pageSize="500"):
        amount = format_money(invoice["total"], invoice["currency"], "en_GB")
        note = (invoice["draftReason"] or "").replace("_", " ") or invoice["statusReason"]
        table.add_row(invoice["handle"], str(invoice["lineCount"]), amount, invoice["status"], note)
        counts[invoice["status"]] += 1
        total += invoice["total"]
    console.print(table)
    states = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    console.print(f"{counts.total()} invoices, {format_money(total, show['currency'], 'en_GB')} in all: {states}.")
