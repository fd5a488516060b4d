"""The invoice panel at work: the plan, progress and its end, verbs on one invoice, links to all, finding, sorting."""

import asyncio
import csv
import io
import re
from typing import Any

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

HEAD = "claim_id,platform,platform_user_id,user_handle,item_number,quantity,status,email\n"


async def _claim(workspace: Workspace, show: str, *lines: str) -> None:
    report = await workspace.import_file(show, "claims", (HEAD + "\n".join(lines)).encode())
    assert report["rejected"] == []


async def _price(workspace: Workspace, show: str, item: str, price: str) -> None:
    lines = f"item_number,title,price\n{item},Item {item},{price}\n"
    assert (await workspace.import_file(show, "items", lines.encode()))["rejected"] == []


def _row(page: Page, handle: str) -> Locator:
    return page.locator("#inv-body tr", has=page.get_by_text(handle, exact=True))


async def _menu(page: Page, handle: str, entry: str) -> None:
    await page.get_by_role("button", name=f"More actions for {handle}").click()
    await page.locator("[popover]:popover-open").get_by_text(entry, exact=True).click()


async def _of(workspace: Workspace, show: str, buyer: str) -> dict[str, Any]:
    rows = await workspace.invoices(show)
    return next(row for row in reversed(rows) if row["platformUserId"] == buyer)


async def test_late_claims_are_planned_looked_at_and_applied(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=3)
    await workspace.generate(show)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    await expect(page.locator("#undone")).to_have_count(0)

    # u0 wins one more, u7 is new: the page says so by itself, and leads to the plan
    await _claim(workspace, show, "late-0,facebook,u0,@u0,1,1,winner,", "late-7,facebook,u7,@u7,2,1,winner,")
    await expect(page.locator("#undone")).to_contain_text("1 invoice is not right any more")
    await expect(page.locator("#undone")).to_contain_text("£10.01 more")
    await page.get_by_role("link", name="Review changes").click()
    change = page.locator("tr[data-change=reissue], tr[data-change=edit_draft]")
    await dashboard.ready(change)
    await expect(change).to_contain_text("@u0")
    await expect(change).to_contain_text("+£10.01")
    press = page.locator("#plan button[type=submit]")
    await expect(press).to_have_text("Generate 1 invoice, apply 1 change")
    await page.get_by_label("Apply 1 change").uncheck()
    await expect(press).to_have_text("Generate 1 invoice")
    await page.get_by_label("Apply 1 change").check()
    await expect(press).to_have_text("Generate 1 invoice, apply 1 change")
    await expect(page.get_by_label("Apply 1 change")).to_be_focused()
    await page.get_by_label("Apply the change of @u0").uncheck()
    await expect(press).to_have_text("Generate 1 invoice")
    await expect(page.locator("[data-sum=changes]")).to_have_text("0")
    await page.get_by_label("Apply all changes that are shown").check()
    await page.get_by_label("Invoice @u7").uncheck()
    await expect(press).to_have_text("Apply 1 change")

    # claims move while somebody looks: the page says so, and a press shows the new plan instead of doing another one
    await dashboard.live()
    await _claim(workspace, show, "late-8,facebook,u8,@u8,2,1,winner,")
    await expect(page.locator("#stale")).to_be_visible()
    await expect(press).to_have_text("Apply 1 change")
    dashboard.refusals.add(409)
    await press.click()
    await expect(page.locator("#moved")).to_contain_text("Nothing was done")
    assert len(await workspace.invoices(show)) == 3
    await expect(page.get_by_label("Invoice @u7")).not_to_be_checked()
    await _claim(workspace, show, "late-8b,facebook,u8,@u8,1,1,winner,")
    await page.get_by_role("link", name="Show the new plan").click()
    await expect(page.locator("#moved")).to_have_count(0)
    await expect(page.get_by_label("Invoice @u7")).not_to_be_checked()
    await expect(press).to_have_text("Generate 1 invoice, apply 1 change")
    await press.click()
    await expect(_row(page, "@u8").locator(".badge")).to_have_text("Draft")
    await expect(page.locator("#undone")).to_contain_text("1 buyer has no invoice yet.")
    await expect(_row(page, "@u0").locator(".c-amount", has_text="£20.01")).to_have_count(1)

    # one more claim while that is looked at: the new plan still leaves out whom the old one did
    await page.locator("#gen").wait_for(state="detached")
    await page.goto(f"{dashboard.url}/shows/{show}/plan")
    await dashboard.live()
    await page.get_by_label("Invoice @u7").uncheck()
    await _claim(workspace, show, "late-9,facebook,u9,@u9,2,1,winner,")
    await page.get_by_role("link", name="Show the new plan").click()
    await expect(press).to_have_text("Generate 1 invoice")
    await page.get_by_label("Invoice @u7").check()
    await press.click()
    await expect(_row(page, "@u9").locator(".badge")).to_have_text("Draft")
    await page.locator("#gen").wait_for(state="detached")

    # and then there is nothing left to do
    await page.goto(f"{dashboard.url}/shows/{show}/plan")
    await expect(page.get_by_role("heading", name="Every buyer already has an invoice")).to_be_visible()
    await expect(press).to_be_disabled()


