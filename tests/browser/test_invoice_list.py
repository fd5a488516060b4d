"""The list of invoices at work: failures and retries, keyboard, two operators, a gateway that went and came."""

from playwright.async_api import expect

from services.cli.rest import Rest
from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace

KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket { constructor(url) { super(url); window.sockets.push(this); } };
"""
_FINISHED = """id => window.sockets.at(-1).onmessage({ data: JSON.stringify({ type: 'generation.finished',
  data: { generationId: id, createdCount: 1200, failedCount: 0, cancelledCount: 0, cancelled: false } }) })"""
"""The news that a run is over."""
_BACK_WHILE_CLOSING = """() => new Promise(told => {
  const old = window.sockets.at(-1);
  old.addEventListener('close', () => told(document.querySelector('#live').dataset.state));
  old.close(); dispatchEvent(new Event('online'));
})"""
"""What the page says of its updates when the end of a socket comes after the next one was begun."""


async def test_one_failure_stops_nobody_and_can_be_retried(
    dashboard: Dashboard, workspace: Workspace, sandbox: Sandbox
) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=6)
    fault = await sandbox.refuse_buyer(workspace.account.id, "u3")
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await page.get_by_role("button", name="Generate 6 invoices").click()
    row = page.locator("#inv-body tr", has=page.get_by_text("@u3", exact=True))
    await expect(row.locator(".badge")).to_have_text("Error")
    await expect(row.locator(".why")).to_contain_text("Stripe")
    await page.locator("#gen").wait_for(state="detached")
    await expect(page.locator("#pills a[aria-current]")).to_contain_text("6")
    await dashboard.live()

    # what Stripe's support asks for is at hand
    await page.get_by_role("button", name="More actions for @u3").click()
    await page.locator("[popover]:popover-open").get_by_text("Copy Stripe request ID").click()
    await expect(page.get_by_role("status").filter(has_text="Stripe request ID copied").first).to_be_attached()
    copied = await dashboard.copied("req_")
    assert copied == (await row.locator("[data-copy^=req_]").get_attribute("data-copy"))
    await row.locator("a.disc").click()
    await expect(page.get_by_role("dialog").get_by_role("button", name="Copy Stripe request ID")).to_be_visible()
    await page.keyboard.press("Escape")

    await sandbox.remove_fault(fault)
    await row.get_by_role("button", name="Retry the invoice of @u3").click()
    await expect(row.locator(".badge")).to_have_text("Draft")
    await expect(page.locator("#pills a", has_text="Error").locator(".count")).to_have_text("0")


async def test_view_on_stripe_opens_that_invoice(dashboard: Dashboard, workspace: Workspace, stack: Stack) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    run = await workspace.generate(show)
    (invoice,) = await workspace.invoices(show)
    await page.add_init_script(KEEP_SOCKETS)
    await dashboard.sign_in(workspace, f"/shows/{show}?run={run['id']}")
    await expect(page.locator("#finished")).to_contain_text("1 invoice created.")
    await dashboard.live()
    for told in (run["id"], "another"):  # what stands on the page already is not told once more
        await page.evaluate(_FINISHED, told)
    await expect(page.locator(".toast")).to_have_text(["1,200 invoices created"])
    await expect(page.locator("#finished")).to_have_count(0)
    link = page.get_by_role("link", name="View the invoice of @u0 on Stripe")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    async with dashboard.context.expect_page() as opening:
        await link.click()
    opened = await opening.value
    assert opened.url == invoice["providerUrl"]
    assert opened.url.startswith(stack.url("sandbox"))


async def test_three_presses_of_s_send_once_and_keep_the_focus(dashboard: Dashboard, workspace: Workspace) -> None:
    page, sent = dashboard.page, list[str]()
    await workspace.connect()
    show = await workspace.make_show(buyers=3)
    await workspace.generate(show)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await page.locator("#inv-body tr [data-key=s]").first.focus()
    await page.keyboard.press("s")
    await page.keyboard.press("s")
    await page.keyboard.press("s")
    row = page.locator("#inv-body tr").first
    await expect(row.locator(".badge")).to_have_text("Sent")
    await expect(row.locator("[data-key=c]")).to_be_focused()
    assert len(sent) == 1
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#inv-body tr").nth(1).locator("[data-key=s]")).to_be_focused()


async def test_two_operators_see_the_same_and_only_one_row_changes(
    open_dashboard: OpenDashboard, workspace: Workspace, sandbox: Sandbox
) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=4)
    await workspace.generate(show)
    rows = await workspace.invoices(show)
    async with open_dashboard() as one, open_dashboard() as other:
        for dashboard in (one, other):
            await dashboard.sign_in(workspace, f"/shows/{show}")
            await dashboard.live()
            await dashboard.page.evaluate(
                """() => { window.touched = new Set(); new MutationObserver(all => all.forEach(m => {
                    const row = (m.target.closest ? m.target : m.target.parentElement)?.closest('tr');
                    if (row && m.target.nodeName !== 'TIME' && m.target.parentElement?.nodeName !== 'TIME')
                        window.touched.add(row.id);
                })).observe(document.querySelector('#inv-body'),
                           {subtree: true, childList: true, attributes: true, characterData: true}); }"""
            )
        menu = one.page.get_by_role("button", name="More actions for @u2")
        await menu.click()
        await sandbox.pay(rows[1]["externalId"])
        for dashboard in (one, other):
            row = dashboard.page.locator(f"#inv-{rows[1]['id']}")
            await expect(row.locator(".badge")).to_have_text("Paid")
            assert await dashboard.page.evaluate("[...window.touched]") == [f"inv-{rows[1]['id']}"]
        await expect(one.page.locator("[popover]:popover-open")).to_be_visible()
        await expect(other.page.locator("[data-figure=collected]")).to_have_text("£10.01")


async def test_what_others_do_to_a_show_and_its_links_is_seen_at_once(
    open_dashboard: OpenDashboard, workspace: Workspace
) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=2)
    await workspace.generate(show)
    draft = await workspace.rest.call("POST", "/api/shows", {"name": "Later", "currency": "GBP"})
    async with open_dashboard() as one, open_dashboard() as other:
        await one.sign_in(workspace, f"/shows/{draft['id']}")
        await other.sign_in(workspace, f"/shows/{draft['id']}/items")
        for dashboard in (one, other):
            await dashboard.live()
        await one.page.get_by_role("button", name="Start show").click()
        for dashboard in (one, other):
            await expect(dashboard.page.locator("#show-head .badge")).to_have_text("Live")

        for dashboard in (one, other):
            await dashboard.open(f"/shows/{show}")
            await dashboard.live()
        await one.page.get_by_role("link", name="Send all links").click()
        await one.page.get_by_label("Count them as sent").check()
        await one.page.get_by_role("button", name="Send links").click()
        for dashboard in (one, other):
            await expect(dashboard.page.locator("#sending-h")).to_have_text("2 of 2 links sent")
            await dashboard.live()
        row = (await workspace.invoices(show))[0]
        line = other.page.locator(f"#inv-{row['id']} .c-status")
        await expect(line).to_contain_text("Not opened yet")
        buyer = await one.context.new_page()
        await buyer.goto(one.url + row["payPath"])
        await expect(line).to_contain_text("Opened")


async def test_after_a_restart_of_the_gateway_the_panel_is_right(
    dashboard: Dashboard, workspace: Workspace, stack: Stack
) -> None:
    page = dashboard.page
    await workspace.connect()
    show = await workspace.make_show(buyers=2)
    await workspace.generate(show)
    rows = await workspace.invoices(show)
    await page.add_init_script(KEEP_SOCKETS)
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await dashboard.live()
    await stack.start("gateway-2")
    await stack.kill("gateway")
    await page.locator("#live[data-state=reconnecting]").wait_for()
    try:
        async with Rest(stack.url("gateway-2"), workspace.token) as elsewhere:
            path = f"/api/shows/{show}/invoices/{rows[0]['id']}/send"
            await elsewhere.call("POST", path, {"channel": "manual"})
    finally:
        await stack.start("gateway")
        await stack.stop("gateway-2")
    await dashboard.live()
    await expect(page.locator(f"#inv-{rows[0]['id']} .badge")).to_have_text("Sent")

    # the network goes: said at once; and what happened meanwhile is there as soon as it is back
    await dashboard.context.set_offline(True)
    await page.locator("#live[data-state=offline]").wait_for()
    await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{rows[1]['id']}/send", {"channel": "manual"})
    await dashboard.context.set_offline(False)
    await dashboard.live()
    await expect(page.locator(f"#inv-{rows[1]['id']} .badge")).to_have_text("Sent")

    # back while the old socket is still closing: its end is none of the new one
    assert await page.evaluate(_BACK_WHILE_CLOSING) == "on"
    # the browser tells of every socket that could not be opened, and of what was just being read
    assert all("WebSocket" in complaint or "net::ERR_" in complaint for complaint in dashboard.complaints)
    dashboard.complaints.clear()
