"""Every page and state: on a desk and on a phone, light and dark, without overflow and without a complaint.

With SHOWBILL_SHOTS set to a folder, a picture of each is kept there.
"""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import DESK, PHONE, Dashboard
from tests.e2e.fixtures import MakeWorkspace
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

LOOKS = {
    "desk-light": (DESK, False),
    "desk-dark": (DESK, True),
    "phone-light": (PHONE, False),
    "phone-dark": (PHONE, True),
}
ITEMS = "item_number,title,price\n1,Jacket,12550\n2,Scarf,1800\n3,Boots,\n4,Pin,10\n5,Sticker,0\n"
CLAIMS = "claim_id,platform,platform_user_id,user_handle,display_name,email,item_number,quantity,status\n" + "\n".join(
    [
        "a,instagram,u1,@maya.k,Maya Kowalski,maya@example.com,1,1,winner",
        "b,instagram,u2,@thriftqueen_22,Danielle Ortiz,,2,2,winner",
        "c,instagram,u3,@denim.daze,Priya Raman,,3,1,winner",
        "d,instagram,u4,@<img src=x onerror=alert(1)>,,u4@example.com,1,3,winner",
        "e,instagram,u5,@goldie.loops,Goldie Marsh,goldie@example.com,1,1,winner",
        "f,instagram,u6,@salt.and.cedar,Hannah Lindqvist,,2,1,winner",
        "g,instagram,u7,@penny,,,4,1,winner",
        "h,instagram,u8,@free.rider,,,5,1,winner",
    ]
)


@pytest.fixture(scope="session")
async def empty(make_workspace: MakeWorkspace) -> dict[str, str | Workspace]:
    workspace = await make_workspace()
    bare = await workspace.rest.call("POST", "/api/shows", {"name": "Sunday warm-up", "currency": "USD"})
    return {"workspace": workspace, "bare": str(bare["id"]), "claimed": await _show(workspace)}


@pytest.fixture(scope="session")
async def full(make_workspace: MakeWorkspace, sandbox: Sandbox) -> dict[str, str | Workspace]:
    """A connected workspace with a show that is ready, and one with invoices in many states."""
    workspace = await make_workspace()
    await workspace.connect()
    mixed = await _show(workspace)
    fault = await sandbox.refuse_buyer(workspace.account.id, "u5")
    await workspace.generate(mixed)
    await sandbox.remove_fault(fault)
    rows = {row["platformUserId"]: row for row in await workspace.invoices(mixed)}
    await sandbox.pay(rows["u1"]["externalId"])
    await workspace.rest.call("POST", f"/api/shows/{mixed}/invoices/{rows['u4']['id']}/send", {"channel": "email"})

    async def is_paid() -> bool:
        return any(row["status"] == "paid" for row in await workspace.invoices(mixed))

    await eventually(is_paid, why="the payment did not arrive")
    late = (
        CLAIMS.splitlines()[0] + "\nlate,instagram,u2,@thriftqueen_22,,,1,1,winner\nnew,instagram,u9,@late,,,1,1,winner"
    )
    await workspace.import_file(mixed, "claims", late.encode())
    return {"workspace": workspace, "ready": await _show(workspace), "mixed": mixed}


async def _show(workspace: Workspace) -> str:
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday Night Vintage Drop", "currency": "USD"})
    for what, content in (("items", ITEMS), ("claims", CLAIMS)):
        assert (await workspace.import_file(str(made["id"]), what, content.encode()))["rejected"] == []
    return str(made["id"])


async def _look(dashboard: Dashboard, name: str, look: str) -> None:
    await dashboard.page.evaluate("document.fonts.ready")
    assert await dashboard.overflow() <= 0, f"{name} is wider than the window"
    if folder := os.environ.get("SHOWBILL_SHOTS"):
        await dashboard.page.screenshot(path=Path(folder) / f"{name}-{look}.png", animations="disabled")


