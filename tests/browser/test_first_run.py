"""From an empty workspace to a first paid invoice, led by the page; files looked at before they are taken."""

import asyncio
from pathlib import Path

from playwright.async_api import Route, expect

from tests.browser.dashboard import Dashboard
from tests.e2e.workspace import Workspace
from tests.waiting import eventually


async def test_an_empty_workspace_is_led_to_its_first_paid_invoice(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await dashboard.sign_in_by_hand(workspace, "/shows")
    current = page.locator("[aria-current=step]")
    await expect(current).to_have_attribute("data-step", "show")
    await page.get_by_role("button", name="Load the example show").click()
    await page.wait_for_url(lambda url: "/shows/0" in url)
    await expect(page.get_by_role("heading", name="Connect Stripe to invoice these 76 buyers")).to_be_visible()

    await dashboard.open("/shows")
    await expect(current).to_have_attribute("data-step", "connect")
    await expect(page.locator(".shows tbody tr")).to_have_count(1)
    await expect(page.locator(".shows tbody .c-amount")).to_have_text("£30,595.45")
    await current.get_by_role("link", name="Connect Stripe").click()
    await dashboard.connect(workspace.account)

    await dashboard.open("/shows")
    await current.get_by_role("link", name="Look at the plan").click()
    await dashboard.live()
    await page.get_by_role("button", name="Generate 76 invoices").click()
    # Whether the page was there before the last one was made, or came after it.
    await expect(page.locator("#inv-body .badge").filter(has_text="Draft")).to_have_count(50, timeout=60_000)

    await dashboard.open("/shows")
    await expect(current).to_have_attribute("data-step", "pay")
    await current.get_by_role("link", name="Go to the invoices").click()
    await dashboard.live()
    await page.locator("#more").click()  # what is sent stands behind the drafts, once the list is read anew
    await expect(page.locator("#inv-body tr")).to_have_count(76)
    row = page.locator("#inv-body tr").filter(has=page.locator("[data-key=s]")).first
    row_id = await row.get_attribute("id")
    await row.locator("[data-key=s]").click()
    row = page.locator(f"#{row_id}")
    message = await dashboard.copied("/p/")
    await row.locator("[data-key=c]").click()
    link = await dashboard.copied("/p/", message)
    buyer = await dashboard.context.new_page()
    await buyer.goto(link)
    await buyer.get_by_role("link", name="Pay £").click()
    await buyer.get_by_role("button", name="Pay", exact=False).first.click()
    await expect(row.locator(".badge")).to_have_text("Paid", timeout=30_000)
    await expect(page.locator("#trend svg")).to_be_visible(timeout=30_000)

    await dashboard.open("/shows")
    await expect(page.locator(".begin")).to_have_count(0)
    await expect(page.locator(".shows tbody svg.bar")).to_be_visible()


async def test_the_example_loaded_again_is_the_same_show(dashboard: Dashboard, workspace: Workspace) -> None:
    await dashboard.sign_in(workspace, "/shows")
    for _ in range(2):
        answer = await dashboard.page.request.post(dashboard.url + "/shows/example", headers={"Origin": dashboard.url})
        assert answer.ok
    shows = (await workspace.rest.call("GET", "/api/shows"))["items"]
    assert [(show["itemCount"], show["claimCount"], show["buyerCount"]) for show in shows] == [(1149, 2581, 76)]


async def test_files_are_looked_at_before_anything_is_taken(
    dashboard: Dashboard, workspace: Workspace, tmp_path: Path
) -> None:
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday", "currency": "EUR"})
    page, file = dashboard.page, tmp_path / "items.csv"
    file.write_bytes("Nr;Name;Price\n1;Hüte;12,50\n2;Mütze;1,5,0\n3;Ring;\n".encode("cp1252"))
    await dashboard.sign_in(workspace, f"/shows/{made['id']}/import")
    await expect(page.get_by_role("button", name="Import")).to_have_count(0)
    await page.locator("#items").set_input_files(file)
    preview = page.locator("#preview")
    await expect(preview).to_contain_text("Windows-1252, columns set apart by semicolon")
    await expect(preview).to_contain_text("The price '12,50' is not in minor units.")
    await page.get_by_label("Prices as people write them").check()
    await expect(preview.locator("tbody tr")).to_have_count(2)
    await expect(preview.locator("tbody tr").first).to_contain_text("€12.50")
    await expect(preview.locator("li")).to_have_count(1)
    await expect(preview.locator("li")).to_contain_text("Line 3.")
    await page.get_by_label("All or nothing").check()
    await expect(preview).to_contain_text("You chose all or nothing")
    await expect(page.get_by_role("button", name="Import")).to_have_count(0)
    assert (await workspace.rest.call("GET", f"/api/shows/{made['id']}/items"))["items"] == []

    await page.get_by_label("All or nothing").uncheck()
    await page.get_by_role("button", name="Import 2 lines").click()
    await expect(page.locator("#r-items")).to_be_visible()
    await expect(page.get_by_text("2 new, 0 changed, 0 as before, 1 not taken.")).to_be_visible()
    await expect(page.locator(".warnlist li")).to_contain_text("Line 3.")
    items = (await workspace.rest.call("GET", f"/api/shows/{made['id']}/items"))["items"]
    assert [(item["title"], item["price"]) for item in items] == [("Hüte", 1250), ("Ring", None)]

    buyers = tmp_path / "buyers.csv"
    buyers.write_text("platform,user id,name,e-mail\nfacebook,u1,Ann Ä.,ann@example.com\n", encoding="utf-8")
    await page.locator("#buyers").set_input_files(buyers)
    await expect(preview.locator("tbody tr")).to_contain_text("ann@example.com")
    await page.get_by_role("button", name="Import 1 line").click()
    await page.wait_for_url(f"**/shows/{made['id']}")


async def test_a_file_chosen_before_the_scripts_came_is_looked_at_too(
    dashboard: Dashboard, workspace: Workspace, tmp_path: Path
) -> None:
    """Each script may come late, also when the one before it has begun already."""
    page, file = dashboard.page, tmp_path / "items.csv"
    file.write_text("item_number,title,price\n1,Hat,1250\n", encoding="utf-8")
    await dashboard.sign_in(workspace, "/shows")
    wanted = {name: asyncio.Event() for name in ("htmx.min", "app")}

    async def late(route: Route) -> None:
        await next(event for name, event in wanted.items() if f"/{name}.js" in route.request.url).wait()
        await route.continue_()

    await page.route("**/static/*.js*", late)
    await page.add_init_script("addEventListener('htmx:after:process', () => { window.begun = true; })")
    await page.goto(dashboard.url + "/shows/new", wait_until="commit")
    await page.locator("#items").set_input_files(file)
    wanted["htmx.min"].set()
    await eventually(lambda: page.evaluate("window.begun"))
    wanted["app"].set()
    await expect(page.locator("#preview tbody tr")).to_contain_text("Hat")


async def test_a_new_show_previews_its_files(dashboard: Dashboard, workspace: Workspace, tmp_path: Path) -> None:
    page, file = dashboard.page, tmp_path / "items.csv"
    file.write_text("item_number,title,price\n1,Hat,1250\n", encoding="utf-8")
    await dashboard.sign_in(workspace, "/shows/new")
    await page.get_by_label("Name").fill("Sunday")
    await page.get_by_label("Currency").select_option("JPY")
    await page.locator("#items").set_input_files(file)
    await expect(page.locator("#preview tbody tr")).to_contain_text("¥1,250")
    await page.get_by_role("button", name="Make show").click()
    await page.wait_for_url(lambda url: "/shows/0" in url)
    await expect(page.locator("#tab-items .count")).to_have_text("1")
