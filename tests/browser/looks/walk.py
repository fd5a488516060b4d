"""Walks states of the table: each in light and dark, on a desk and a phone, with what is wrong with any of them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from tests.browser.dashboard import Dashboard
from tests.browser.looks.doings import Scene
from tests.browser.looks.rooms import Rooms
from tests.browser.looks.states import State
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack

Theme: TypeAlias = Literal["light", "dark"]
WIDTHS: Final = {1280: 800, 390: 844}
LOOKS: Final[tuple[tuple[Theme, int], ...]] = (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390))
QUICK_LOOKS: Final[tuple[tuple[Theme, int], ...]] = (("light", 1280), ("dark", 390))
"""Both themes and both widths."""
OTHER_WIDTHS: Final = {"narrow": 320, "zoomed": 640, "tablet": 768}
"""The narrowest phone, a desk at 200 %, and a tablet: where a page must fit too."""
OF_A_LOOK: Final = ("color-contrast", "target-size", "scrollable-region-focusable")
"""What axe judges by colour and size; all else is the same in every look."""
MOST_SHIFT: Final = 0.02
DRAWN: Final = """async theme => {
    document.documentElement.dataset.theme = theme;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
"""As somebody chooses it in the menu; pages that have none follow the browser."""
PAINTED: Final = """() => new Promise(done => {
    const look = () => performance.getEntriesByName('first-contentful-paint').length ? done() : setTimeout(look, 20);
    look();
})"""
MEASURE: Final = """
new PerformanceObserver(all => all.getEntries().forEach(one => {
    window.shift = (window.shift || 0) + (one.hadRecentInput ? 0 : one.value);
})).observe({ type: 'layout-shift', buffered: true });"""
SQUEEZED: Final = """() => [...document.querySelectorAll('h1, .table .badge, .table .btn')].filter(one => {
    const place = one.closest('td, th, .head > div'), at = one.getBoundingClientRect();
    return place && at.width && at.right > place.getBoundingClientRect().right + 1;
}).map(one => one.textContent.trim())"""
"""Titles, badges and buttons that reach out of the place that they have."""
FIGURES: Final = """() => {
    const size = what => performance.getEntriesByType('resource')
        .filter(one => new URL(one.name).pathname.endsWith(what)).reduce((sum, one) => sum + one.encodedBodySize, 0);
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    const [page] = performance.getEntriesByType('navigation');
    return { paint: paint ? paint.startTime : 0, ready: page.domContentLoadedEventEnd, shift: window.shift || 0,
             js: size('.js'), css: size('.css'), html: page.encodedBodySize };
}"""


@dataclass(frozen=True)
class Look:
    """One state as it was found. Times are milliseconds, sizes bytes as they were sent."""

    state: State
    figures: dict[str, float]
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Walk:
    """`thorough` looks at each state in all four looks; else in two."""

    rooms: Rooms
    sandbox: Sandbox
    stack: Stack
    pictures: Path | None = None
    thorough: bool = False

    async def through(self, dashboard: Dashboard, states: Iterable[State]) -> AsyncIterator[Look]:
        await dashboard.context.add_init_script(MEASURE)
        await dashboard.page.emulate_media(reduced_motion="reduce")  # a colour on its way is none to be judged
        for (name, signed_in), group in groupby(states, lambda state: (state.room, state.signed_in)):
            room = await self.rooms(name)
            await dashboard.context.clear_cookies()
            if signed_in:
                await dashboard.sign_in(room.workspace, "/shows")
            for state in group:
                async with AsyncExitStack() as after:
                    yield await self._look(Scene(dashboard, room, self.sandbox, self.stack, after), state)

    async def _look(self, scene: Scene, state: State) -> Look:
        dashboard = scene.dashboard
        dashboard.refusals.add(state.status)
        await dashboard.page.set_viewport_size({"width": 1280, "height": WIDTHS[1280]})
        await dashboard.open(state.path.format(**scene.room.at))
        await dashboard.page.evaluate("document.fonts.ready")
        await dashboard.page.evaluate(PAINTED)
        figures: dict[str, float] = await dashboard.page.evaluate(FIGURES)
        look = Look(state, figures)
        if figures["shift"] > MOST_SHIFT:
            look.faults.append(f"{state.name}: shifts by {figures['shift']:.3f} while it loads")
        if state.doing:
            await state.doing(scene)
        if self.pictures:
            for theme, width in LOOKS:
                await self._turn(dashboard, theme, width)
                await self._picture(dashboard, self.pictures / f"{state.name}-{theme}-{width}.png")
        for theme, width in LOOKS if self.thorough else QUICK_LOOKS:
            await self._turn(dashboard, theme, width)
            rules = () if self.thorough or (theme, width) == QUICK_LOOKS[0] else OF_A_LOOK
            found = [f"{state.name}-{theme}-{width}: {one}" for one in await dashboard.axe(rules=rules)]
            too_wide = await dashboard.overflow()
            wide = [f"{state.name}-{theme}-{width}: {too_wide} px wider than the window"] if too_wide > 0 else []
            look.faults.extend([*found, *wide])
        look.faults.extend(await self._fits_elsewhere(dashboard, state))
        return look

    async def _fits_elsewhere(self, dashboard: Dashboard, state: State) -> list[str]:
        """What is too wide at other widths, each pictured."""
        faults = []
        for name, width in OTHER_WIDTHS.items():
            if name == "zoomed" and not self.thorough:
                continue  # laid out like a phone
            await dashboard.page.set_viewport_size({"width": width, "height": 800})
            if self.pictures:
                await dashboard.page.evaluate(DRAWN, "light")
                await self._picture(dashboard, self.pictures / f"{state.name}-{name}.png")
            if (too_wide := await dashboard.overflow()) > 0:
                faults.append(f"{state.name}-{name}: {too_wide} px wider than the window")
            faults += [f"{state.name}-{name}: {one} does not fit" for one in await dashboard.page.evaluate(SQUEEZED)]
        return faults

    async def _turn(self, dashboard: Dashboard, theme: Theme, width: int) -> None:
        """Another look of the same page, once it is drawn."""
        await dashboard.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        await dashboard.page.emulate_media(color_scheme=theme)
        await dashboard.page.evaluate(DRAWN, theme)

    async def _picture(self, dashboard: Dashboard, path: Path) -> None:
        """The whole page, what is fixed to the window at its end; a dialog as the window shows it."""
        page = dashboard.page
        window = page.viewport_size or {"width": 0, "height": 0}
        if not await page.locator("dialog[open], [popover]:popover-open").count():
            height = int(await page.evaluate("document.documentElement.scrollHeight"))
            await page.set_viewport_size({"width": window["width"], "height": max(height, window["height"])})
        await page.screenshot(path=path, animations="disabled")
        await page.set_viewport_size({"width": window["width"], "height": window["height"]})


def table(looks: list[Look]) -> str:
    """What each page weighs and how fast it stands, to read."""
    lines = [f"{'page':28}{'paint ms':>10}{'ready ms':>10}{'shift':>8}{'html kB':>9}{'js kB':>8}{'css kB':>8}"]
    for look in looks:
        one: dict[str, Any] = look.figures
        sizes = "".join(f"{one[what] / 1000:{width}.1f}" for what, width in (("html", 9), ("js", 8), ("css", 8)))
        lines.append(f"{look.state.name:28}{one['paint']:10.0f}{one['ready']:10.0f}{one['shift']:8.3f}{sizes}")
    return "\n".join(lines) + "\n"
