"""A show's items, claims and buyers in the browser: edited in place, by two people at once, searched, live."""

import csv
import io
import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace

ITEMS = "item_number,title,price,quantity\n1,Jacket,12550,\n2,Scarf,1800,3\n3,Boots,,\n10,Pin,10,\n12/b,Hat,0,\n"
CLAIMS = "claim_id,platform,platform_user_id,user_handle,display_name,email,item_number,quantity,status\n" + "\n".join(
    [
        "a,instagram,u1,@maya.k,Maya,maya@example.com,1,1,winner",
        "b,instagram,u2,@thrift,,,2,2,winner",
        "c,instagram,u3,@denim,,,3,1,waitlist",
        "d,instagram,u4,@<b hx-get=/x>,,,2,1,winner",
    ]
)


@pytest.fixture
async def show_id(workspace: Workspace) -> str:
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday Night", "currency": "GBP"})
    for what, content in (("items", ITEMS), ("claims", CLAIMS)):
        assert (await workspace.import_file(str(made["id"]), what, content.encode()))["rejected"] == []
    return str(made["id"])


async def price(workspace: Workspace, show_id: str, number: str) -> int | None:
    listed = await workspace.rest.call("GET", f"/api/shows/{show_id}/items")
    found: int | None = next(item["price"] for item in listed["items"] if item["itemNumber"] == number)
    return found


async def test_prices_are_edited_with_the_keyboard_alone(
    dashboard: Dashboard, workspace: Workspace, show_id: str
) -> None:
    page = dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show_id}/items")
    await dashboard.live()
    await page.get_by_role("switch", name="No price first").press("Enter")
    await page.wait_for_url("**first=unpriced")
    await expect(page.locator(".items tbody .c-no").first).to_have_text("#3")

    boots = page.get_by_label("Price of item 3 in GBP")
    await boots.focus()
    await page.keyboard.type("1.234,50")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Price of item 1 in GBP")).to_be_focused()
    await expect(boots).to_have_value("1234.50")
    await expect(page.locator("#say")).to_contain_text("Price of item 3 saved")
    assert await price(workspace, show_id, "3") == 123450
    await expect(page.locator("#pill-unpriced .count")).to_have_text("0")

    await page.keyboard.type("99")
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Price of item 1 in GBP")).to_have_value("125.50")
    hat = page.get_by_label("Price of item 12/b in GBP")
    dashboard.refusals.add(422)
    await hat.fill("cheap")
    await hat.blur()
    await expect(page.locator("#panel [role=alert]")).to_contain_text("The price 'cheap' is no amount.")
    await expect(hat).to_have_value("cheap")
    await hat.fill("")
    await hat.press("Enter")
    await expect(page.locator("#panel [role=alert]")).to_have_count(0)
    await expect(page.locator("#pill-unpriced .count")).to_have_text("1")
    assert await price(workspace, show_id, "12/b") is None


async def test_two_operators_lose_no_price_and_see_each_other(
    dashboard: Dashboard, open_dashboard: OpenDashboard, workspace: Workspace, show_id: str
) -> None:
    async with open_dashboard() as other:
        for one in (dashboard, other):
            await one.sign_in(workspace, f"/shows/{show_id}/items")
            await one.live()
        mine, theirs = (one.page.get_by_label("Price of item 2 in GBP") for one in (dashboard, other))
        await mine.focus()
        await mine.press_sequentially("9")
        await theirs.fill("20")
        await theirs.press("Enter")
        scarf = other.page.get_by_label("Price of item 1 in GBP")
        await scarf.fill("100")
        await scarf.blur()
        await expect(dashboard.page.get_by_label("Price of item 1 in GBP")).to_have_value("100.00")
        await expect(mine).to_have_value("918.00")
        await expect(mine).to_be_focused()
        dashboard.refusals.add(422)
        await mine.fill("30")
        await mine.press("Enter")
        await expect(dashboard.page.locator("#panel [role=alert]")).to_contain_text(
            "Somebody changed item 2 meanwhile."
        )
        await scarf.fill("101")
        await scarf.blur()
        await expect(dashboard.page.get_by_label("Price of item 1 in GBP")).to_have_value("101.00")
        await expect(dashboard.page.locator("#panel [role=alert]")).to_be_visible()
        assert await price(workspace, show_id, "2") == 2000
        await expect(mine).to_have_value("20.00")
        await mine.fill("30")
        await mine.press("Enter")
        await expect(theirs).to_have_value("30.00")
        assert await price(workspace, show_id, "2") == 3000


