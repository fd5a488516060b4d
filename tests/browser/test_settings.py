"""People of a workspace, invited, promoted and removed by hand in a browser."""

from urllib.parse import urlsplit

from tests.browser.conftest import OpenDashboard
from tests.e2e.fixtures import PASSWORD, MakeWorkspace


async def test_an_owner_invites_and_the_invited_joins(
    open_dashboard: OpenDashboard, make_workspace: MakeWorkspace
) -> None:
    workspace = await make_workspace()
    async with open_dashboard() as owner, open_dashboard() as invited:
        await owner.sign_in(workspace, "/settings")
        await owner.page.get_by_label("E-mail address").fill(f"friend-of-{workspace.email}")
        await owner.page.get_by_role("button", name="Make invitation").click()
        await owner.ready(owner.page.get_by_text("Hand this link to"))
        await owner.page.get_by_role("button", name="Copy link").click()
        link = await owner.copied("/join/")
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
