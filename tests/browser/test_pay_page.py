"""The buyer's page in a real browser: every state, with and without script."""

from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.e2e.fixtures import MakeWorkspace
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

ITEMS = "item_number,title,price\n" + "\n".join(
    [
        '1,"Hand-thrown stoneware mug with a glaze that nobody has ever managed to describe twice the same way",12550',
        *("2,Scarf,1800", "3,Boots,", "4,Pin,10"),
        *(f"{number},Vintage postcard {number},{100 + number}" for number in range(5, 30)),
    ]
)
WON = [("u1", "1", 1), ("u1", "2", 3), *(("u1", str(number), 1) for number in range(5, 30)), ("u2", "1", 2)]
CLAIMS = "claim_id,platform,platform_user_id,user_handle,email,item_number,quantity,status\n" + "\n".join(
    f"{place},instagram,{buyer},@{buyer}.buys,{buyer}@example.com,{item},{quantity},winner"
    for place, (buyer, item, quantity) in enumerate(
        [*WON, ("u3", "2", 1), ("u4", "3", 1), ("u5", "4", 1), ("u6", "2", 2)]
    )
)


@pytest.fixture(scope="session")
async def links(make_workspace: MakeWorkspace, sandbox: Sandbox) -> dict[str, Any]:
    """A workspace, its show, and pay paths by state."""
    workspace = await make_workspace()
    await workspace.connect()
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday Night Vintage Drop", "currency": "GBP"})
    show = str(made["id"])
    for what, content in (("items", ITEMS), ("claims", CLAIMS)):
        assert (await workspace.import_file(show, what, content.encode()))["rejected"] == []
    await workspace.generate(show)
    rows = {row["platformUserId"]: row for row in await workspace.invoices(show)}
    await sandbox.pay(rows["u2"]["externalId"])
    await sandbox.rest.call("POST", f"/_sandbox/invoices/{rows['u3']['externalId']}/void")

    async def settled() -> bool:
        found = {row["platformUserId"]: row["status"] for row in await workspace.invoices(show)}
        return (found["u2"], found["u3"]) == ("paid", "void")

    await eventually(settled, why="the payment and the voiding did not arrive")
    states = {"payable": "u1", "paid": "u2", "void": "u3", "needs-price": "u4", "below-minimum": "u5", "fresh": "u6"}
    paths = {state: rows[buyer]["payPath"] for state, buyer in states.items()}
    return {"workspace": workspace, "show": show, "fresh-id": rows["u6"]["id"], **paths, "unknown": "/p/" + "x" * 24}


SAYS = {
    "payable": "To pay",
    "paid": "This invoice is paid. Thank you.",
    "void": "This invoice was cancelled.",
    "needs-price": "The seller still has to set a price.",
    "below-minimum": "The total is too small to be paid online.",
    "unknown": "This link leads nowhere.",
}


async def test_every_state_says_itself_and_fits(open_dashboard: OpenDashboard, links: dict[str, Any]) -> None:
    async with open_dashboard() as buyer:
        buyer.refusals.add(404)
        for state, says in SAYS.items():
            await buyer.open(links[state])
            await expect(buyer.page.get_by_text(says)).to_be_visible()
            for width in (1280, 390):
                await buyer.page.set_viewport_size({"width": width, "height": 844})
                assert await buyer.overflow() <= 0, f"{state} is wider than the window"
        assert await buyer.context.cookies() == []


async def test_money_and_days_are_the_readers(chromium: Browser, stack: Stack, links: dict[str, Any]) -> None:
    context = await chromium.new_context(locale="de-DE")
    page = await context.new_page()
    await page.goto(stack.url("gateway") + links["paid"])
    await expect(page.locator(".total")).to_have_text("251,00\xa0£")
    await expect(page.get_by_text("Paid on")).to_be_visible()
    await context.close()


async def test_button_leads_to_the_provider_without_any_script(
    chromium: Browser, stack: Stack, links: dict[str, Any]
) -> None:
    context = await chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await page.goto(stack.url("gateway") + links["payable"])
    await page.get_by_role("link", name="Pay £").click()
    await page.wait_for_url(lambda url: url.startswith(stack.url("sandbox")))
    await context.close()


async def test_visit_counts_once_and_a_preview_does_not(chromium: Browser, stack: Stack, links: dict[str, Any]) -> None:
    workspace: Workspace = links["workspace"]
    path = f"/api/shows/{links['show']}/invoices/{links['fresh-id']}"
    address = stack.url("gateway") + links["fresh"]
    context: BrowserContext = await chromium.new_context()
    for _ in range(3):
        assert (await context.request.get(address)).status == 200  # as a chat app looks for its preview
    assert (await workspace.rest.call("GET", path))["openedCount"] == 0

    page = await context.new_page()
    told: list[int] = []
    page.on("response", lambda answer: told.append(answer.status) if answer.url.endswith("/opened") else None)
    await page.goto(address)
    await eventually(lambda: told == [204])
    await eventually(lambda: page.evaluate("sessionStorage.length === 1"))
    for _ in range(2):
        await page.reload(wait_until="networkidle")
    assert told == [204], "a page that is loaded again is the same visit"
    invoice = await workspace.rest.call("GET", path)
    assert (invoice["openedCount"], invoice["firstOpenedAt"] is not None) == (1, True)
    rows = {row["id"]: row["openedCount"] for row in await workspace.invoices(links["show"])}
    assert rows[links["fresh-id"]] == 1
    assert await context.cookies() == []
    await context.close()


async def test_keyboard_reaches_the_button_first(dashboard: Dashboard, links: dict[str, Any]) -> None:
    await dashboard.open(links["payable"])
    await dashboard.page.keyboard.press("Tab")
    focused = "document.activeElement.className + getComputedStyle(document.activeElement).outlineStyle"
    assert await dashboard.page.evaluate(focused) == "buttonsolid"
    assert await dashboard.page.locator("h1").count() == 1
