"""The main job in the browser: sign in, connect, generate, and watch a payment arrive."""

from playwright.async_api import expect

from tests.browser.dashboard import Dashboard
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import EXAMPLES, Workspace

SHOW = "retail-2010-12-01"


async def test_from_sign_in_to_a_row_that_turns_paid(
    dashboard: Dashboard, workspace: Workspace, sandbox: Sandbox
) -> None:
    page = dashboard.page
    await dashboard.sign_in_by_hand(workspace)
    await dashboard.connect(workspace.account)

    await dashboard.open("/shows/new")
    await page.get_by_label("Name").fill("Friday night")
    await page.get_by_label("Currency").select_option("GBP")
    for what in ("items", "claims"):
        await page.locator(f"#{what}").set_input_files(EXAMPLES / SHOW / f"{what}.csv")
    await page.get_by_role("button", name="Make show").click()
    await page.get_by_role("heading", name="Ready to invoice").wait_for()
    await dashboard.live()
    # a run of this size may end before its page is drawn, so that nobody would see it at work
    held = await sandbox.hold("invoices.create", "before", workspace.account.id)
    await page.get_by_role("button", name="Generate 110 invoices").click()

    await page.locator("#gen progress").wait_for()
    await sandbox.release(held)
    await page.locator("#gen").wait_for(state="detached", timeout=60_000)
    # told by the event, or by the page where it was read after the end; a toast may be gone by now, its words are not
    told = page.get_by_role("status").filter(has_text="110 invoices created").first
    await expect(told).to_be_attached()
    await expect(told).not_to_contain_text("Not made")
    # by name, a row stays on its page whatever becomes of it: the list may be read once more after the run
    await page.get_by_role("link", name="Buyer", exact=True).click()
    await expect(page.locator("th[aria-sort=ascending]")).to_have_text("Buyer")
    rows = page.locator("#inv-body tr")
    await expect(rows).to_have_count(50)
    row = rows.filter(has=page.locator("[data-key=s]")).first
    row_id = await row.get_attribute("id")
    row = page.locator(f"#{row_id}")
    await expect(row.locator(".badge")).to_have_text("Draft")

    await row.locator("[data-key=s]").click()
    await expect(row.locator(".badge")).to_have_text("Sent")
    message = await dashboard.copied("/p/")
    await row.locator("[data-key=c]").click()
    link = await dashboard.copied("/p/", message)
    assert link.startswith(dashboard.url + "/p/")
    assert link in message

    await page.evaluate("document.body.dataset.reloaded = 'no'")
    buyer = await dashboard.context.new_page()
    await buyer.goto(link)
    await buyer.get_by_role("link", name="Pay £").click()
    await buyer.get_by_role("button", name="Pay", exact=False).first.click()
    await expect(row.locator(".badge")).to_have_text("Paid", timeout=30_000)
    await expect(page.get_by_role("status").filter(has_text="paid £").first).to_be_attached()
    await expect(page.locator("#pills a", has_text="Paid").locator(".count")).to_have_text("1")
    assert await page.evaluate("document.body.dataset.reloaded") == "no"
