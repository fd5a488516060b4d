"""People, tokens and the own account, by hand in a browser; and each of their pages on a desk and a phone."""

from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import OpenDashboard
from tests.browser.test_pages import LOOKS
from tests.browser.test_pages import _look as look_at
from tests.e2e.fixtures import PASSWORD, MakeWorkspace


async def test_an_owner_invites_and_the_invited_joins(
    open_dashboard: OpenDashboard, make_workspace: MakeWorkspace
) -> None:
    workspace = await make_workspace()
    async with open_dashboard() as owner, open_dashboard() as invited:
        await owner.sign_in(workspace, "/settings")
        await owner.page.get_by_label("E-mail address").fill(f"friend-of-{workspace.email}")
        await owner.page.get_by_role("button", name="Make invitation").click()
        await owner.page.get_by_role("button", name="Copy link").click()
        link = await owner.page.evaluate("navigator.clipboard.readText()")
        await invited.open(urlsplit(link).path)
        await invited.page.get_by_label("Your name").fill("Robin Friend")
        await invited.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await invited.page.get_by_role("button", name="Join workspace").click()
        await invited.page.get_by_role("heading", name="No shows yet").wait_for()
        await owner.open("/settings")
        await owner.page.get_by_role("button", name="Actions for Robin Friend").click()
        await owner.page.get_by_role("button", name="Make owner").click()
        await owner.page.get_by_role("rowheader", name="Robin Friend").wait_for()
        await owner.page.get_by_role("button", name="Actions for Robin Friend").click()
        await owner.page.get_by_role("button", name="Remove…").click()
        await owner.page.get_by_role("button", name="Remove member").click()
        await owner.page.get_by_role("rowheader", name="Robin Friend").wait_for(state="detached")
        await invited.open("/shows")
        assert urlsplit(invited.page.url).path == "/sign-in"


@pytest.mark.parametrize("look", LOOKS)
async def test_settings_fit(open_dashboard: OpenDashboard, make_workspace: MakeWorkspace, look: str) -> None:
    size, dark = LOOKS[look]
    workspace = await make_workspace()
    made = await workspace.rest.call("POST", "/api/invitations", {"email": "amelie.longfellow@example.com"})
    async with open_dashboard(size=size, dark=dark) as dashboard:
        await dashboard.open(urlsplit(str(made["link"])).path)
        await look_at(dashboard, "join", look)
        dashboard.refusals.add(404)
        await dashboard.open("/join/nothing")
        await look_at(dashboard, "join-gone", look)
        await dashboard.sign_in(workspace, "/settings")
        await look_at(dashboard, "settings", look)
        await dashboard.page.get_by_label("E-mail address").fill("second@example.com")
        await dashboard.page.get_by_role("button", name="Make invitation").click()
        await dashboard.page.get_by_text("Hand this link to").wait_for()
        await look_at(dashboard, "settings-invited", look)
        await dashboard.page.get_by_role("button", name="Actions for").click()
        await look_at(dashboard, "settings-menu", look)
        await dashboard.page.get_by_role("button", name="Remove…").click()
        await look_at(dashboard, "settings-remove", look)
        await dashboard.open("/settings/tokens")
        await dashboard.page.get_by_label("Name").fill("Claim engine")
        await dashboard.page.get_by_label("Write shows").check()
        await dashboard.page.get_by_role("button", name="Make token").click()
        await dashboard.page.get_by_text("Copy it now").wait_for()
        await look_at(dashboard, "settings-tokens", look)
        await dashboard.open("/settings/account")
        await look_at(dashboard, "settings-account", look)
        dashboard.refusals.add(422)
        await dashboard.page.get_by_label("Current password", exact=True).fill("not my password")
        await dashboard.page.get_by_label("New password", exact=True).fill("short")
        await dashboard.page.get_by_role("button", name="Change password").click()
        await dashboard.page.get_by_text("at least 10 characters. Choose").wait_for()
        await look_at(dashboard, "settings-account-refused", look)