async def test_only_buyers_that_are_ticked_are_invoiced(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=4)
    await workspace.import_file(show, "buyers", b"platform,platform_user_id,email\nfacebook,u2,u2@example.com\n")
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    await expect(page.locator(".rehearsal")).to_contain_text("no real money moves")
    await expect(page.locator("#trend")).to_contain_text("Largest order")
    won = page.get_by_role("link", name="1 item of @u2")
    await expect(won).to_have_attribute("href", f"/shows/{show}/claims?status=winner&q=%40u2")
    press, all_of_them = page.locator("#plan [type=submit]"), page.get_by_label("Invoice all buyers that are shown")
    await all_of_them.press("Space")
    await expect(press).to_have_text("Choose whom to invoice")
    await expect(press).to_be_disabled()
    await all_of_them.press("Space")
    await page.get_by_label("Invoice @u1").press("Space")
    await page.get_by_label("Invoice @u3").press("Space")
    assert await all_of_them.evaluate("box => box.indeterminate")
    await expect(press).to_have_text("Generate 2 invoices")
    await expect(page.locator("[data-sum=total]")).to_have_text("£20.02")
    await expect(page.locator("[data-sum=items]")).to_have_text("2")

    # those without an address alone: what is unticked stays so, and only what is seen is ticked at once
    only, rows = page.get_by_label("Show only these"), page.locator("#plan .new tbody tr:visible")
    await only.press("Space")
    await expect(page.locator("#say")).to_have_text(re.compile("3 buyers shown"))
    await expect(rows).to_have_count(3)
    await expect(page.locator("#plan .new")).not_to_contain_text("@u2", use_inner_text=True)
    await expect(press).to_have_text("Generate 2 invoices")
    await all_of_them.press("Space")
    await expect(press).to_have_text("Generate 4 invoices")
    await all_of_them.press("Space")
    await expect(press).to_have_text("Generate 1 invoice")
    await only.press("Space")
    await expect(rows).to_have_count(4)
    assert await all_of_them.evaluate("box => box.indeterminate")
    await page.get_by_label("Invoice @u0").press("Space")
    await expect(press).to_have_text("Generate 2 invoices")
    await press.click()
    await expect(_row(page, "@u2").locator(".badge")).to_have_text("Draft")
    await expect(page.locator("#undone")).to_contain_text("2 buyers have no invoice yet.")
    assert {row["platformUserId"] for row in await workspace.invoices(show)} == {"u0", "u2"}

    # what was not ticked is still so after the plan was swapped for one with the changes
    await _claim(workspace, show, "late-2,facebook,u2,@u2,3,1,winner,")
    await workspace.import_file(show, "buyers", b"platform,platform_user_id,email\nfacebook,u0,u0@example.com\n")
    await page.get_by_role("link", name="Review changes").click()
    await dashboard.ready(page.get_by_label("Invoice @u1"))
    await page.get_by_label("Invoice @u1").uncheck()
    await page.get_by_label("Apply the change of @u2").uncheck()
    await expect(press).to_have_text("Generate 1 invoice")
    sends = page.get_by_label("Send each link as soon as it is ready")
    await sends.press("Space")
    await expect(press).to_have_text("Generate and send 1 invoice")

    # and is nobody else's where another change came before it meanwhile
    await _claim(workspace, show, "late-0,facebook,u0,@u0,3,1,winner,")
    await page.get_by_label("Issue 1 invoice again").click()
    await expect(press).to_have_text("Generate and send 1 invoice, apply 1 change")
    await sends.press("Space")
    await expect(press).to_have_text("Generate 1 invoice, apply 1 change")
    await expect(page.locator("tr", has_text="@u2").get_by_role("checkbox")).not_to_be_checked()
    await expect(page.locator("tr", has_text="@u0").get_by_role("checkbox")).to_be_checked()
    await page.get_by_label("Apply 2 changes").uncheck()
    await expect(press).to_have_text("Generate 1 invoice")
    await expect(page.get_by_label("Invoice @u1")).not_to_be_checked()

    # who was left out is invoiced alone, from among the buyers
    await dashboard.open(f"/shows/{show}/buyers")
    await page.get_by_role("button", name="Generate the invoice of @u3").click()
    await expect(_row(page, "@u3").locator(".badge")).to_have_text("Draft")
    assert {row["platformUserId"] for row in await workspace.invoices(show)} == {"u0", "u2", "u3"}

    # of the digits of a currency the browser has its own mind
    dinars = await workspace.rest.call("POST", "/api/shows", {"name": "Beograd", "currency": "RSD"})
    await _price(workspace, dinars["id"], "1", "12345")
    await _claim(workspace, dinars["id"], "rsd,facebook,u0,@u0,1,1,winner,")
    await dashboard.open(f"/shows/{dinars['id']}")
    await expect(page.locator("#plan tbody .c-amount")).to_have_text(re.compile(r"RSD\s?123\.45"))
    await expect(page.locator("[data-sum=total]")).to_have_text(re.compile(r"RSD\s?123\.45"))


