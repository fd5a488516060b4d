"""Makes the pictures: `make pictures`. Not one of the tests that run by themselves.

Starts the whole product once, brings every page into every state of `looks/states.py`, and takes each in light and dark
on a desk and a phone. Fails with the list when axe, a width, a shift or the browser's console finds anything.
The folder also gets `figures.txt`: what each page weighs and how fast it stood.
"""

import asyncio
import os
from pathlib import Path

import pytest
from playwright.async_api import Browser

from services.cli.embedded.nats import Nats
from services.common.addresses import UrlPrefix
from services.common.secret import Secret
from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.browser.looks.rooms import Rooms
from tests.browser.looks.states import STATES
from tests.browser.looks.walk import LOOKS, WIDTHS, Look, Walk, table
from tests.conftest import DatabaseMaker
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.gateway.harness import running_gateway

PICTURES = Path(__file__).parents[2] / "pictures"


@pytest.fixture
def folder() -> Path:
    """Where they go: `SHOWBILL_PICTURES`, or `pictures/` of the repository."""
    folder = Path(os.environ.get("SHOWBILL_PICTURES") or PICTURES)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.timeout(1800)
async def test_every_page_in_every_state_is_pictured(
    open_dashboard: OpenDashboard, rooms: Rooms, sandbox: Sandbox, stack: Stack, folder: Path
) -> None:
    wanted = os.environ.get("SHOWBILL_STATES", "").split()
    chosen = [state for state in STATES if not wanted or any(state.name.startswith(one) for one in wanted)]
    walk = Walk(rooms, sandbox, stack, pictures=folder, thorough=True)
    looks: list[Look] = []
    try:
        async with open_dashboard() as dashboard:
            async for look in walk.through(dashboard, chosen):
                looks.append(look)
    finally:
        faults = [fault for look in looks for fault in look.faults]
        told = table(looks) + "".join(f"\n{fault}" for fault in faults)
        await asyncio.to_thread((folder / "figures.txt").write_text, told, encoding="utf-8")
    assert not faults, "\n".join(faults)


@pytest.mark.skipif(bool(os.environ.get("SHOWBILL_STATES")), reason="some states are picked")
async def test_signing_in_at_a_provider_is_pictured(
    chromium: Browser, database_maker: DatabaseMaker, nats: Nats, folder: Path
) -> None:
    """What only an installation with a provider shows."""
    database = await database_maker.make("gateway", migrated=True)
    settings = {"oidc_client_id": "id", "oidc_client_secret": Secret("secret"), "oidc_name": "Shop ID"}
    settings["oidc_issuer"] = UrlPrefix("http://127.0.0.1:9")
    async with running_gateway(database, nats.url, wants_events=False, **settings) as gateway:
        for theme, width in LOOKS:
            context = await chromium.new_context(color_scheme=theme, viewport={"width": width, "height": WIDTHS[width]})
            page = await context.new_page()
            await page.goto(gateway.url + "/sign-in")
            await page.get_by_role("link", name="Sign in with Shop ID").wait_for()
            assert await Dashboard(context, page, gateway.url).axe() == []
            await page.screenshot(path=folder / f"sign-in-oidc-{theme}-{width}.png", animations="disabled")
            await context.close()
