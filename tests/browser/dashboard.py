"""Somebody at the dashboard, in a real browser that tells on the page: what it complains of fails the test."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response

from tests.e2e.fixtures import PASSWORD
from tests.e2e.sandbox import Account
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

DESK = (1440, 900)


@dataclass
class Dashboard:
    """A browser window on the gateway."""

    context: BrowserContext
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)
    """Statuses that the test provokes; the browser logs each as an error of its own."""

    def watch(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("request", self._follow)
        self.page.on("response", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        provoked = re.search(r"status of (\d+)", message.text)
        if message.type in ("error", "warning") and not (provoked and int(provoked[1]) in self.refusals):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _follow(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"a request left the origin: {request.url}")

    def _note(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} from {response.url}")

    async def open(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def sign_in(self, workspace: Workspace, path: str = "/") -> None:
        """As the form does it, without waiting for two pages to be drawn."""
        form: dict[str, str | float | bool] = {"email": workspace.email, "password": PASSWORD}
        answer = await self.context.request.post(
            f"{self.url}/sign-in", form=form, headers={"Origin": self.url}, max_redirects=0
        )
        assert answer.status == 303, await answer.text()
        await self.open(path)

    async def sign_in_by_hand(self, workspace: Workspace, path: str = "/") -> None:
        await self.open(path)
        await self.page.get_by_label("Email").fill(workspace.email)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_url(lambda url: "/sign-in" not in url)

    async def connect(self, account: Account) -> None:
        await self.open("/integrations/stripe")
        await self.page.get_by_label("Secret key", exact=True).fill(account.sk_test)
        await self.page.get_by_label("Publishable key").fill(account.pk_test)
        await self.page.get_by_role("button", name="Connect Stripe").click()
        await self.page.get_by_role("button", name="Test connection").wait_for()

    async def live(self) -> None:
        """Waits until the page hears live updates."""
        await self.page.locator("#live[data-state=on]").wait_for()

    async def ready(self, place: Locator) -> None:
        """Waits until the page that has this place was drawn and its scripts listen, after a press that led there."""
        await place.wait_for()
        await self.page.wait_for_load_state("domcontentloaded")

    async def copied(self, what: str, before: str = "") -> str:
        """What a press put on the clipboard, once that holds `what` and is not what it was `before`: it is put there in
        its own time."""

        async def text() -> str:
            held = str(await self.page.evaluate("navigator.clipboard.readText()"))
            return held if what in held and held != before else ""

        return await eventually(text, why=f"no text with {what} was copied")

    async def axe(self, within: str = "", rules: Collection[str] = ()) -> list[str]:
        """What axe finds wrong with the page, or a part of it, as it is now: rule and element. `rules` narrows it."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE_SCRIPT)  # it is large, so a page gets it once
        options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
        found = await Axe("0").run(self.page, context=within or None, options=options)
        return [
            f"{one['id']}: {node['html'][:160]} ({' '.join(node['failureSummary'].split())[:300]})"
            for one in found.response["violations"]
            for node in one["nodes"]
        ]

    async def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