async def test_a_run_is_followed_by_all_and_can_be_cancelled(
    open_dashboard: OpenDashboard, workspace: Workspace, sandbox: Sandbox
) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=80)
    rule = {"operation": "invoices.create", "effect": "hold", "when": "before", "times": None}
    held = await sandbox.add_fault({**rule, "account": workspace.account.id})
    async with open_dashboard() as one, open_dashboard() as other:
        for dashboard in (one, other):
            await dashboard.sign_in(workspace, f"/shows/{show}")
            await dashboard.live()
        await one.page.get_by_role("button", name="Generate 80 invoices").click()
        # the other one sees it without having done anything, and so whoever comes later
        await expect(other.page.locator("#gen [data-gen=total]")).to_have_text("80")
        await sandbox.held(held)
        await other.page.reload()
        await other.live()
        making = "#inv-body tr[data-status=creating] .badge"
        await expect(other.page.locator(making).first).to_have_text("Creating…")
        await other.page.locator("#gen").get_by_role("button", name="Stop").click()
        await expect(other.page.locator("#toasts")).to_contain_text("The run stops")
        await expect(one.page.locator(making).first).to_have_text("Creating…")
        await sandbox.remove_fault(held)
        for dashboard in (one, other):  # both at once, for what they say goes by
            told = dashboard.page.get_by_role("status").filter(has_text="before the run was cancelled").first
            await expect(told).to_be_attached()
        for dashboard in (one, other):
            await dashboard.page.locator("#gen").wait_for(state="detached")
            await expect(dashboard.page.locator("#undone")).to_contain_text("no invoice yet")
            await expect(dashboard.page.locator("#pill-draft .count")).not_to_have_text("0")

        async def add_up() -> bool:  # a reading that began before the end may come after it, until the next one
            counts = [
                int(await one.page.locator(f"#pill-{status} .count").inner_text()) for status in ("draft", "void")
            ]
            return sum(counts) == 80 and min(counts) > 0

        await eventually(add_up, why="what was made and what was not are not all")


