"""A gateway in this process, on a real socket, with real Postgres and NATS and scripted services behind it."""

import asyncio
import base64
import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from google.protobuf.timestamp_pb2 import Timestamp
from nats.aio.client import Client as Nats

from services.common.addresses import BaseUrl, Listen
from services.common.bus import subject
from services.common.db import Pool, open_pool
from services.common.errors import NotFound
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.tokens import parse_public_keys, public_key_of
from services.gateway.__main__ import serve
from services.gateway.config import Config
from services.gateway.identity.accounts import create_owner
from services.gateway.identity.passwords import Passwords
from services.rpc.showbill.events.v1 import events_pb2 as events
from services.rpc.showbill.integrations.v1 import integrations_pb2
from services.rpc.showbill.invoicing.v1 import invoicing_pb2
from tests.gateway.fakes.scripted import Scripted
from tests.one_hash import OneHash
from tests.waiting import eventually, free_port

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    text: str
    json: Any


def session_line(answer: Answer) -> str:
    """The header that sets the session's cookie, or removes it."""
    lines: list[str] = answer.headers.getall("Set-Cookie")
    return next(line for line in lines if "showbill_session=" in line)


class Client:
    """HTTP as one caller; keeps no cookies but those it is given."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.session = aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.DummyCookieJar())

    async def __call__(
        self, method: str, path: str, body: Any = None, *, data: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        async with self.session.request(
            method, self.url + path, json=body, data=data, headers=headers, allow_redirects=False
        ) as response:
            text = await response.text()
            parsed = (
                await response.json(content_type=None) if response.content_type.endswith(("/json", "+json")) else None
            )
            return Answer(response.status, response.headers, text, parsed)

    def listen(self, query: str = "", **headers: str) -> Any:
        """The WebSocket, as aiohttp's context manager."""
        return self.session.ws_connect(f"{self.url}/api/realtime{query}", headers=headers)


@dataclass
class Owner:
    """A workspace with its owner."""

    email: str
    token: str
    client: Client
    workspace_id: str


@dataclass
class Member:
    """Somebody who accepted an invitation."""

    email: str
    user_id: str
    browser: Client


@dataclass
class Gateway:
    """The gateway under test, and what is around it."""

    config: Config
    nats_url: str
    integrations: Scripted
    invoicing: Scripted
    pool: Pool
    passwords: Passwords = field(default_factory=lambda: OneHash())
    clients: list[Client] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return f"http://{self.config.http_listen.host}:{self.config.http_listen.port}"

    def client(self, **headers: str) -> Client:
        self.clients.append(Client(self.url, **headers))
        return self.clients[-1]

    def bearer(self, token: str) -> Client:
        return self.client(Authorization=f"Bearer {token}")

    async def make_owner(self) -> Owner:
        email = f"owner-{next(self._numbers)}@example.com"
        token = (await create_owner(self.pool, self.passwords, email, Secret(PASSWORD), "Shop")).reveal()
        client = self.bearer(token)
        who = await client("GET", "/api/session")
        return Owner(email, token, client, who.json["workspace"]["id"])

    async def invite(self, owner: Owner, role: str = "operator", email: str = "") -> tuple[str, str]:
        """The address, and the token of the invitation's link."""
        email = email or f"member-{next(self._numbers)}@example.com"
        made = await owner.client("POST", "/api/invitations", {"email": email, "role": role})
        assert made.status == 201, made.text
        return email, made.json["link"].rpartition("/")[2]

    async def accept(self, token: str, name: str = "Robin", password: str = PASSWORD, **headers: str) -> Answer:
        body = {"token": token, "name": name, "password": password}
        return await self.client()("POST", "/api/invitations/accept", body, headers=headers)

    async def make_member(self, owner: Owner, role: str = "operator") -> Member:
        email, token = await self.invite(owner, role)
        accepted = await self.accept(token)
        return Member(email, accepted.json["user"]["id"], self.browser(accepted))

    def browser(self, answer: Answer, **headers: str) -> Client:
        """Keeps the session's cookie that an answer set."""
        return self.client(Cookie=session_line(answer).split(";")[0], **headers)

    async def make_operator(self, owner: Owner) -> Client:
        made = await owner.client("POST", "/api/tokens", {"name": "operator", "role": "operator"})
        return self.bearer(made.json["token"])

    async def sign_in(self, email: str, password: str = PASSWORD) -> Answer:
        return await self.client()("POST", "/api/session", {"email": email, "password": password})

    async def signed_in(self, owner: Owner, **headers: str) -> Client:
        """A browser with the owner's cookie."""
        return self.browser(await self.sign_in(owner.email), **headers)

    def own_show(self, workspace_id: str, seq: int = 0) -> str:
        """Makes GetShow know one show of one workspace."""
        show_id = new_id()

        def get_show(request: Any) -> Any:
            asking = self.invoicing.calls["GetShow"][-1].identity.workspace_id
            if (request.show_id, asking) != (show_id, workspace_id):
                return NotFound(what="show")
            show = invoicing_pb2.Show(id=show_id, seq=seq, state=invoicing_pb2.SHOW_STATE_DRAFT)
            return invoicing_pb2.GetShowResponse(show=show)

        self.invoicing.script("GetShow", get_show)
        return show_id


