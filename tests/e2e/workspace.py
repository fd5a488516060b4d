"""An operator at work: one workspace with its token, over the REST interface and the WebSocket alone."""

import csv
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from services.cli.rest import Rest
from tests.e2e.sandbox import Account
from tests.waiting import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"


def owed(show: str) -> dict[str, int]:
    """What each buyer of an example show owes, by platform user id, straight from the files."""
    folder = EXAMPLES / show
    with (folder / "items.csv").open(newline="", encoding="utf-8") as file:
        prices = {row["item_number"]: row["price"] for row in csv.DictReader(file)}
    totals: defaultdict[str, int] = defaultdict(int)
    with (folder / "claims.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["status"] == "winner":
                totals[row["platform_user_id"]] += int(prices[row["item_number"]] or 0) * int(row["quantity"])
    return dict(totals)


@dataclass
class Workspace:
    """REST as an owner of one workspace."""

    rest: Rest
    account: Account
    token: str
    email: str
    """Of the owner, who signs in with `PASSWORD`."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def connect(self) -> dict[str, Any]:
        keys = {"secretKey": self.account.sk_test, "publishableKey": self.account.pk_test}
        answer: dict[str, Any] = await self.rest.call("POST", "/api/integrations/stripe/connect", keys)
        return answer

    async def import_example(self, show: str) -> str:
        """Makes a show of an example, ended; answers its id."""
        made = await self.rest.call("POST", "/api/shows", {"name": show, "currency": "GBP"})
        show_id = str(made["id"])
        for what in ("items", "claims"):
            report = await self.import_file(show_id, what, (EXAMPLES / show / f"{what}.csv").read_bytes())
            assert report["rejected"] == []
        await self.rest.call("POST", f"/api/shows/{show_id}/end")
        return show_id

    async def import_file(self, show_id: str, what: str, content: bytes) -> dict[str, Any]:
        report: dict[str, Any] = await self.rest.call("POST", f"/api/shows/{show_id}/imports/{what}", csv=content)
        return report

    async def make_show(self, buyers: int, *, price: int = 1000) -> str:
        """A small show in which each buyer won one item; answers its id."""
        made = await self.rest.call("POST", "/api/shows", {"name": f"Show {next(self._numbers)}", "currency": "GBP"})
        show_id = str(made["id"])
        items = "item_number,title,price\n" + "".join(f"{n},Item {n},{price + n}\n" for n in range(buyers))
        claims = "claim_id,platform,platform_user_id,user_handle,item_number,quantity,status,claimed_at\n" + "".join(
            f"c{n},facebook,u{n},@u{n},{n},1,winner,2026-11-01T10:00:00+00:00\n" for n in range(buyers)
        )
        await self.import_file(show_id, "items", items.encode())
        await self.import_file(show_id, "claims", claims.encode())
        await self.rest.call("POST", f"/api/shows/{show_id}/end")
        return show_id

    async def generate(self, show_id: str, timeout: float = 60) -> dict[str, Any]:
        """Starts a generation and waits until it has finished."""
        started = await self.start_generation(show_id)
        return await self.finished(started["id"], timeout)

    async def start_generation(self, show_id: str) -> dict[str, Any]:
        generation: dict[str, Any] = await self.rest.call("POST", f"/api/shows/{show_id}/invoices/generate", {})
        return generation

    async def finished(self, generation_id: str, timeout: float = 60) -> dict[str, Any]:
        async def done() -> dict[str, Any] | None:
            generation: dict[str, Any] = await self.rest.call("GET", f"/api/generations/{generation_id}")
            return generation if generation["state"] == "finished" else None

        last: dict[str, Any] | None = await eventually(
            done, timeout=timeout, interval=0.1, why="the generation did not finish"
        )
        assert last is not None
        return last

    async def invoices(self, show_id: str) -> list[dict[str, Any]]:
        return [row async for row in self.rest.pages(f"/api/shows/{show_id}/invoices", pageSize="500")]

    @asynccontextmanager
    async def listening(self, show_id: str) -> AsyncIterator["Listener"]:
        """Hears the show's events for the length of a block."""
        async with self.rest.events(show_id) as socket:
            hello = await socket.receive_json()
            assert hello["type"] == "hello"
            yield Listener(socket, hello["seq"])


@dataclass
class Listener:
    """What a WebSocket client has heard."""

    socket: aiohttp.ClientWebSocketResponse
    seq: int
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def until_paid(self, count: int, timeout: float = 30) -> list[dict[str, Any]]:
        """Listens until so many different invoices were told to be paid; answers all `invoice.updated` heard."""
        paid: set[str] = set()
        while len(paid) < count:
            event = await self.socket.receive_json(timeout=timeout)
            self.heard.append(event)
            if event["type"] == "invoice.updated" and event["data"]["status"] == "paid":
                paid.add(event["data"]["id"])
        return self.updates()

    async def until_told(self, invoice_id: str, timeout: float = 30) -> None:
        """Takes in everything up to the next change of an invoice: a show's events come in the order of `seq`."""
        while True:
            event = await self.socket.receive_json(timeout=timeout)
            self.heard.append(event)
            if event["type"] == "invoice.updated" and event["data"]["id"] == invoice_id:
                return

    def updates(self) -> list[dict[str, Any]]:
        return [event for event in self.heard if event["type"] == "invoice.updated"]