async def test_one_invoice_is_voided_paid_by_hand_and_told_of(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=4)
    await workspace.generate(show)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    dialog = page.get_by_role("dialog")

    await _menu(page, "@u0", "Void invoice…")
    await expect(dialog).to_contain_text("@u0 owes £10.00")
    await expect(dialog.get_by_role("link", name="Keep invoice")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    assert (await _of(workspace, show, "u0"))["status"] == "draft"
    await _menu(page, "@u0", "Void invoice…")
    await dialog.get_by_role("button", name="Void invoice").click()
    await expect(_row(page, "@u0").locator(".badge")).to_have_text("Void")
    await expect(dialog).to_be_hidden()

    await _menu(page, "@u1", "Mark as paid…")
    await dialog.get_by_label("Note").fill("Cash at the door")
    await dialog.get_by_role("button", name="Mark as paid").click()
    await expect(_row(page, "@u1").locator(".badge")).to_have_text("Paid")
    assert (await _of(workspace, show, "u1"))["status"] == "paid"

    # the timeline has the note, the operator's name and the deliveries, and follows what happens while it is open
    await _row(page, "@u2").locator("[data-key=s]").click()
    await expect(_row(page, "@u2").locator(".badge")).to_have_text("Sent")
    await _menu(page, "@u1", "Timeline")
    await expect(dialog.locator(".timeline")).to_contain_text("Cash at the door")
    await expect(dialog.locator(".timeline")).to_contain_text(workspace.email)
    await page.keyboard.press("Escape")
    await _menu(page, "@u2", "Timeline")
    await expect(dialog.locator(".timeline")).to_contain_text("Link sent by hand")
    await expect(dialog.locator(".timeline .ticket")).to_contain_text("/p/")
    invoice = await _of(workspace, show, "u2")
    await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{invoice['id']}/void", {})
    await expect(dialog.locator(".timeline li").first).to_contain_text("Void")
    await expect(dialog.locator(".badge")).to_have_text("Void")

    # a question in a window of its own leads back to the list once it is answered
    invoice = await _of(workspace, show, "u3")
    await dashboard.open(f"/shows/{show}/invoices/{invoice['id']}/void")
    await page.get_by_role("button", name="Void invoice").click()
    await page.wait_for_url(f"**/shows/{show}")
    await expect(_row(page, "@u3").locator(".badge")).to_have_text("Void")


async def test_a_draft_that_is_held_back_is_updated_and_finalized(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=2)
    await _price(workspace, show, "9", "")
    await _claim(workspace, show, "held,facebook,u0,@u0,9,1,winner,")
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await expect(page.get_by_text("1 buyer has an item with no price.")).to_be_visible()
    await dashboard.live()
    await page.get_by_role("button", name="Generate 2 invoices").click()
    row = _row(page, "@u0")
    await expect(row.locator(".note")).to_contain_text("1 item with no price")
    await page.locator("#gen").wait_for(state="detached")

    # the price is added where it is missing; what it changes is proposed there, and nothing is done by itself
    await row.get_by_role("link", name="Add price to what @u0 won").click()
    await dashboard.ready(page.get_by_label("Price of item 9 in GBP"))
    await page.get_by_label("Price of item 9 in GBP").fill("5.00")
    await page.keyboard.press("Enter")
    await expect(page.locator("#undone")).to_contain_text("1 invoice is not right any more")
    await expect(page.locator("#show-head .meta")).to_contain_text("Facebook")
    await expect(page.locator("#undone").get_by_role("link")).to_have_attribute("href", f"/shows/{show}/plan?changes=1")
    assert (await _of(workspace, show, "u0"))["total"] == 1000
    await page.locator("#tab-invoices").click()
    await expect(row.locator(".note")).to_contain_text("Every item has a price by now")
    await row.get_by_role("button", name="Update the draft of @u0").click()
    await expect(row.locator(".c-amount")).to_have_text("£15.00")
    await row.get_by_role("button", name="Finalize the invoice of @u0").click()
    await expect(row.get_by_role("button", name="Send link to @u0")).to_be_visible()
    assert (await _of(workspace, show, "u0"))["total"] == 1500


async def test_all_links_are_sent_and_the_report_says_to_whom(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=3)
    await _claim(workspace, show, "mail,facebook,u1,@u1,1,1,winner,u1@example.com")
    await workspace.generate(show)
    late = b"platform,platform_user_id,email\nfacebook,u0,late@example.com\n"
    await workspace.import_file(show, "buyers", late)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    dialog, bar = page.get_by_role("dialog"), page.get_by_role("group", name="Selected invoices")
    await page.get_by_label("Select the invoice of @u0").press("Space")
    await page.get_by_label("Select the invoice of @u1").press("Space")
    await expect(bar).to_contain_text("2 selected")
    assert await page.get_by_label("Select all invoices").evaluate("box => box.indeterminate")
    await bar.get_by_role("button", name="Send links…").click()
    await expect(dialog).to_contain_text("Send 2 payment links?")
    await expect(dialog).to_contain_text("1 is e-mailed by Stripe: £20.02")
    await expect(dialog).to_contain_text("1 cannot be e-mailed by Stripe: £10.00")
    await expect(dialog.get_by_label("Leave it for the desk")).to_be_checked()
    await dialog.get_by_role("link", name="Cancel").click()
    await bar.get_by_role("button", name="Select none").click()
    await expect(bar).to_be_hidden()
    await expect(page.get_by_label("Select all invoices")).to_be_focused()

    await page.get_by_role("link", name="Send all links").click()
    await expect(dialog).to_contain_text("Send 3 payment links?")
    await expect(dialog).to_contain_text("2 cannot be e-mailed by Stripe: £20.02")
    await dialog.get_by_role("button", name="Send links").click()
    await dashboard.ready(page.locator("#sending"))
    await expect(page.locator("#sending h2")).to_have_text("1 of 1 link sent")
    await expect(page.locator("#sending")).to_contain_text("2 left out: Stripe cannot e-mail them")
    await expect(_row(page, "@u1").locator(".badge")).to_have_text("Sent")
    await expect(_row(page, "@u1").locator(".c-status")).to_contain_text("Not opened yet")

    await page.get_by_label("Select the invoice of @u0").check()
    await bar.get_by_role("button", name="Send links…").click()
    await dialog.get_by_label("Count it as sent").check()
    before = page.url
    await dialog.get_by_role("button", name="Send link").click()
    await page.wait_for_url(lambda url: url != before)
    await expect(page.locator("#sending h2")).to_have_text("1 of 1 link sent")
    await expect(page.locator("#pill-sent .count")).to_have_text("2")
    await dashboard.live()

    await page.get_by_role("link", name="Send all links").click()
    await expect(dialog.get_by_role("link", name="Work at the desk")).to_be_focused()
    await dialog.get_by_role("button", name="Send link").click()  # nothing counts as sent that nobody decided on
    await expect(dialog.get_by_label("Count it as sent")).to_be_focused()
    await dialog.get_by_label("Count it as sent").check()
    await dialog.get_by_role("button", name="Send link").click()
    await expect(page.locator("#pill-sent .count")).to_have_text("3")
    await expect(page.get_by_role("link", name="Send all links")).to_have_count(0)
    await page.get_by_role("link", name="Close this report").click()
    await expect(page.locator("#sending")).to_have_count(0)


async def test_the_list_is_found_sorted_exported_and_comes_back_as_marks(
    dashboard: Dashboard, workspace: Workspace
) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=12)
    await workspace.generate(show)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    rows = page.locator("#inv-body tr")
    await expect(rows).to_have_count(12)
    await expect(page.locator("#show-head")).to_contain_text("12 of 12 items claimed")
    await page.get_by_role("button", name="More invoice actions").click()
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Open Stripe invoices").click()
    stripe = await opened.value
    await expect(stripe.get_by_role("table")).to_contain_text(workspace.account.id)
    await expect(stripe.locator("tbody tr")).to_have_count(12)
    await stripe.close()
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        response = await route.fetch()
        await answered.wait()
        await route.fulfill(response=response)

    await page.route("**/shows/*?q=%40u", late)
    await page.keyboard.press("Control+k")
    async with page.expect_request("**/shows/*?q=%40u"):
        await page.keyboard.type("@u")
    await page.keyboard.type("1")  # while the answer of before is on its way: it must not take this away
    answered.set()
    await expect(rows).to_have_count(3)
    await expect(page.locator("#find")).to_have_value("@u1")
    await expect(page.locator("#pills #pill-all .count")).to_have_text("3")
    await expect(page.locator("#find")).to_be_focused()
    await page.keyboard.type("nobody")
    await expect(page.get_by_role("heading", name="No invoices match “@u1nobody”")).to_be_visible()
    await page.get_by_role("link", name="Clear search").click()
    await expect(rows).to_have_count(12)

    await page.get_by_role("link", name="Amount", exact=True).click()
    await expect(page.locator("th[aria-sort=ascending]")).to_have_text("Amount")
    await expect(rows.first).to_contain_text("@u0")
    await page.get_by_role("link", name="Amount", exact=True).click()
    await expect(rows.first).to_contain_text("@u11")
    await expect(page.locator("th[aria-sort=descending]")).to_have_text("Amount")
    for name in ("@u11", "@u3"):
        await page.get_by_label(f"Select the invoice of {name}").check()
    async with page.expect_download() as chosen:
        await page.get_by_role("button", name="Export as CSV").click()
    exported = (await (await chosen.value).path()).read_text("utf-8-sig")
    assert {line["user_handle"] for line in csv.DictReader(exported.splitlines())} == {"'@u11", "'@u3"}
    await page.go_back()
    await expect(rows.first).to_contain_text("@u0")
    await dashboard.live()  # what Back brought listens too
    await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{(await _of(workspace, show, 'u3'))['id']}/void")
    await expect(_row(page, "@u3").locator(".badge")).to_have_text("Void")
    await expect(page.locator("#pill-void .count")).to_have_text("1")

    await page.get_by_role("button", name="More invoice actions").click()
    async with page.expect_download() as downloading:
        await page.get_by_text("Export CSV").click()
    content = (await (await downloading.value).path()).read_text(encoding="utf-8-sig")
    assert len(content.splitlines()) == 13

    # what was paid elsewhere is filled in, and comes back
    lines = [*csv.DictReader(content.splitlines())]
    for line in lines:
        line["paid_outside"] = {"u1": "bank transfer 12 Nov", "u2": "yes"}.get(line["platform_user_id"], "")
    file = io.StringIO()
    writer = csv.DictWriter(file, lines[0])
    writer.writeheader()
    writer.writerows(lines)
    await page.get_by_text("Import what was paid elsewhere").click()
    await page.locator("#invoices").set_input_files(
        {"name": "paid.csv", "mimeType": "text/csv", "buffer": file.getvalue().encode()}
    )
    await expect(page.locator("#marks-preview")).to_contain_text(
        "2 invoices, £20.03, would be marked as paid elsewhere"
    )
    await expect(page.locator("#say")).to_contain_text("2 invoices would be marked.")
    await page.get_by_role("button", name="Mark 2 invoices as paid").click()
    await expect(page.get_by_text("2 invoices marked as paid elsewhere").first).to_be_visible()
    await expect(_row(page, "@u1").locator(".badge")).to_have_text("Paid")
    await expect(page.locator("#pill-paid .count")).to_have_text("2")


