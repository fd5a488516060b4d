"""Connecting Stripe in the browser: bad keys, good keys, disconnecting."""

import re

from playwright.async_api import Request, expect

from tests.browser.dashboard import Dashboard
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace
from tests.waiting import eventually


async def test_keys_of_a_wrong_shape_are_told_without_a_request(dashboard: Dashboard, workspace: Workspace) -> None:
    page, sent = dashboard.page, list[Request]()
    await dashboard.sign_in(workspace, "/integrations/stripe")
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    secret, publishable = page.get_by_label("Secret key", exact=True), page.get_by_label("Publishable key")
    button = page.get_by_role("button", name="Connect Stripe")

    await button.click()
    await expect(page.locator("#secret_key-m")).to_have_text("Paste the key from Stripe.")
    await secret.fill(workspace.account.pk_test)
    await expect(page.locator("#secret_key-m")).to_contain_text("That is a publishable key.")
    await secret.fill(workspace.account.sk_test)
    await expect(page.locator("#secret_key-m")).to_contain_text("Full-access key.")
    await publishable.fill(workspace.account.pk_live)
    mixed = "This is a live key but the secret key is a test key."
    await expect(page.locator("#publishable_key-m")).to_contain_text(mixed)
    await button.click()
    await expect(publishable).to_have_attribute("aria-invalid", "true")

    # a secret key that lands in the field that everybody can read is not to be read there
    await publishable.fill(f" {workspace.account.sk_test}")
    await expect(page.locator("#publishable_key-m")).to_contain_text("That is a secret key.")
    await expect(publishable).to_have_attribute("type", "password")
    await publishable.fill(workspace.account.pk_test)
    await expect(publishable).to_have_attribute("type", "text")
    assert sent == []


async def test_a_key_that_stripe_refuses_is_told_and_not_kept(
    dashboard: Dashboard, workspace: Workspace, sandbox: Sandbox
) -> None:
    page = dashboard.page
    dashboard.refusals.add(422)
    await dashboard.sign_in(workspace, "/integrations/stripe")
    wrong = workspace.account.sk_test[:-4] + "WXYZ"
    await page.get_by_label("Secret key", exact=True).fill(wrong)
    await page.get_by_label("Publishable key").fill(workspace.account.pk_test)
    await page.get_by_role("button", name="Connect Stripe").click()
    await expect(page.locator("#connect-form .call-error, #secret_key-m.msg-error span").first).to_be_visible()
    await expect(page.get_by_label("Secret key", exact=True)).to_have_value("")
    await expect(page.get_by_label("Publishable key")).to_have_value(workspace.account.pk_test)
    assert wrong not in await page.content()

    rule = {"operation": "*", "effect": "error", "status": 500, "times": None}
    away = await sandbox.add_fault({**rule, "account": workspace.account.id})
    await page.get_by_label("Secret key", exact=True).fill(workspace.account.sk_test)
    await page.get_by_role("button", name="Connect Stripe").click()
    gone = "We couldn’t reach Stripe. Nothing was saved."
    await expect(page.locator("#connect-form .call-error")).to_contain_text(gone, timeout=60_000)
    await expect(page.get_by_role("button", name="Connect Stripe")).to_be_focused()
    await sandbox.remove_fault(away)
    await page.get_by_label("Secret key", exact=True).fill(workspace.account.sk_test)
    await page.get_by_role("button", name="Connect Stripe").click()
    await page.get_by_role("button", name="Test connection").wait_for()
    assert workspace.account.sk_test not in await page.content()


async def test_the_tile_follows_the_connection(dashboard: Dashboard, workspace: Workspace, sandbox: Sandbox) -> None:
    page = dashboard.page
    tile = page.locator("[data-provider=stripe]")
    await dashboard.sign_in(workspace, "/integrations")
    for place in ("Main", "Main, bottom"):
        links = page.get_by_label(place, exact=True).get_by_role("link", include_hidden=True)
        assert await links.all_text_contents() == ["Shows", "Connections", "Integrations", "Settings"]
    await expect(page.locator(".nav [aria-current=page]")).to_have_text("Integrations")
    await expect(page.locator("h2.group")).to_have_text(["Payments", "Store", "Accounting"])
    await expect(page.get_by_role("list", name="Store").locator("h3")).to_have_text(["Shopify", "MedusaJS"])
    await expect(tile.get_by_role("link", name="Connect Stripe")).to_be_visible()
    await dashboard.connect(workspace.account)
    await dashboard.open("/integrations")
    await expect(tile.locator(".badge")).to_have_text("Connected")
    await expect(tile).not_to_contain_text("acct_")  # its name is known

    # Stripe takes the key no more: the tile says so, and what would ask Stripe is not offered
    show = await workspace.make_show(buyers=1)
    await workspace.generate(show)
    await sandbox.revoke(workspace.account.sk_test)
    await workspace.rest.call("GET", "/api/integrations/stripe/test")
    await page.reload()
    await expect(tile.locator(".badge")).to_have_text("Needs attention")
    await expect(tile.locator(".tile-note")).to_have_text("The provider stopped accepting this key.")
    await dashboard.open(f"/shows/{show}")
    button = page.get_by_role("button", name="More actions for @u0")
    standing = await button.bounding_box()
    assert standing is not None
    await page.set_viewport_size({"width": 1280, "height": int(standing["y"]) + 60})
    await button.click()
    menu = page.locator("[popover]:popover-open")
    await expect(menu.get_by_text("Copy link")).to_be_visible()
    # one that opened upwards is at the foot of the window all the same, once that is narrow
    await page.set_viewport_size({"width": 390, "height": 800})
    await eventually(lambda: menu.evaluate("menu => menu.getBoundingClientRect().bottom === innerHeight"))
    await page.set_viewport_size({"width": 1280, "height": 900})
    await expect(menu.get_by_text("Void invoice…")).to_be_hidden()
    await expect(page.get_by_role("link", name="Send all links")).to_have_count(0)
    await page.get_by_role("link", name="Fix").click()

    await expect(page.locator(".call-error")).to_contain_text(
        re.compile(r"Stripe stopped accepting this key on .*\d:\d\d.*New invoices can’t be created\.", re.DOTALL)
    )
    await expect(page.locator("#endpoint")).to_have_text("Not known while the key does not work")
    await page.get_by_role("button", name="Disconnect…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Keep connected")).to_be_focused()
    await expect(dialog).to_contain_text(
        "1 unpaid invoice stays open. Buyers can still pay, but its status stops updating here."
    )
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await page.get_by_role("button", name="Disconnect…").click()
    await dialog.get_by_role("button", name="Disconnect").click()
    # of a key that is dead already the webhook stays, and is named
    await expect(page.get_by_role("heading", name="Stripe is disconnected")).to_be_visible()
    await page.get_by_role("link", name="Back to integrations").click()
    await expect(tile.get_by_role("link", name="Connect Stripe")).to_be_visible()
    await expect(page.locator(".tile[data-s=soon]").first).to_contain_text("Coming soon")
    assert await page.locator(".tile[data-s=soon] :is(a, button)").count() == 0
