"""A Chromium for all browser tests, and for each test a dashboard that must give no cause for complaint."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.dashboard import DESK, Dashboard
from tests.browser.looks.rooms import Rooms
from tests.e2e.fixtures import MakeWorkspace
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack

expect.set_options(timeout=30_000)
OpenDashboard = Callable[..., AbstractAsyncContextManager[Dashboard]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


@pytest.fixture
def open_dashboard(chromium: Browser, stack: Stack) -> OpenDashboard:
    """`async with open_dashboard(size=(390, 844), dark=True) as dashboard`."""

    @asynccontextmanager
    async def opened(*, size: tuple[int, int] = DESK, dark: bool = False) -> AsyncIterator[Dashboard]:
        context = await chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(30_000)
        dashboard = Dashboard(context, await context.new_page(), stack.url("gateway"))
        dashboard.watch()
        try:
            yield dashboard
        finally:
            await context.close()
        assert dashboard.complaints == []

    return opened


@pytest.fixture
async def dashboard(open_dashboard: OpenDashboard) -> AsyncIterator[Dashboard]:
    async with open_dashboard() as one:
        yield one


@pytest.fixture(scope="session")
def rooms(make_workspace: MakeWorkspace, sandbox: Sandbox) -> Rooms:
    """Furnished workspaces that tests share to look at, and do not change."""
    return Rooms(make_workspace, sandbox)