async def test_items_are_added_filtered_and_searched(dashboard: Dashboard, workspace: Workspace, show_id: str) -> None:
    page = dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show_id}/items")
    await dashboard.live()
    await page.get_by_role("button", name="Add item").click()
    dashboard.refusals.add(422)
    await page.get_by_label("Number", exact=True).fill("2")
    await page.locator("#item-form").get_by_role("button", name="Add item").click()
    await expect(page.locator("#item-form [role=alert]")).to_contain_text("The show has an item 2 already.")
    await page.get_by_label("Number", exact=True).fill("11")
    await page.get_by_label("Title", exact=True).fill("Gloves")
    await page.get_by_label("Price in GBP").fill("7.50")
    await page.locator("#item-form").get_by_role("button", name="Add item").click()
    await expect(page.locator("#toasts")).to_contain_text("Item 11 added")
    await expect(page.get_by_label("Number", exact=True)).to_have_value("")
    await page.keyboard.press("Escape")
    await expect(page.locator(".items tbody tr")).to_have_count(6)
    await expect(page.locator("#tab-items .count")).to_have_text("6")
    assert await price(workspace, show_id, "11") == 750

    await page.locator("#pill-claimed").click()
    await expect(page.locator(".items tbody .c-no")).to_have_text(["#1", "#2"])
    await expect(page.locator(".items tbody .c-by").nth(1)).to_have_text("2 buyers")
    await page.locator("#pill-all").click()
    await expect(page.locator("#pill-all")).to_have_attribute("aria-current", "true")
    await page.get_by_label("Search items").press_sequentially("HAT")
    await expect(page.locator(".items tbody .c-no")).to_have_text(["#12/b"])
    await expect(page.get_by_label("Search items")).to_be_focused()
    await page.get_by_label("Search items").fill("nothing")
    await expect(page.get_by_role("heading", name="No items match “nothing”")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="No items match “nothing”")).to_be_visible()


async def test_claims_are_filtered_and_live_and_can_be_exported(
    dashboard: Dashboard, workspace: Workspace, show_id: str
) -> None:
    page = dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show_id}/claims?status=waitlist")
    await dashboard.live()
    await expect(page.locator(".claims tbody tr")).to_have_count(1)
    await page.locator("#pill-all").click()
    await expect(page.locator(".claims tbody tr")).to_have_count(4)
    await expect(page.get_by_text("@<b hx-get=/x>")).to_be_visible()
    header = CLAIMS.splitlines()[0]
    late = f"{header}\ne,instagram,u9,@late,,,10,1,winner\n"
    await workspace.import_file(show_id, "claims", late.encode())
    await expect(page.locator(".claims tbody tr")).to_have_count(5)
    await expect(page.locator("#tab-buyers .count")).to_have_text("4")
    await page.get_by_label("Search claims").fill("pin")
    await expect(page.locator(".claims tbody th b")).to_have_text(["@late"])
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV of all claims").click()
    path = await (await download.value).path()
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [row["claim_id"] for row in rows] == ["a", "b", "c", "d", "e"]


async def test_buyers_are_edited_by_two_and_show_what_they_paid(
    dashboard: Dashboard, open_dashboard: OpenDashboard, workspace: Workspace, sandbox: Sandbox, show_id: str
) -> None:
    await workspace.connect()
    await workspace.generate(show_id)
    page = dashboard.page
    async with open_dashboard() as other:
        for one in (dashboard, other):
            await one.sign_in(workspace, f"/shows/{show_id}/buyers")
            await one.live()
        dashboard.refusals.add(422)
        address = page.get_by_label("E-mail address of @thrift")
        await address.fill("no address")
        await address.blur()
        await expect(page.locator("#panel [role=alert]")).to_contain_text("The e-mail address is not one.")
        await address.fill("thrift@example.com")
        await address.press("Enter")
        await expect(other.page.get_by_label("E-mail address of @thrift")).to_have_value("thrift@example.com")

        name = page.get_by_label("Name of @maya.k")
        await name.press_sequentially("La ")
        theirs = other.page.get_by_label("Name of @maya.k")
        await theirs.fill("Maya K.")
        await theirs.blur()
        await expect(other.page.locator("#say")).to_contain_text("Name of @maya.k saved")
        await name.blur()
        await expect(page.locator("#panel [role=alert]")).to_contain_text("Somebody changed @maya.k meanwhile.")
        await expect(name).to_have_value("Maya K.")

    rows = {row["platformUserId"]: row for row in await workspace.invoices(show_id)}
    await sandbox.pay(rows["u1"]["externalId"])
    maya = page.locator(".buyers tbody tr", has_text="@maya.k")
    await expect(maya.locator(".c-amount")).to_contain_text("Paid")
    await page.locator(".buyers tbody tr", has_text="@thrift").get_by_role("button", name="Copy link").click()
    assert await dashboard.copied("/p/") == dashboard.url + rows["u2"]["payPath"]
    await expect(page.locator("#trend svg")).to_be_visible()
    await page.get_by_text("As a table").click()
    await expect(page.locator("#trend tbody tr")).to_have_count(1)
    await expect(page.locator("#trend tbody td").nth(1)).to_have_text("£125.50")


async def test_a_show_is_started_paused_and_ended(dashboard: Dashboard, workspace: Workspace, show_id: str) -> None:
    page = dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show_id}")
    await page.get_by_role("button", name="Start show").click()
    await expect(page.locator("#show-head .badge")).to_have_text("Live")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#show-head .badge")).to_have_text("Paused")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.locator("#show-head .badge")).to_have_text("Live")
    await page.get_by_role("button", name="End show…").click()
    await expect(page.get_by_role("button", name="Keep it going")).to_be_focused()
    await page.locator("#end-show").get_by_role("button", name="End show").click()
    await expect(page.locator("#show-head .badge")).to_have_text("Ended")
    from_to = page.locator("#show-head time[data-moment]")
    await expect(from_to).to_have_text(re.compile(r"\d:\d\d"))
    assert await from_to.get_attribute("data-moment"), "until when"
    await expect(page.get_by_role("button", name="End show…")).to_have_count(0)