async def test_reading_anew_keeps_focus_menu_and_place(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=60)
    await workspace.generate(show)
    await dashboard.sign_in(workspace, f"/shows/{show}?sort=handle")
    await dashboard.live()
    await page.locator("#next-page").press("Enter")
    await expect(page.locator("#inv-body tr")).to_have_count(10)
    await expect(page.locator("#panel")).to_be_focused()  # the last page has no such link: the keyboard is not lost
    await page.locator("#first-page").press("Enter")
    await page.get_by_role("link", name="Show more").click()
    await expect(page.locator("#inv-body tr")).to_have_count(60)
    await page.get_by_label("Select the invoice of @u58").check()
    button = page.get_by_role("button", name="More actions for @u59")
    await button.scroll_into_view_if_needed()
    await button.click()
    await expect(page.locator("[popover]:popover-open")).to_be_visible()
    place = await page.evaluate("scrollY")
    await page.evaluate("document.body.dataset.reloaded = 'no'")
    await _claim(workspace, show, "late,facebook,new,@new,3,1,winner,")
    await expect(page.locator("#undone")).to_contain_text("1 buyer has no invoice yet.")
    await expect(page.locator("[popover]:popover-open")).to_be_visible()
    assert await page.evaluate("document.body.dataset.reloaded") == "no"
    assert await page.locator("#inv-body tr").count() == 60
    await expect(page.get_by_label("Select the invoice of @u58")).to_be_checked()
    await expect(page.locator("#selected")).to_contain_text("1 selected")
    assert abs(await page.evaluate("scrollY") - place) < 200  # the callout above may push what was read by its height
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()


