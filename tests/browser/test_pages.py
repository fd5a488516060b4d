"""Every main page: light and dark, on a desk and a phone, without overflow, without a shift, and axe finds nothing.

The pages and states are those of `looks/states.py`; `make pictures` walks all of them.
"""

import pytest

from tests.browser.conftest import OpenDashboard
from tests.browser.looks.rooms import Rooms
from tests.browser.looks.states import STATES
from tests.browser.looks.walk import Walk
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack

MAIN = [state for state in STATES if state.main]


@pytest.mark.parametrize("room", dict.fromkeys(state.room for state in MAIN))
async def test_pages_of_a_room_fit_and_axe_finds_nothing(
    open_dashboard: OpenDashboard, rooms: Rooms, sandbox: Sandbox, stack: Stack, room: str
) -> None:
    walk = Walk(rooms, sandbox, stack)
    async with open_dashboard() as dashboard:
        chosen = [state for state in MAIN if state.room == room]
        looks = [look async for look in walk.through(dashboard, chosen)]
    faults = [fault for look in looks for fault in look.faults]
    assert not faults, "\n".join(faults)


def test_each_state_has_a_name_of_its_own() -> None:
    names = [state.name for state in STATES]
    assert len(set(names)) == len(names)


async def test_what_a_buyer_typed_is_text_only(open_dashboard: OpenDashboard, rooms: Rooms) -> None:
    busy = await rooms("busy")
    async with open_dashboard() as dashboard:
        await dashboard.sign_in(busy.workspace, f"/shows/{busy.at['mixed']}")
        await dashboard.page.get_by_text("@<img src=x onerror=alert(1)>").first.wait_for()
        assert await dashboard.page.locator("#inv-body img").count() == 0
