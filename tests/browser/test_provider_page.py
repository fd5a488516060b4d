"""The page of a provider: what its keys may do, its settings with two editors, new keys; and of one without keys."""

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.e2e.fixtures import MakeWorkspace
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace

STRIPE = "/integrations/stripe"
NO_INVOICES = ["rak_balance_read", "rak_customer_write", "rak_event_read"]


async def _healthy(page: Page) -> None:
    await page.locator("#health", has_text="Healthy").wait_for()


async def test_the_page_shows_what_the_key_may_do(dashboard: Dashboard, workspace: Workspace) -> None:
    await workspace.connect()
    page = dashboard.page
    await dashboard.sign_in(workspace, STRIPE)
    await _healthy(page)
    invoices = page.locator(".doctor li", has_text="Invoices")
    await expect(invoices).to_contain_text("Write")
    await expect(invoices.locator(".doctor-word")).to_have_text("OK")
    await expect(page.locator("#endpoint")).to_contain_text("Delivers")
    account = workspace.account
    await expect(page.locator("#account")).to_have_text(re.compile(rf"^\S.+ {account.id}$"))
    for hint in ("sk_test_••••" + account.sk_test[-4:], "pk_test_••••" + account.pk_test[-4:]):
        await expect(page.get_by_text(hint, exact=True)).to_be_visible()
    await expect(page.locator(".kv > div", has_text="Last 24 hours")).to_contain_text(re.compile(r"\d+ received"))
    assert account.sk_test not in await page.content()
    await page.get_by_role("button", name="Disconnect…").click()
    await expect(page.get_by_role("dialog")).to_contain_text("No invoice is unpaid just now.")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Test connection").click()
    await expect(page.locator(".toast")).to_contain_text("Stripe answered in")


async def test_a_key_without_a_permission_names_what_to_tick(
    dashboard: Dashboard, workspace: Workspace, sandbox: Sandbox
) -> None:
    page = dashboard.page
    dashboard.refusals.add(422)
    made = await sandbox.rest.call(
        "POST", f"/_sandbox/accounts/{workspace.account.id}/restricted_keys", {"permissions": NO_INVOICES}
    )
    await dashboard.sign_in(workspace, STRIPE)
    await expect(page.locator(".doctor li[data-s=unknown]", has_text="Balance")).to_be_visible()
    await page.get_by_label("Secret key", exact=True).fill(made["key"])
    await page.get_by_label("Publishable key").fill(workspace.account.pk_test)
    # before anything is pressed, and nothing is kept by it
    await expect(page.locator("#doctor [role=status]")).to_contain_text("set Invoices to Write")
    await expect(page.locator(".doctor li[data-s=missing]", has_text="Invoices")).to_be_visible()
    await expect(page.locator(".doctor li[data-s=granted]", has_text="Customers")).to_be_visible()
    await page.get_by_role("button", name="Connect Stripe").click()
    missing = page.locator(".doctor li[data-s=missing]")
    await expect(missing).to_contain_text("Invoices cannot be created, sent or voided without it.")
    await expect(page.locator(".doctor li[data-s=granted]", has_text="Customers")).to_contain_text("OK")
    assert await dashboard.axe() == []
    await page.get_by_label("Secret key", exact=True).fill(workspace.account.sk_test)
    await page.get_by_role("button", name="Connect Stripe").click()
    await _healthy(page)


async def test_settings_are_previewed_and_saved(dashboard: Dashboard, workspace: Workspace) -> None:
    await workspace.connect()
    page = dashboard.page
    dashboard.refusals.add(400)
    await dashboard.sign_in(workspace, STRIPE)
    memo, shown = page.get_by_label("Memo on every invoice"), page.locator("#memo_template-p")
    await memo.fill("Thanks ")
    await page.get_by_role("group", name="Variables of the memo").get_by_role("button", name="{buyer}").click()
    await expect(shown).to_contain_text("Thanks Maya K")
    await expect(shown.locator(".count")).to_have_text("14 / 1,500")
    sample = page.get_by_role("region", name="What the buyer sees")
    await expect(sample.locator(".paper-text").first).to_have_text("Thanks Maya K")
    await expect(sample.locator(".sample-said")).to_contain_text("thank you for joining Friday live!")
    await expect(sample.locator(".paper-sum")).to_have_text("£123.45")
    await page.keyboard.type(", see {nonsense}")
    await expect(shown).to_contain_text("There is no variable {nonsense} (at character 21).")
    await page.get_by_role("button", name="Save settings").click()
    await expect(page.locator("#memo_template-m")).to_contain_text("There is no variable {nonsense}")
    await expect(memo).to_have_value("Thanks {buyer}, see {nonsense}")
    await memo.fill("Thanks {buyer} " + "for everything. " * 90)
    await expect(shown).to_contain_text("With the longest names the text is")
    await memo.fill("Thanks {buyer}")
    await page.get_by_label("Payment due").fill("x")
    await page.get_by_role("button", name="Save settings").click()
    await expect(page.locator("#days_until_due-m")).to_contain_text("due in 1 to 365 days")
    await page.get_by_label("Payment due").fill("12")
    await page.get_by_label("Default currency").select_option("SEK")
    await expect(sample.locator(".paper-sum")).to_have_text(re.compile(r"SEK\s?123\.45"))
    due = await page.evaluate(
        "new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeZone: 'UTC'}).format(Date.now() + 12 * 864e5)"
    )
    await expect(sample).to_contain_text(f"Due {due}")
    await page.get_by_label("Send each link as soon as").check()
    await page.get_by_role("button", name="Save settings").click()
    await page.locator(".toast", has_text="Settings saved").wait_for()
    await page.reload()
    await expect(memo).to_have_value("Thanks {buyer}")
    await expect(page.get_by_label("Payment due")).to_have_value("12")
    await expect(page.get_by_label("Default currency")).to_have_value("SEK")
    await expect(page.get_by_label("Send each link as soon as")).to_be_checked()

    # the plan says what is done by itself, and shows the memo as a buyer gets it
    show = await workspace.make_show(buyers=2)
    await dashboard.open(f"/shows/{show}")
    press = page.locator("#plan button[type=submit]")
    await expect(press).to_have_text("Generate and send 2 invoices")
    await expect(page.locator("#plan .ticket")).to_have_text("Thanks @u0")
    await page.get_by_label("Invoice @u1").uncheck()
    await expect(press).to_have_text("Generate and send 1 invoice")


