"""The desk by keyboard: copy, mark as sent, take back, go on; who opened the link; how claims come in; the audit."""

from playwright.async_api import expect

from tests.browser.conftest import OpenDashboard
from tests.browser.dashboard import Dashboard
from tests.browser.test_live_updates import reading_held
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

CLAIMS = "claim_id,platform,platform_user_id,user_handle,display_name,item_number,quantity,status\n" + "\n".join(
    f"c{n},{platform},{user},{handle},{name},{n},1,winner"
    for n, (platform, user, handle, name) in enumerate(
        [
            ("instagram", "17841", "@amy.k", "Amy Kay"),
            ("facebook", "100012345678", "Ben", "Ben Ode"),
            ("elsewhere", "u3", "@cleo", ""),
            ("instagram", "17842", "@<b>dan</b>", "Dan"),
        ]
    )
)


async def _show(workspace: Workspace) -> str:
    """Four buyers whose links wait."""
    await workspace.connect()
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday", "currency": "GBP"})
    show = str(made["id"])
    items = "item_number,title,price\n" + "".join(f"{n},Item {n},{1000 + n}\n" for n in range(4))
    await workspace.import_file(show, "items", items.encode())
    await workspace.import_file(show, "claims", CLAIMS.encode())
    await workspace.generate(show)
    return show


async def _statuses(workspace: Workspace, show: str) -> dict[str, tuple[str, int]]:
    return {row["handle"]: (row["status"], row["sendCount"]) for row in await workspace.invoices(show)}


async def test_the_queue_is_worked_by_keyboard_alone(dashboard: Dashboard, workspace: Workspace) -> None:
    show, page = await _show(workspace), dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show}")
    await page.get_by_role("link", name="Desk").click()
    card, name = page.locator("#card"), page.locator("#card h2")
    order = [row["handle"] for row in await workspace.invoices(show)]
    await expect(card).to_be_focused()
    await expect(name).to_have_text(order[0])
    await page.keyboard.press("j")
    await expect(name).to_have_text(order[1])
    await expect(card).to_be_focused()
    await page.keyboard.press("k")
    await expect(name).to_have_text(order[0])
    await expect(card).to_be_focused()

    await page.keyboard.press("c")
    await expect(page.locator("#say")).to_contain_text("copied")  # the button says it for a moment only
    assert await dashboard.copied("/p/") == await page.locator("#message").inner_text()

    await page.keyboard.press("m")
    await expect(name).to_have_text(order[1])
    await expect(page.locator("#undo")).to_contain_text(f"{order[0]} marked as sent.")
    assert (await _statuses(workspace, show))[order[0]] == ("draft", 0)

    async def told() -> bool:
        return (await _statuses(workspace, show))[order[0]] == ("sent", 1)

    await eventually(told, timeout=20)
    await expect(page.locator("#undo")).to_be_hidden()
    await expect(page.locator(".desk-queue li")).to_have_count(3)
    await expect(name).to_have_text(order[1])


async def test_a_mark_is_taken_back_and_leaving_keeps_the_others(dashboard: Dashboard, workspace: Workspace) -> None:
    show, page = await _show(workspace), dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show}/desk")
    order = [row["handle"] for row in await workspace.invoices(show)]
    name = page.locator("#card h2")
    await page.keyboard.press("m")
    await expect(name).to_have_text(order[1])
    await page.keyboard.press("m")
    await expect(name).to_have_text(order[2])
    await expect(page.locator(".desk-queue .count")).to_have_text("2")
    await page.keyboard.press("u")
    await expect(name).to_have_text(order[1])
    await expect(page.locator(".desk-queue .count")).to_have_text("3")
    await dashboard.open("/shows")

    async def told() -> bool:
        return (await _statuses(workspace, show))[order[0]] == ("sent", 1)

    await eventually(told, timeout=20)
    assert (await _statuses(workspace, show))[order[1]] == ("draft", 0)


async def test_of_two_at_the_desk_a_mark_counts_once(open_dashboard: OpenDashboard, workspace: Workspace) -> None:
    show = await _show(workspace)
    first = (await workspace.invoices(show))[0]
    async with open_dashboard() as one, open_dashboard() as two:
        for each in (one, two):
            await each.sign_in(workspace, f"/shows/{show}/desk")
            await each.live()
        for each in (one, two):
            await each.page.keyboard.press("m")
            await expect(each.page.locator("#undo")).to_be_visible()
        for each in (one, two):
            await each.open("/shows")

        async def told() -> bool:
            return (await _statuses(workspace, show))[first["handle"]][0] == "sent"

        await eventually(told, timeout=20)
        await one.open(f"/shows/{show}/desk")
        await expect(one.page.locator(".desk-queue li")).to_have_count(3)
    assert (await _statuses(workspace, show))[first["handle"]] == ("sent", 1)