@pytest.mark.parametrize("look", LOOKS)
async def test_pages_of_a_new_workspace_fit(
    open_dashboard: OpenDashboard, make_workspace: MakeWorkspace, empty: dict[str, str | Workspace], look: str
) -> None:
    size, dark = LOOKS[look]
    workspace = empty["workspace"]
    assert isinstance(workspace, Workspace)
    async with open_dashboard(size=size, dark=dark) as dashboard:
        await dashboard.open("/sign-in")
        await _look(dashboard, "sign-in", look)
        await dashboard.sign_in(await make_workspace())
        await _look(dashboard, "shows-empty", look)
        await dashboard.context.clear_cookies()
        await dashboard.sign_in(workspace)
        for name, path in (
            ("shows-new", "/shows/new"),
            ("show-no-claims", f"/shows/{empty['bare']}"),
            ("show-not-connected", f"/shows/{empty['claimed']}"),
            ("integrations", "/integrations"),
            ("stripe-connect", "/integrations/stripe"),
            ("import", f"/shows/{empty['claimed']}/import"),
        ):
            await dashboard.open(path)
            await _look(dashboard, name, look)
        for name in ("items", "claims", "buyers"):
            await dashboard.open(f"/shows/{empty['bare']}/{name}")
            await _look(dashboard, f"show-{name}-empty", look)
        await dashboard.open(f"/shows/{empty['claimed']}/import")
        content = {"name": "items.csv", "mimeType": "text/csv", "buffer": f"{ITEMS}6,Belt,1.50\n".encode()}
        await dashboard.page.locator("#items").set_input_files(content)  # type: ignore[arg-type]  # a FilePayload
        await dashboard.page.locator("#pre-items").wait_for()
        await _look(dashboard, "import-preview", look)
        dashboard.refusals.add(404)
        await dashboard.open("/shows/no-such-show")
        await _look(dashboard, "error-404", look)


@pytest.mark.parametrize("look", LOOKS)
async def test_pages_of_a_busy_workspace_fit(
    open_dashboard: OpenDashboard, full: dict[str, str | Workspace], look: str
) -> None:
    size, dark = LOOKS[look]
    workspace = full["workspace"]
    assert isinstance(workspace, Workspace)
    async with open_dashboard(size=size, dark=dark) as dashboard:
        await dashboard.sign_in(workspace)
        await _look(dashboard, "shows", look)
        for name in ("ready", "mixed"):
            await dashboard.open(f"/shows/{full[name]}")
            await dashboard.live()
            await _look(dashboard, f"show-{name}", look)
        for tab in ("items", "claims", "buyers"):
            await dashboard.open(f"/shows/{full['mixed']}/{tab}")
            await dashboard.live()
            await _look(dashboard, f"show-{tab}", look)
        await dashboard.open(f"/shows/{full['mixed']}")
        await dashboard.live()
        await dashboard.page.get_by_role("button", name="More actions for @maya.k").click()
        await _look(dashboard, "show-mixed-menu", look)
        await _look_at_panel(dashboard, str(full["mixed"]), look)
        await dashboard.open("/integrations")
        await _look(dashboard, "integrations-connected", look)
        await dashboard.open("/integrations/stripe")
        await dashboard.page.get_by_role("button", name="Test connection").click()
        await dashboard.page.locator("#health", has_text="Healthy").wait_for()
        await _look(dashboard, "stripe-connected", look)
        await dashboard.page.get_by_role("button", name="Disconnect…").click()
        await _look(dashboard, "stripe-disconnect", look)


async def _look_at_panel(dashboard: Dashboard, show: str, look: str) -> None:
    """The dialogs of the list, its plan, and a search that finds nothing."""
    page, dialog = dashboard.page, dashboard.page.get_by_role("dialog")
    await page.locator("[popover]:popover-open").get_by_text("Timeline").click()
    await dialog.locator(".timeline").wait_for()
    await _look(dashboard, "show-timeline", look)
    await page.keyboard.press("Escape")
    for entry, name in (("Mark as paid…", "show-mark-paid"), ("Void invoice…", "show-void")):
        await page.get_by_role("button", name="More actions for @thriftqueen_22").click()
        await page.locator("[popover]:popover-open").get_by_text(entry).click()
        await dialog.locator("form").wait_for()
        await _look(dashboard, name, look)
        await page.keyboard.press("Escape")
        await dialog.wait_for(state="hidden")
    await page.get_by_role("link", name="Send all links").click()
    await dialog.locator("form").wait_for()
    await _look(dashboard, "show-send-all", look)
    await dashboard.open(f"/shows/{show}?q=nobody")
    await _look(dashboard, "show-no-results", look)
    await dashboard.open(f"/shows/{show}/plan?changes=1")
    await _look(dashboard, "show-plan", look)


async def test_what_a_buyer_typed_is_text_only(open_dashboard: OpenDashboard, full: dict[str, str | Workspace]) -> None:
    workspace = full["workspace"]
    assert isinstance(workspace, Workspace)
    async with open_dashboard() as dashboard:
        await dashboard.sign_in(workspace, f"/shows/{full['mixed']}")
        await dashboard.page.get_by_text("@<img src=x onerror=alert(1)>").first.wait_for()
        assert await dashboard.page.locator("#inv-body img").count() == 0