def paid_event(workspace_id: str, show_id: str, seq: int, invoice_id: str = "", version: int = 2) -> events.Event:
    """An `invoice.updated` as the invoicing service publishes it."""
    now = Timestamp()
    now.GetCurrentTime()
    return events.Event(
        id=new_id(),
        type="invoice.updated",
        workspace_id=workspace_id,
        show_id=show_id,
        seq=seq,
        occur_time=now,
        invoice_updated=events.InvoiceUpdated(
            invoice_id=invoice_id or new_id(),
            status=events.INVOICE_STATUS_PAID,
            version=version,
            total=1250,
            currency="GBP",
            paid_time=now,
        ),
    )


@asynccontextmanager
async def publisher(nats_url: str) -> AsyncIterator[Any]:
    """`await publish(event)` as the outbox of the services does it."""
    nats = Nats()
    await nats.connect(nats_url)

    async def publish(event: events.Event, *, flush: bool = True) -> None:
        await nats.publish(subject(event.workspace_id, event.show_id, event.type), event.SerializeToString())
        if flush:
            await nats.flush()

    yield publish
    await nats.close()


@asynccontextmanager
async def running_gateway(
    database_url: str, nats_url: str, *, wants_events: bool = True, **settings: Any
) -> AsyncIterator[Gateway]:
    """A gateway for the length of a block."""
    seed = base64.b64encode(secrets.token_bytes(32)).decode()
    keys = parse_public_keys(f"gateway={public_key_of(Secret(seed))}")
    services = {name: free_port() for name in ("integrations", "invoicing", "gateway")}
    integrations = Scripted("integrations", [_service(integrations_pb2, "IntegrationsService")], keys)
    invoicing = Scripted(
        "invoicing", [_service(invoicing_pb2, "ShowsService"), _service(invoicing_pb2, "InvoicesService")], keys
    )
    config = Config(
        **{
            "database_url": Secret(database_url),
            "nats_url": Secret(nats_url),
            "service_signing_key": Secret(seed),
            "integrations_address": f"127.0.0.1:{services['integrations']}",
            "invoicing_address": f"127.0.0.1:{services['invoicing']}",
            "http_listen": Listen("127.0.0.1", services["gateway"]),
            "public_url": BaseUrl("https://showbill.example"),
            # All tests come from one address, and a quick machine runs them within a minute.
            "rate_limit": 1_000_000,
            "rate_limit_anonymous": 1_000_000,
            **settings,
        }
    )
    await integrations.start(config.integrations_address)
    await invoicing.start(config.invoicing_address)
    stop = asyncio.Event()
    task = asyncio.create_task(serve(config, stop))
    pool = await open_pool(Secret(database_url), "tests", largest=3)
    gateway = Gateway(config, nats_url, integrations, invoicing, pool)
    try:
        await eventually(lambda: _ready(gateway, task, wants_events), timeout=30, why="the gateway did not come up")
        yield gateway
    finally:
        for client in gateway.clients:
            await client.session.close()
        await pool.close()
        stop.set()
        await task
        await integrations.stop()
        await invoicing.stop()


def _service(module: Any, name: str) -> Any:
    return module.DESCRIPTOR.services_by_name[name]


async def _ready(gateway: Gateway, task: "asyncio.Task[None]", wants_events: bool) -> bool:
    if task.done():
        await task
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(gateway.url + "/api/health") as response:
                return response.status == 200 and (not wants_events or (await response.json())["events"] == "ok")
        except aiohttp.ClientError:
            return False