async def test_who_is_in_hand_is_never_swapped_for_another(dashboard: Dashboard, workspace: Workspace) -> None:
    show, page = await _show(workspace), dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show}/desk")
    await dashboard.live()
    first, second, *_ = await workspace.invoices(show)
    await expect(page.locator("#card h2")).to_have_text(first["handle"])
    await workspace.rest.call(
        "POST", f"/api/shows/{show}/invoices/send", {"invoiceIds": [first["id"]], "channel": "manual"}
    )
    await expect(page.locator("#card h2")).to_have_text("This buyer waits no more")
    await page.keyboard.press("m")
    await expect(page.locator("#undo")).to_be_hidden()
    await page.keyboard.press("j")
    await expect(page.locator("#card h2")).to_have_text(second["handle"])
    assert (await _statuses(workspace, show))[second["handle"]] == ("draft", 0)


async def test_a_press_counts_once_and_while_the_page_reads_anew(dashboard: Dashboard, workspace: Workspace) -> None:
    show, page = await _show(workspace), dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show}/desk")
    await dashboard.live()
    first, second, third, _ = await workspace.invoices(show)
    name = page.locator("#card h2")
    async with reading_held(page, workspace, show):
        await page.keyboard.press("j")
        await expect(name).to_have_text(second["handle"])
    await page.wait_for_url(f"**?at={second['id']}")
    await eventually(lambda: page.evaluate("window.ended > 1"))  # it was read once more, of who is in hand now
    await expect(name).to_have_text(second["handle"])

    await page.keyboard.down("m")
    await expect(name).to_have_text(third["handle"])
    await page.keyboard.down("m")  # held down, the keyboard says it again
    await page.keyboard.up("m")
    await page.keyboard.press("u")
    await expect(name).to_have_text(second["handle"])
    await expect(page.locator("#undo")).to_be_hidden()
    assert {sent for _, sent in (await _statuses(workspace, show)).values()} == {0}
    assert first["status"] == "draft"


async def test_a_mark_on_a_later_page_of_the_queue_is_taken_back_there(
    dashboard: Dashboard, workspace: Workspace
) -> None:
    show, page = await _show(workspace), dashboard.page
    first, second, third, _ = await workspace.invoices(show)
    listed = await workspace.rest.call("GET", f"/api/shows/{show}/invoices?pageSize=1")
    await dashboard.sign_in(workspace, f"/shows/{show}/desk?page={listed['nextPageToken']}")
    name = page.locator("#card h2")
    await expect(name).to_have_text(second["handle"])
    await page.keyboard.press("m")
    await expect(name).to_have_text(third["handle"])
    await page.keyboard.press("u")
    await expect(name).to_have_text(second["handle"])
    await expect(page.locator(f"#w-{first['id']}")).to_have_count(0)


async def test_somebody_elses_payment_leaves_the_queue_by_itself(
    dashboard: Dashboard, workspace: Workspace, sandbox: Sandbox
) -> None:
    show, page = await _show(workspace), dashboard.page
    await dashboard.sign_in(workspace, f"/shows/{show}/desk")
    await dashboard.live()
    rows = await workspace.invoices(show)
    await expect(page.locator(".desk-queue li")).to_have_count(4)
    await sandbox.pay(rows[2]["externalId"])
    await expect(page.locator(".desk-queue li")).to_have_count(3, timeout=20_000)
    await expect(page.locator("#card h2")).to_have_text(rows[0]["handle"])


async def test_who_opened_the_link_and_did_not_pay_is_named(
    open_dashboard: OpenDashboard, dashboard: Dashboard, workspace: Workspace
) -> None:
    show, page = await _show(workspace), dashboard.page
    (row,) = [one for one in await workspace.invoices(show) if one["handle"] == "@amy.k"]
    async with open_dashboard() as buyer, buyer.page.expect_response(lambda answer: answer.url.endswith("/opened")):
        await buyer.open(row["payPath"])
    await dashboard.sign_in(workspace, f"/shows/{show}/desk")
    reader = page.locator(f"#r-{row['id']}")
    await expect(reader).to_contain_text("1 time")
    chat = reader.get_by_role("link", name="Open chat")
    assert await chat.get_attribute("href") == "https://ig.me/m/amy.k"
    assert await chat.get_attribute("rel") == "noopener noreferrer"
    await reader.get_by_role("button", name="Copy link").click()
    assert await dashboard.copied(row["payPath"]) == dashboard.url + row["payPath"]


async def test_connections_and_audit_tell_what_came_in(dashboard: Dashboard, workspace: Workspace) -> None:
    page = dashboard.page
    await dashboard.sign_in(workspace, "/connections")
    await expect(page.get_by_text("No claims have arrived yet.")).to_be_visible()
    show = await _show(workspace)
    await dashboard.open("/connections")
    await expect(page.locator(f"[data-show='{show}']")).to_contain_text("just now")
    nav = page.get_by_role("navigation", name="Main").first
    assert (await nav.locator("a").all_inner_texts()) == ["Shows", "Connections", "Integrations", "Settings"]
    await dashboard.open(f"/shows/{show}/desk")
    await dashboard.live()
    assert await page.locator("b:text-is('dan')").count() == 0
    await workspace.rest.call("POST", f"/api/shows/{show}/invoices/send", {"channel": "manual"})
    await page.get_by_text("No link waits to be sent").wait_for()
    await dashboard.open("/settings/audit")
    await expect(page.locator("[data-action=connect]")).to_contain_text("API token")