async def test_a_burst_of_payments_is_told_whole(dashboard: Dashboard, workspace: Workspace, sandbox: Sandbox) -> None:
    page, asked = dashboard.page, list[str]()
    await workspace.connect()
    show = await workspace.make_show(buyers=500)
    await workspace.generate(show, timeout=240)
    rows = await workspace.invoices(show)
    await dashboard.sign_in(workspace, f"/shows/{show}?sort=handle")
    await dashboard.live()
    page.on("request", lambda request: asked.append(request.url) if f"/shows/{show}" in request.url else None)
    gate = asyncio.Semaphore(40)

    async def pay(row: dict[str, Any]) -> None:
        async with gate:
            await sandbox.pay(row["externalId"])

    await asyncio.gather(*(pay(row) for row in rows))
    await expect(page.locator("#pill-paid .count")).to_have_text("500", timeout=60_000)
    await expect(page.locator("#inv-body tr[data-status=paid]")).to_have_count(50)
    await expect(page.locator("[data-figure=collected]")).to_have_text("£6,247.50")
    await eventually(lambda: len(asked) > 0)
    assert len(asked) < 250, "rows were not read together"


async def test_the_panel_works_without_script(chromium: Any, workspace: Workspace, dashboard: Dashboard) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=2)
    context = await chromium.new_context(java_script_enabled=False, locale="en-GB")
    plain = Dashboard(context, await context.new_page(), dashboard.url)
    page = plain.page
    await workspace.import_file(show, "buyers", b"platform,platform_user_id,email\nfacebook,u0,u0@example.com\n")
    await plain.sign_in_by_hand(workspace, f"/shows/{show}")
    await page.get_by_label("Show only these").check()
    await expect(page.locator("#plan .new tbody tr:visible")).to_have_count(1)
    await page.get_by_role("button", name="Generate 2 invoices").click()
    await page.wait_for_url("**run=**")

    async def done() -> bool:
        await page.reload()
        return await page.locator("#finished").count() == 1

    await eventually(done, why="the run did not finish")
    await expect(page.locator("#finished")).to_contain_text("2 invoices created.")
    await expect(page.locator("#inv-body tr[data-status=draft]")).to_have_count(2)
    await page.get_by_role("link", name="Close the report of the run").click()
    await expect(page.locator("#finished")).to_have_count(0)
    await page.locator("#find").fill("@u1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#inv-body tr")).to_have_count(1)
    # a button of a row works too; what a script would copy is read from the timeline
    await page.get_by_role("button", name="Send link to @u1").click()
    await expect(page.locator(".timeline .ticket")).to_contain_text("/p/")
    assert (await _of(workspace, show, "u1"))["status"] == "sent"
    invoice = await _of(workspace, show, "u1")
    await plain.open(f"/shows/{show}/invoices/{invoice['id']}/void")
    await page.get_by_role("button", name="Void invoice").click()
    await expect(page.locator("#pill-void .count")).to_have_text("1")
    await context.close()


