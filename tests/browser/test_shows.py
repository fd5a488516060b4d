"""The list of shows, found by name and state; and a show's name and start, edited by two."""

from playwright.async_api import expect

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.e2e.workspace import Workspace


async def test_shows_are_found_by_name_and_state(dashboard: Dashboard, workspace: Workspace) -> None:
    page, names = dashboard.page, dashboard.page.locator(".shows tbody .row-link")
    pills = page.locator(".pills a")
    made = ""
    for name, step in (("Friday live", "start"), ("Friday over", "end"), ("Sunday", "")):
        made = str((await workspace.rest.call("POST", "/api/shows", {"name": name, "currency": "GBP"}))["id"])
        if step:
            await workspace.rest.call("POST", f"/api/shows/{made}/{step}")
    claims = b"claim_id,platform,platform_user_id,item_number,status\nc,TikTok,u1,1,winner\n"
    for table, content in (("items", b"item_number,title,price\n1,Scarf,100\n"), ("claims", claims)):
        assert (await workspace.import_file(made, table, content))["rejected"] == []
    await dashboard.sign_in(workspace, "/shows")
    await expect(names).to_have_text(["Sunday", "Friday over", "Friday live"])
    await expect(page.locator(".shows tbody .logo")).to_have_text(["TikTok", "", ""])
    await expect(pills).to_have_text(["All 3", "Live 1", "Not started 1", "Ended 1"])
    await page.get_by_label("Search shows").press_sequentially("FRI")
    await expect(names).to_have_text(["Friday over", "Friday live"])
    await expect(pills).to_have_text(["All 2", "Live 1", "Not started 0", "Ended 1"])
    await page.locator("#pill-live").click()
    await expect(names).to_have_text(["Friday live"])
    await page.get_by_label("Search shows").fill("sun")
    await expect(page.get_by_role("heading", name="No shows match “sun”")).to_be_visible()
    await page.get_by_role("link", name="Clear search").click()
    await expect(names).to_have_text(["Friday live"])
    await page.go_back()
    await expect(page.get_by_role("heading", name="No shows match “sun”")).to_be_visible()

    # however often somebody paused while typing, Back is one step
    await dashboard.open("/shows")
    for typed, found in (("Fri", 2), ("Fridayl", 0), ("Sunday", 1)):
        await page.get_by_label("Search shows").fill(typed)
        await expect(names).to_have_count(found)
        await expect(page).to_have_url(f"{dashboard.url}/shows?q={typed}")
    await page.go_back()
    await expect(page).to_have_url(f"{dashboard.url}/shows")
    await expect(names).to_have_count(3)


async def test_of_two_who_edit_a_show_the_second_is_told(open_dashboard: OpenDashboard, workspace: Workspace) -> None:
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday", "currency": "GBP"})
    path = f"/shows/{made['id']}"
    async with open_dashboard() as first, open_dashboard() as second:
        second.refusals.add(412)
        for one in (first, second):
            await one.sign_in(workspace, path)
            await one.page.get_by_role("link", name="Edit show").click()
            await one.ready(one.page.get_by_label("Starts"))
        await first.page.get_by_label("Name").fill("Friday night")
        await first.page.get_by_label("Starts").fill("2026-12-04T19:30")
        await first.page.get_by_role("button", name="Save show").click()
        await expect(first.page.get_by_role("heading", name="Friday night")).to_be_visible()
        await expect(first.page.locator("#show-head time")).to_have_text("4 Dec 2026, 19:30")

        name = second.page.get_by_label("Name")
        await name.fill("Friday sale")
        await second.page.get_by_role("button", name="Save show").click()
        await expect(second.page.locator("#theirs")).to_contain_text("It is now “Friday night”")
        await expect(name).to_have_value("Friday sale")
        assert (await workspace.rest.call("GET", f"/api{path}"))["name"] == "Friday night"
        await second.page.get_by_role("button", name="Save show").click()
        await expect(second.page.get_by_role("heading", name="Friday sale")).to_be_visible()
        await second.open(f"{path}/edit")
        await expect(second.page.get_by_label("Starts")).to_have_value("2026-12-04T19:30")

        await second.page.get_by_label("Starts").fill("")
        await second.page.get_by_role("button", name="Save show").click()
        await second.page.get_by_role("link", name="Edit show").click()
        await expect(second.page.get_by_label("Starts")).to_have_value("")
        assert (await workspace.rest.call("GET", f"/api{path}"))["startTime"] is None

        # a start that nobody touched stays what it is, to the second
        to_the_second = "2026-12-05T10:00:30Z"
        await workspace.rest.call("PATCH", f"/api{path}", {"startTime": to_the_second})
        await second.open(f"{path}/edit")
        await expect(second.page.get_by_label("Starts")).not_to_have_value("")
        await second.page.get_by_label("Name").fill("Saturday")
        await second.page.get_by_role("button", name="Save show").click()
        await expect(second.page.get_by_role("heading", name="Saturday")).to_be_visible()
        assert (await workspace.rest.call("GET", f"/api{path}"))["startTime"] == to_the_second
