"""What a browser makes of the main pages: first byte, paint, interactive, shift, longest task, bytes.

Run: .venv/bin/python -m benchmarks.pages [buyers ...]

The whole product with its sandbox, and Chromium beside it on the same cores. Each page is loaded three times with an
empty cache, as the machine is and then as a phone sees it (slow 4G, a processor four times slower); the one with the
middle first paint counts.
"""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, BrowserContext, Page, StorageState, async_playwright

from services.cli.child import Child
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.cli.rest import Rest
from tests.browser.dashboard import Dashboard
from tests.e2e.fixtures import PASSWORD
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack, running_stack
from tests.e2e.workspace import Workspace
from tests.waiting import free_port

LOADS: Final = 3
PATIENCE: Final = 1800
"""Seconds that the invoices of a show may take."""
WATCH: Final = """
window.seen = { shift: 0, longest: 0, blocked: 0, largest: 0 };
const watch = (type, take) =>
    new PerformanceObserver(all => all.getEntries().forEach(take)).observe({ type, buffered: true });
watch('layout-shift', one => { seen.shift += one.hadRecentInput ? 0 : one.value; });
watch('longtask', one => {
    seen.longest = Math.max(seen.longest, one.duration); seen.blocked += Math.max(0, one.duration - 50);
});
watch('largest-contentful-paint', one => { seen.largest = one.startTime; });
"""
SETTLED: Final = """() => new Promise(done => {
    const look = () => seen.largest && performance.now() > seen.largest + 1000 ? done() : setTimeout(look, 50);
    look();
})"""
FIGURES: Final = """() => {
    const [page] = performance.getEntriesByType('navigation'), files = performance.getEntriesByType('resource');
    const size = end => files.filter(one => new URL(one.name).pathname.endsWith(end))
        .reduce((sum, one) => sum + one.transferSize, 0);
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return { byte: page.responseStart - page.requestStart, paint: paint ? paint.startTime : 0, largest: seen.largest,
             interactive: page.domContentLoadedEventEnd, shift: seen.shift, longest: seen.longest,
             blocked: seen.blocked, html: page.transferSize, js: size('.js'), css: size('.css'),
             all: page.transferSize + files.reduce((sum, one) => sum + one.transferSize, 0) };
}"""
SLOW_4G: Final = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
"""Milliseconds, and bytes a second: 1.6 Mbit/s down."""
TIMES: Final = {
    "byte": "first byte",
    "paint": "first paint",
    "largest": "largest paint",
    "interactive": "interactive",
    "longest": "longest task",
    "blocked": "blocked",
}
SIZES: Final = {"html": "HTML kB", "js": "JS kB", "css": "CSS kB", "all": "all kB"}


@dataclass(frozen=True)
class Bench:
    """A browser, and a workspace that it is signed in to."""

    browser: Browser
    stack: Stack
    workspace: Workspace
    signed_in: StorageState


async def load(bench: Bench, path: str, *, slow: bool) -> dict[str, float]:
    """The figures of one load with an empty cache."""
    context = await bench.browser.new_context(
        viewport={"width": 390, "height": 844} if slow else {"width": 1280, "height": 800},
        storage_state=bench.signed_in,
        locale="en-GB",
    )
    await context.add_init_script(WATCH)
    page = await context.new_page()
    if slow:
        await _slow_down(context, page)
    await page.goto(bench.stack.url("gateway") + path, wait_until="load")
    await page.evaluate(SETTLED)
    figures: dict[str, float] = await page.evaluate(FIGURES)
    await context.close()
    return figures


async def _slow_down(context: BrowserContext, page: Page) -> None:
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", SLOW_4G)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": 4})


async def measure(bench: Bench, pages: Mapping[str, str]) -> None:
    for slow in (False, True):
        print(f"\n{'Slow 4G, a processor a quarter as fast, 390 px' if slow else 'As it is, 1280 px'}\n")
        print(f"| page | {' | '.join([*TIMES.values(), 'shift', *SIZES.values()])} |\n|{'---|' * 12}")
        for name, path in pages.items():
            loads = [await load(bench, path, slow=slow) for _ in range(LOADS)]
            one = sorted(loads, key=lambda figures: figures["paint"])[LOADS // 2]
            cells = [f"{one[what]:.0f} ms" for what in TIMES] + [f"{one['shift']:.4f}"]
            cells += [f"{one[what] / 1000:.1f}" for what in SIZES]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


async def furnish(workspace: Workspace, sizes: list[int]) -> dict[str, str]:
    """A show that is ready and one whose invoices are made, for each size; answers the pages to measure."""
    pages: dict[str, str] = {}
    for buyers in sizes:
        ready, made = await workspace.make_show(buyers), await workspace.make_show(buyers)
        run = await workspace.generate(made, timeout=PATIENCE)
        print(f"{buyers} invoices made: {run['createdCount']}", file=sys.stderr, flush=True)
        pages |= {
            f"plan, {buyers:,} buyers": f"/shows/{ready}",
            f"list, {buyers:,} invoices": f"/shows/{made}",
            f"buyers tab, {buyers:,}": f"/shows/{made}/buyers",
            f"items tab, {buyers:,}": f"/shows/{made}/items",
            f"desk, {buyers:,}": f"/shows/{made}/desk",
        }
    return pages | {"shows": "/shows", "integrations": "/integrations", "Stripe": "/integrations/stripe"}


@asynccontextmanager
async def running() -> AsyncIterator[Stack]:
    """The whole product, for the length of a block."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = Postgres(folder / "postgres", free_port(), secrets.token_urlsafe(16))
        nats = Nats(folder / "nats", free_port(), secrets.token_urlsafe(16))
        programs = (await asyncio.to_thread(postgres.prepare), nats.prepare())
        servers = [Child(program, folder / f"{number}.log") for number, program in enumerate(programs)]
        try:
            for server in servers:
                await server.start()
            names = ("integrations", "invoicing", "gateway")
            databases = {one: await postgres.create_database(one, "benchmark", role=one) for one in names}
            stack = Stack(folder, databases, nats.url, {one: {"LOG_LEVEL": "WARNING"} for one in names})
            async with running_stack(stack, "sandbox", *names):
                yield stack
        finally:
            for server in reversed(servers):
                await server.stop()


async def main(sizes: list[int]) -> None:
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or "/usr/bin/chromium"
    async with running() as stack, async_playwright() as playwright:
        sandbox = Sandbox(stack.url("sandbox"))
        await sandbox.set_limits(False)
        account = await sandbox.make_account("benchmark")
        token = await stack.make_owner("benchmark", "bench@example.com", PASSWORD)
        async with Rest(stack.url("gateway"), token) as rest:
            workspace = Workspace(rest, account, token, "bench@example.com")
            await workspace.connect()
            pages = await furnish(workspace, sizes)
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = await browser.new_context(locale="en-GB")
        await Dashboard(context, await context.new_page(), stack.url("gateway")).sign_in(workspace, "/shows")
        await measure(Bench(browser, stack, workspace, await context.storage_state()), pages)
        await browser.close()
        await sandbox.close()


if __name__ == "__main__":
    asyncio.run(main([int(size) for size in sys.argv[1:]] or [110, 5000]))