async def test_everything_is_done_without_a_mouse(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=2)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    await page.locator("#plan button[type=submit]").focus()
    await page.keyboard.press("Enter")
    await expect(_row(page, "@u1").locator("[data-key=s]")).to_be_visible()
    await page.locator("#gen").wait_for(state="detached")
    await page.get_by_role("link", name="Buyer", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("th[aria-sort=ascending]")).to_have_text("Buyer")
    await dashboard.live()

    await _row(page, "@u0").locator("[data-key=s]").focus()
    await page.keyboard.press("ArrowDown")
    await expect(_row(page, "@u1").locator("[data-key=s]")).to_be_focused()
    await page.keyboard.press("s")
    await expect(_row(page, "@u1").locator("[data-key=c]")).to_be_focused()
    await page.keyboard.press("c")
    await dashboard.copied("/p/")

    # the menu, and a question that is answered with no and then with yes, each time back where it was asked
    button = page.get_by_role("button", name="More actions for @u1")
    await button.focus()
    for answer in ("Keep invoice", "Void invoice"):
        await page.keyboard.press("Enter")
        entry = page.locator("[popover]:popover-open").get_by_text("Void invoice…")
        await entry.focus()
        assert await entry.evaluate("entry => getComputedStyle(entry).outlineStyle") == "solid"  # in any colours
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("link", name="Keep invoice")).to_be_focused()
        if answer == "Void invoice":
            await page.keyboard.press("Tab")
            await expect(dialog.get_by_role("button", name=answer)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(dialog).to_be_hidden()
        await expect(button).to_be_focused()
    await expect(_row(page, "@u1").locator(".badge")).to_have_text("Void")
