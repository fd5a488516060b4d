"""Every main page: light and dark, on a desk and a phone, without overflow, without a shift, and axe finds nothing.

The pages and states are those of `looks/states.py`; `make pictures` walks all of them.
"""

import pytest
from playwright.async_api import Route, ViewportSize, expect

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.browser.looks.rooms import Rooms
from tests.browser.looks.states import STATES
from tests.browser.looks.walk import Walk
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace

MAIN = [state for state in STATES if state.main]


@pytest.mark.parametrize("room", dict.fromkeys(state.room for state in MAIN))
async def test_pages_of_a_room_fit_and_axe_finds_nothing(
    open_dashboard: OpenDashboard, rooms: Rooms, sandbox: Sandbox, stack: Stack, room: str
) -> None:
    walk = Walk(rooms, sandbox, stack)
    async with open_dashboard() as dashboard:
        chosen = [state for state in MAIN if state.room == room]
        looks = [look async for look in walk.through(dashboard, chosen)]
    faults = [fault for look in looks for fault in look.faults]
    assert not faults, "\n".join(faults)


def test_each_state_has_a_name_of_its_own() -> None:
    names = [state.name for state in STATES]
    assert len(set(names)) == len(names)


async def test_what_a_buyer_typed_is_text_only(open_dashboard: OpenDashboard, rooms: Rooms) -> None:
    busy = await rooms("busy")
    async with open_dashboard() as dashboard:
        await dashboard.sign_in(busy.workspace, f"/shows/{busy.at['mixed']}")
        await dashboard.page.get_by_text("@<img src=x onerror=alert(1)>").first.wait_for()
        assert await dashboard.page.locator("#inv-body img").count() == 0


_ORDER = """() => { const place = node => { const all = document.createRange(); all.selectNode(node);
    const box = all.getBoundingClientRect(); return [box.left, box.right]; };
  return [...document.querySelector('.lines th').childNodes].map(place); }"""
"""From where to where each piece of a line's title reaches."""


async def test_what_is_written_from_right_to_left_moves_no_number(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday", "currency": "GBP"})
    show, head = (
        str(made["id"]),
        "claim_id,platform,platform_user_id,user_handle,display_name,item_number,quantity,status",
    )
    await workspace.import_file(show, "items", "item_number,title,price\n12,צעיף משי,1000\n".encode())
    await workspace.import_file(show, "claims", f"{head}\nc,facebook,u,@שרה,שרה כהן,12,2,winner\n".encode())

    async def egyptian(route: Route) -> None:
        await route.fallback(headers={**route.request.headers, "accept-language": "ar-EG"})

    await page.route(f"**/shows/{show}", egyptian)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    await expect(page.locator("#plan [type=submit]")).to_have_text("Generate 1 invoice")  # in the server's digits
    await expect(page.locator("[data-sum=total]")).to_contain_text("20.00")
    await workspace.generate(show)
    (invoice,) = await workspace.invoices(show)
    await dashboard.open(f"/shows/{show}/invoices/{invoice['id']}")
    await expect(page.locator(".lines th")).to_have_text("#12 צעיף משי × 2")
    (_, number), (title, end), (count, _) = await page.evaluate(_ORDER)
    assert number <= title < end <= count
    who = page.locator(".timeline small [hx-ignore]").first
    assert await who.evaluate("who => getComputedStyle(who).unicodeBidi") == "isolate"


async def test_names_without_a_space_widen_no_page(dashboard: Dashboard, workspace: Workspace) -> None:
    page, number = dashboard.page, "9" * 60
    await workspace.connect()
    made = await workspace.rest.call("POST", "/api/shows", {"name": "S" * 200, "currency": "GBP"})
    show, head = (
        str(made["id"]),
        "claim_id,platform,platform_user_id,user_handle,display_name,item_number,quantity,status",
    )
    await workspace.import_file(show, "items", f"item_number,title,price\n{number},{'T' * 400},1000\n".encode())
    claim = f"c,facebook,u,@{'w' * 190},{'n' * 190},{number},2,winner"
    await workspace.import_file(show, "claims", f"{head}\n{claim}\n".encode())
    await dashboard.sign_in(workspace, f"/shows/{show}")
    sizes: tuple[ViewportSize, ...] = ({"width": 390, "height": 844}, {"width": 1440, "height": 900})
    wide = {}

    async def look(path: str) -> None:
        await dashboard.open(f"/shows/{show}{path}")
        for size in sizes:
            await page.set_viewport_size(size)
            if by := await dashboard.overflow():
                wide[path, size["width"]] = by

    await look("")
    await workspace.generate(show)
    (invoice,) = await workspace.invoices(show)
    for path in ("", "/items", "/claims", "/buyers", "/desk", "/edit", f"/invoices/{invoice['id']}"):
        await look(path)
    assert wide == {}
