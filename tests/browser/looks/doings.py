"""What somebody does on a page to bring it into a state, until the state is there."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

import asyncpg
from playwright.async_api import Page, expect

from tests.browser.dashboard import Dashboard
from tests.browser.looks.rooms import ITEMS, Room, by_buyer
from tests.e2e.sandbox import Account, Sandbox
from tests.e2e.stack import Stack

SLOW: Final = 30_000
"""Milliseconds that a banner or a service that comes back may take."""


@dataclass(frozen=True)
class Scene:
    """A browser in a room, and what stands behind it."""

    dashboard: Dashboard
    room: Room
    sandbox: Sandbox
    stack: Stack
    after: AsyncExitStack
    """Undoes what the next state must not find."""

    @property
    def page(self) -> Page:
        return self.dashboard.page

    @property
    def account(self) -> Account:
        return self.room.workspace.account


Doing: TypeAlias = Callable[[Scene], Awaitable[None]]


def see(selector: str) -> Doing:
    """Waits for something to be seen."""

    async def do(scene: Scene) -> None:
        await scene.page.locator(selector).wait_for()

    return do


def click(name: str) -> Doing:
    """Presses a button that opens a dialog."""

    async def do(scene: Scene) -> None:
        await scene.page.get_by_role("button", name=name).first.click()
        await scene.page.locator("dialog[open]").wait_for()

    return do


def menu(buyer: str, entry: str = "") -> Doing:
    """Opens the menu of an invoice, and one of its dialogs."""

    async def do(scene: Scene) -> None:
        await scene.page.locator("#live[data-state=on]").wait_for()
        await scene.page.get_by_role("button", name=f"More actions for {buyer}").click()
        opened = scene.page.locator("[popover]:popover-open")
        await opened.wait_for()
        if entry:
            await opened.get_by_text(entry).click()
            await scene.page.get_by_role("dialog").locator("form, .timeline").first.wait_for()

    return do


async def wrong_password(scene: Scene) -> None:
    scene.dashboard.refusals.add(401)
    await scene.page.get_by_label("Email").fill("nobody@example.com")
    await scene.page.get_by_label("Password", exact=True).fill("not the password")
    await scene.page.get_by_role("button", name="Sign in").click()
    await scene.page.locator("#sign-in-error").wait_for()


async def _try_keys(scene: Scene, secret: str, publishable: str) -> None:
    scene.dashboard.refusals.add(422)
    await scene.page.get_by_label("Secret key", exact=True).fill(secret)
    await scene.page.get_by_label("Publishable key").fill(publishable)
    await scene.page.get_by_role("button", name="Connect Stripe").click()


async def swapped_keys(scene: Scene) -> None:
    await _try_keys(scene, scene.account.pk_test, scene.account.sk_live)
    await expect(scene.page.locator("[aria-invalid=true]")).to_have_count(2)


async def refused_key(scene: Scene) -> None:
    await _try_keys(scene, scene.account.sk_test[:-4] + "WXYZ", scene.account.pk_test)
    await scene.page.locator("#connect-form .call-error, #secret_key-m.msg-error span").first.wait_for()
    await expect(scene.page.get_by_label("Secret key", exact=True)).to_have_value("")


async def lacking_key(scene: Scene) -> None:
    path = f"/_sandbox/accounts/{scene.account.id}/restricted_keys"
    made = await scene.sandbox.rest.call("POST", path, {"permissions": ["rak_balance_read", "rak_customer_write"]})
    await _try_keys(scene, made["key"], scene.account.pk_test)
    await scene.page.locator(".doctor li[data-s=missing]").first.wait_for()


async def preview_file(scene: Scene) -> None:
    content = f"{ITEMS}6,Belt,1.50\n,Nameless,100\n".encode()
    await scene.page.locator("#items").set_input_files(
        {"name": "items.csv", "mimeType": "text/csv", "buffer": content}  # a FilePayload
    )
    await scene.page.locator("#pre-items").wait_for()


async def import_file(scene: Scene) -> None:
    await preview_file(scene)
    await scene.page.get_by_role("button", name="Import 5 lines").click()
    await scene.page.locator("#r-items").wait_for()


async def preview_marks(scene: Scene) -> None:
    """Two marked in the file as it is exported, one that was paid at Stripe, and one with another amount."""
    rows = await by_buyer(scene.room.workspace, scene.room.at["mixed"])
    told = {"u1": "cash", "u2": "bank transfer 12 Nov", "u4": "no", "u6": "yes"}
    amounts = {"u6": rows["u6"]["total"] - 300}
    lines = [
        f"{rows[buyer]['id']},{rows[buyer]['number']},{amounts.get(buyer, rows[buyer]['total'])},{note}"
        for buyer, note in told.items()
    ]
    content = "\n".join(["invoice_id,number,total_minor,paid_outside", *lines]).encode()
    await scene.page.locator("#invoices").set_input_files(
        {"name": "showbill-invoices.csv", "mimeType": "text/csv", "buffer": content}  # a FilePayload
    )
    await scene.page.locator("#pre-invoices").wait_for()
    await scene.page.locator("#pre-invoices").scroll_into_view_if_needed()


async def select_two(scene: Scene) -> None:
    await scene.page.locator("#live[data-state=on]").wait_for()
    for buyer in ("@salt.and.cedar", "@thriftqueen_22"):
        await scene.page.get_by_label(f"Select the invoice of {buyer}").check()
    await scene.page.locator("#selected").wait_for()


async def ask_to_send_all(scene: Scene) -> None:
    await scene.page.get_by_role("link", name="Send all links").click()
    await scene.page.get_by_role("dialog").locator("form").wait_for()


async def send_all(scene: Scene) -> None:
    await ask_to_send_all(scene)
    await scene.page.get_by_label("Count them as sent").check()
    await scene.page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await scene.page.locator("#sending .i:not(.spin)").first.wait_for()
    await scene.page.locator("#live[data-state=on]").wait_for()


async def keyboard_help(scene: Scene) -> None:
    await scene.page.get_by_role("button", name="More invoice actions").click()
    await scene.page.get_by_role("button", name="Keyboard shortcuts").click()
    await scene.page.locator("dialog[open]").wait_for()


async def run_held(scene: Scene) -> None:
    """A run of which the first half is done."""
    rule = {"operation": "invoices.create", "effect": "hold", "when": "before", "times": None, "skip": 20}
    held = await scene.sandbox.add_fault({**rule, "account": scene.account.id})
    scene.after.push_async_callback(scene.sandbox.remove_fault, held)
    await scene.page.locator("#live[data-state=on]").wait_for()
    await scene.page.get_by_role("button", name="Generate 40 invoices").click()
    await scene.page.locator("#gen").wait_for()
    await scene.sandbox.held(held)


async def invite(scene: Scene) -> None:
    await scene.page.get_by_label("E-mail address").fill("second@example.com")
    await scene.page.get_by_role("button", name="Make invitation").click()
    await scene.page.get_by_text("Hand this link to").wait_for()


async def ask_to_remove(scene: Scene) -> None:
    await scene.page.get_by_role("button", name="Actions for").first.click()
    await scene.page.get_by_role("button", name="Remove…").first.click()
    await scene.page.locator("dialog[open]").wait_for()


async def make_token(scene: Scene) -> None:
    await scene.page.get_by_label("Name").fill("Claim engine")
    await scene.page.get_by_label("Write shows").check()
    await scene.page.get_by_role("button", name="Make token").click()
    await scene.page.get_by_text("Copy it now").wait_for()


async def short_password(scene: Scene) -> None:
    scene.dashboard.refusals.add(422)
    await scene.page.get_by_label("Current password", exact=True).fill("not my password")
    await scene.page.get_by_label("New password", exact=True).fill("short")
    await scene.page.get_by_role("button", name="Change password").click()
    await scene.page.get_by_text("at least 10 characters. Choose").wait_for()


async def account_menu(scene: Scene) -> None:
    await scene.page.get_by_role("button", name="Account menu").first.click()
    await scene.page.locator("#me-menu:popover-open").wait_for()


async def gateway_gone(scene: Scene) -> None:
    await scene.page.locator("#live[data-state=on]").wait_for()
    await _kill_gateway(scene)


async def _kill_gateway(scene: Scene) -> None:
    await scene.stack.kill("gateway")
    # Once it runs again: till then the browser tells of every socket that could not be opened.
    scene.after.callback(scene.dashboard.complaints.clear)
    scene.after.push_async_callback(scene.stack.start, "gateway")
    await scene.page.locator("#live-banner").wait_for(timeout=SLOW)


async def network_gone(scene: Scene) -> None:
    await scene.page.locator("#live[data-state=on]").wait_for()
    scene.after.callback(scene.dashboard.complaints.clear)
    await scene.dashboard.context.set_offline(True)
    scene.after.push_async_callback(scene.dashboard.context.set_offline, False)
    await _kill_gateway(scene)
    await scene.page.locator("#live[data-state=offline]").wait_for(timeout=SLOW)


async def own_fault(scene: Scene) -> None:
    """What should never happen: a table is not there."""
    database = await asyncpg.connect(scene.stack.databases["invoicing"])
    scene.after.push_async_callback(database.close)
    await database.execute("ALTER TABLE shows RENAME TO shows_away")
    scene.after.push_async_callback(database.execute, "ALTER TABLE shows_away RENAME TO shows")
    scene.after.callback(scene.dashboard.complaints.clear)
    await scene.page.reload()
    await scene.page.get_by_role("heading", name="Something broke").wait_for()


async def service_gone(scene: Scene) -> None:
    await scene.stack.kill("invoicing")
    scene.after.push_async_callback(scene.stack.start, "invoicing")
    scene.after.callback(scene.dashboard.complaints.clear)
    await scene.page.reload()
    await scene.page.get_by_role("button", name="Copy reference").wait_for()


async def settle_one_stray(scene: Scene) -> None:
    """Of two payments that count for no invoice: one is settled, and the other asked about."""
    database = await asyncpg.connect(scene.stack.databases["invoicing"])
    scene.after.push_async_callback(database.close)
    show = scene.room.at["paid"]
    scene.after.push_async_callback(database.execute, "DELETE FROM stray_payments WHERE show_id = $1", show)
    await database.execute(
        "INSERT INTO stray_payments (invoice_id, show_id, provider, external_account, livemode, external_id, total,"
        " currency, paid_at, provider_url) SELECT id, show_id, 'stripe', 'acct_1QxBefore', false, id::text || random(),"
        " total, currency, now() - interval '20 minutes', provider_url FROM invoices WHERE show_id = $1 AND total > 0",
        show,
    )
    page = scene.page
    await page.reload()
    await expect(page.locator("[data-stray]")).to_contain_text("2 payments were made")
    await page.get_by_role("link", name="Settle them…").click()
    first = page.locator("dialog[open] form").first
    await first.get_by_label("I gave it back").check()
    await first.get_by_label("Note").fill("Refunded at Stripe.")
    await first.get_by_role("button", name="Settle").click()
    await expect(page.locator("[data-stray]")).to_contain_text("1 payment was made")
    await page.get_by_role("link", name="Settle it…").click()
    await expect(page.locator("dialog[open] form")).to_have_count(1)