async def test_of_two_editors_none_overwrites_the_other_unasked(
    open_dashboard: OpenDashboard, workspace: Workspace
) -> None:
    await workspace.connect()
    async with open_dashboard() as first, open_dashboard() as second:
        second.refusals.add(412)
        for one in (first, second):
            await one.sign_in(workspace, STRIPE)
        await first.page.get_by_label("Memo on every invoice").fill("The first was quicker")
        await first.page.get_by_role("button", name="Save settings").click()
        await first.page.locator(".toast", has_text="Settings saved").wait_for()
        memo = second.page.get_by_label("Memo on every invoice")
        await memo.fill("The second thinks otherwise")
        await second.page.get_by_role("button", name="Save settings").click()
        told = second.page.locator("#settings-form .call-warn")
        await expect(told).to_contain_text("Memo on every invoice: The first was quicker")
        await expect(memo).to_have_value("The second thinks otherwise")
        assert await second.axe() == []
        await second.page.get_by_role("button", name="Save settings").click()
        await second.page.locator(".toast", has_text="Settings saved").wait_for()
    settings = await workspace.rest.call("GET", "/api/integrations/stripe/settings")
    assert settings["memoTemplate"] == "The second thinks otherwise"


async def test_keys_are_replaced_in_place(
    dashboard: Dashboard, workspace: Workspace, make_workspace: MakeWorkspace
) -> None:
    await workspace.connect()
    page, stranger = dashboard.page, (await make_workspace()).account
    dashboard.refusals.add(422)
    await dashboard.sign_in(workspace, STRIPE)
    await page.get_by_role("button", name="Replace keys").click()
    dialog = page.get_by_role("dialog")
    for account, outcome in ((stranger, "another account or mode"), (workspace.account, "")):
        await dialog.get_by_label("Secret key", exact=True).fill(account.sk_test)
        await dialog.get_by_label("Publishable key").fill(account.pk_test)
        await dialog.get_by_role("button", name="Check and replace").click()
        if outcome:
            await expect(dialog.locator(".call-error")).to_contain_text(outcome)
            await expect(dialog.get_by_label("Secret key", exact=True)).to_have_value("")
    await expect(dialog).to_be_hidden()
    await _healthy(page)


async def test_a_provider_without_keys_connects_and_takes_instructions(
    dashboard: Dashboard, workspace: Workspace
) -> None:
    page, tile = dashboard.page, dashboard.page.locator("[data-provider=manual]")
    await dashboard.sign_in(workspace, "/integrations")
    await expect(tile).to_contain_text("No keys needed")
    await tile.get_by_role("link", name="Connect Manual").click()
    await page.get_by_role("button", name="Connect Manual").click()
    await dashboard.ready(page.get_by_label("How buyers pay"))
    await page.get_by_label("How buyers pay").fill("Transfer to GB00 TEST, name your invoice.")
    assert await page.get_by_label("Memo on every invoice").count() == 0
    await expect(page.get_by_role("region", name="What the buyer sees")).to_contain_text("Transfer to GB00 TEST")
    await page.get_by_role("button", name="Save settings").click()
    await page.locator(".toast", has_text="Settings saved").wait_for()
    await page.reload()
    await expect(page.get_by_label("How buyers pay")).to_have_value("Transfer to GB00 TEST, name your invoice.")
    await dashboard.open("/integrations")
    await expect(tile.locator(".badge")).to_have_text("Connected")
    await tile.get_by_role("link", name="Manage Manual").click()
    await page.get_by_role("button", name="Disconnect…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disconnect", exact=True).click()
    await page.wait_for_url("**/integrations")
    await expect(tile.get_by_role("link", name="Connect Manual")).to_be_visible()
