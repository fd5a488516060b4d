"""One sandbox process for all tests here; each test has an account of its own in it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import stripe
from aiohttp import web

from tests.sandbox.harness import Account, Control, Process, Receiver, sdk

stripe.enable_telemetry = False


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Process]:
    with tempfile.TemporaryDirectory() as folder:
        process = Process(Path(folder) / "log", Path(folder) / "data")
        try:
            yield process
        finally:
            assert process.stop() == 0


@pytest.fixture
async def session(sandbox: Process) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url) as opened:
        yield opened


@pytest.fixture
async def control(session: aiohttp.ClientSession) -> AsyncIterator[Control]:
    """Limits are off, and faults and settings are put back after the test."""
    control = Control(session)
    await control.put("/settings", rate_limits={"enabled": False}, webhooks={"retry_seconds": [0.05, 0.05, 0.05]})
    yield control
    await control.delete("/faults")
    await control.delete("/webhook_faults")
    await control.put("/settings", latency_ms=0)


@pytest.fixture
async def account(control: Control) -> Account:
    return await control.account()


@pytest.fixture
async def http() -> AsyncIterator[stripe.HTTPClient]:
    client = stripe.AIOHTTPClient(connector=aiohttp.TCPConnector(limit=0))
    yield client
    await client.close_async()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


@pytest.fixture
def client(sandbox: Process, account: Account, http: stripe.HTTPClient) -> stripe.StripeClient:
    return sdk(sandbox.url, account.keys["sk_test"], http)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    yield receiver
    await runner.cleanup()
