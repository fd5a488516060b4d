"""What comes live, at the wrong moment: it never goes before what somebody chose, and never says more than is true."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.browser.dashboard import Dashboard
from tests.browser.test_invoice_list import KEEP_SOCKETS
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

_ENDED = """() => { window.ended = 0; window.asked = 0;
  document.addEventListener('htmx:before:request', e => { window.asked += e.target.id === 'panel'; });
  document.addEventListener('htmx:finally:request', e => { window.ended += e.target.id === 'panel'; }); }"""
"""Counts how often the page began to read its panel anew, and how often that came to an end."""
_DIALOG_READ = """() => { document.addEventListener('htmx:finally:request',
  e => { window.read ||= e.target.matches('#live-banner, #dlg'); }); }"""
_STATES = """() => { const live = document.querySelector('#live'); window.states = [live.dataset.state];
  new MutationObserver(() => window.states.push(live.dataset.state)).observe(live, { attributes: true }); }"""


@asynccontextmanager
async def reading_held(page: Page, workspace: Workspace, show: str) -> AsyncIterator[None]:
    """Somebody else changes the show, and the page has asked for its panel anew; the answer comes after the block."""
    come, path = asyncio.Event(), f"**/shows/{show}**"

    async def hold(route: Route) -> None:
        if (await route.request.all_headers()).get("hx-source") == "div#panel":
            await come.wait()
        await route.fallback()

    await page.evaluate(_ENDED)
    await page.route(path, hold)
    change = "item_number,title,price\n0,Item 0,1500\n"
    await workspace.import_file(show, "items", change.encode())
    await eventually(lambda: page.evaluate("window.asked > 0"))
    yield
    come.set()
    await eventually(lambda: page.evaluate("window.ended > 0"))
    await page.unroute(path)


async def test_what_somebody_chose_meanwhile_stays_chosen(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=2)
    await workspace.generate(show)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    async with reading_held(page, workspace, show):
        await page.locator("#pill-void").click()
        await expect(page.get_by_role("heading", name="No invoices here")).to_be_visible()
    await expect(page.locator("#pill-void")).to_have_attribute("aria-current", "true")
    await expect(page.locator("#inv-body")).to_have_count(0)
    await expect(page.locator("#undone")).to_contain_text("1 invoice is not right any more")  # it was read once more


async def test_a_socket_that_is_sent_away_at_once_is_no_live_update(dashboard: Dashboard, workspace: Workspace) -> None:
    page, opened = dashboard.page, list[WebSocketRoute]()
    show = await workspace.make_show(buyers=1)
    await page.route_web_socket("**/api/realtime*", lambda socket: opened.append(socket))
    await page.add_init_script(KEEP_SOCKETS)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await page.evaluate(_STATES)
    closed = list[WebSocketRoute]()
    while len(closed) < 3:
        await eventually(lambda: len(opened) > len(closed))
        await eventually(lambda: page.evaluate("window.sockets.at(-1).readyState === 1"))
        closed.append(opened[-1])
        await closed[-1].close(code=1013, reason="Try again in a moment.")
    await eventually(lambda: len(opened) == 4)
    assert set(await page.evaluate("window.states")) == {"connecting", "reconnecting"}
    await expect(page.locator("#live-banner")).to_be_visible()


async def test_a_dialog_is_asked_for_twice_and_closed_while_it_is_read(
    dashboard: Dashboard, workspace: Workspace
) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    await workspace.generate(show)
    (invoice,) = await workspace.invoices(show)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    go_on, asked = asyncio.Event(), list[Route]()

    async def hold(route: Route) -> None:
        asked.append(route)
        await go_on.wait()
        await route.fallback()

    await page.route(f"**/invoices/{invoice['id']}", hold)
    dialog, link = page.locator("#dlg"), page.locator("#inv-body a.disc")
    await link.dblclick()
    await eventually(lambda: len(asked) == 2)
    go_on.set()
    await expect(dialog.locator(".timeline li").first).to_be_visible()
    await expect(page.locator(".toast")).to_have_count(0)

    # what changes is read anew, and leaves the keyboard where it is
    go_on.clear()
    asked.clear()
    send = f"/api/shows/{show}/invoices/{invoice['id']}/send"
    await workspace.rest.call("POST", send, {"channel": "manual"})
    await eventually(lambda: asked)
    before = await dialog.locator(".timeline li").count()
    await dialog.evaluate("dialog => { dialog.tabIndex = -1; dialog.focus(); }")
    go_on.set()
    await expect(dialog.locator(".timeline")).to_contain_text("Link sent by hand")
    assert await dialog.locator(".timeline li").count() > before
    await expect(dialog).to_be_focused()

    # closed meanwhile, it stays closed
    go_on.clear()
    asked.clear()
    await page.evaluate(_DIALOG_READ)
    await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{invoice['id']}/void", {})
    await eventually(lambda: asked)
    await link.evaluate("link => link.remove()")  # whence it was opened: the keyboard is not lost with it
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#panel")).to_be_focused()
    await page.evaluate("window.read = false")
    go_on.set()
    await eventually(lambda: page.evaluate("window.read"))
    await expect(dialog).to_be_hidden()


async def test_another_currency_is_seen_at_once(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday", "currency": "GBP"})
    show = str(made["id"])
    await workspace.import_file(show, "items", b"item_number,title,price\n1,Hat,1250\n")
    await dashboard.sign_in(workspace, f"/shows/{show}/items")
    await dashboard.live()
    await expect(page.get_by_label("Price of item 1 in GBP")).to_have_value("12.50")
    await workspace.rest.call("PATCH", f"/api/shows/{show}", {"currency": "EUR"})
    await expect(page.get_by_label("Price of item 1 in EUR")).to_have_value("12.50")


async def test_what_nobody_pressed_says_once_that_it_failed(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    show = await workspace.make_show(buyers=1)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    fail = """from => document.querySelector(from).dispatchEvent(new CustomEvent('toast', { bubbles: true,
      detail: { kind: 'error', title: 'Not available', body: 'Try again in a moment.' } }))"""
    for source in ("#feed", "#panel", "#panel"):
        await page.evaluate(fail, source)
    await expect(page.locator(".toast")).to_have_count(1)
    await page.evaluate(fail, "#show-head a")  # a press that fails is told each time
    await expect(page.locator(".toast")).to_have_count(2)
