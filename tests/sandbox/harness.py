"""A running sandbox, an account in it, the official SDK pointed at it, and a receiver of webhooks."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import stripe
from aiohttp import web

START_SECONDS = 10.0


class Process:
    """`python -m services.sandbox` on a free port; its log goes to a file."""

    def __init__(self, log: Path, data: Path | None = None, **environment: str) -> None:
        settings = {"SANDBOX_LISTEN": "127.0.0.1:0", "SANDBOX_DATA": str(data or ""), **environment}
        self.log = log
        self._output = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.sandbox"],
            env={**os.environ, **settings},
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        self.url = self._wait_for_url()

    def _wait_for_url(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            found = re.search(r'"event":"listening","url":"([^"]+)"', self.log.read_text())
            if found:
                return found[1]
            time.sleep(0.02)
        self._process.kill()
        raise AssertionError(f"The sandbox did not start: {self.log.read_text()}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._output.close()

    def stop(self) -> int:
        self._process.terminate()
        try:
            return self._process.wait(10)
        finally:
            self._process.kill()
            self._output.close()


@dataclass
class Account:
    """One account of the sandbox, its keys, and control of it."""

    id: str
    keys: dict[str, str] = field(repr=False)
    control: "Control"

    async def state(self, mode: str = "test") -> dict[str, Any]:
        shown = await self.control.get("/state", account=self.id)
        state: dict[str, Any] = shown["datasets"][f"{self.id}:{mode}"]
        return state

    async def invoices(self) -> list[dict[str, Any]]:
        shown = await self.control.get(f"/accounts/{self.id}/invoices")
        invoices: list[dict[str, Any]] = shown["invoices"]
        return invoices

    async def deliveries(self, **query: str) -> list[dict[str, Any]]:
        shown = await self.control.get(f"/accounts/{self.id}/deliveries", **query)
        deliveries: list[dict[str, Any]] = shown["deliveries"]
        return deliveries


class Control:
    """The control address."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, path: str, **query: str) -> Any:
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, **body: Any) -> Any:
        return await self._ask("POST", path, json=body)

    async def put(self, path: str, **body: Any) -> Any:
        return await self._ask("PUT", path, json=body)

    async def delete(self, path: str) -> Any:
        return await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        async with self._session.request(method, f"/_sandbox{path}", **options) as response:
            body = await response.json()
            assert response.status < 300, body
            return body

    async def account(self, **body: Any) -> Account:
        wanted = {"name": "A Seller", "country": "CA", "default_currency": "usd", **body}
        made = await self.post("/accounts", **wanted)
        return Account(made["id"], made["keys"], self)


def sdk(url: str, key: str, http: stripe.HTTPClient) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": url}, http_client=http)


@dataclass
class Receiver:
    """An address that webhooks are sent to; answers with `status`, or as `decide` says."""

    url: str = ""
    status: int = 200
    decide: Callable[[dict[str, Any]], int] | None = None
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = json.loads(body)
        self.bodies.append(body)
        self.signatures.append(request.headers["Stripe-Signature"])
        self.events.append(event)
        async with self._arrived:
            self._arrived.notify_all()
        return web.Response(status=self.decide(event) if self.decide else self.status)

    async def wait_for(self, *types: str, timeout: float = 30) -> list[dict[str, Any]]:
        """All events that came, once each of the types was among them as often as named."""

        def complete() -> bool:
            came = [event["type"] for event in self.events]
            return all(came.count(one) >= types.count(one) for one in types)

        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(complete)
        return self.events

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


def headers_of(made: stripe.StripeObject) -> Any:
    """The headers that an object came with."""
    response = made.last_response
    assert isinstance(response, stripe.StripeResponse)
    return response.headers


async def draft(client: stripe.StripeClient, *amounts: int, **params: Any) -> stripe.Invoice:
    """A draft invoice of a new customer."""
    customer = params.pop("customer", None) or (await client.v1.customers.create_async({"email": "b@example.com"})).id
    wanted: Any = {"customer": customer, "auto_advance": False, **params}
    invoice = await client.v1.invoices.create_async(wanted)
    if amounts:
        lines: Any = [{"amount": amount, "description": f"Item {amount}"} for amount in amounts]
        invoice = await client.v1.invoices.add_lines_async(invoice.id, {"lines": lines})
    return invoice


async def opened(client: stripe.StripeClient, *amounts: int, **params: Any) -> stripe.Invoice:
    invoice = await draft(client, *amounts, **params)
    return await client.v1.invoices.finalize_invoice_async(invoice.id)
