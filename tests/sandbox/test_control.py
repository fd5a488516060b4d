"""The control address: state, payments, reset, and its sentences for mistakes."""

import aiohttp
import pytest
import stripe

from tests.sandbox.harness import Account, Control, opened


async def test_the_state_counts_and_lists_with_all_lines(client: stripe.StripeClient, account: Account) -> None:
    for number in range(3):
        await opened(client, *[100 + number] * 12)
    state = await account.state()
    assert (state["invoices"], state["invoices_total"], state["customers"]) == ({"open": 3}, 12 * 303, 3)
    shown = await account.invoices()
    assert [len(one["lines"]["data"]) for one in shown] == [12, 12, 12]
    assert shown[0]["customer"]["email"] == "b@example.com"


async def test_many_are_paid_by_one_call(client: stripe.StripeClient, account: Account) -> None:
    made = [await opened(client, 500) for _ in range(4)]
    paid = await account.control.post("/pay", account=account.id, count=2)
    assert [one["id"] for one in paid["paid"]] == [made[0].id, made[1].id]
    await account.control.post("/pay", invoices=[made[3].id])
    assert (await account.state())["invoices"] == {"paid": 3, "open": 1}


async def test_reset_empties_one_account_and_keeps_its_keys(client: stripe.StripeClient, account: Account) -> None:
    await opened(client, 500)
    other = await account.control.account()
    await account.control.post("/reset", account=account.id)
    assert (await account.state())["customers"] == 0
    assert (await opened(client, 500)).status == "open"
    assert (await other.state())["customers"] == 0


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/faults", {"operation": "invoices.nope", "effect": "cut"}, "Unknown operation 'invoices.nope'"),
        ("/faults", {"operation": "*", "effect": "explode"}, "The body does not fit"),
        ("/accounts", {"name": "A", "id": "acct_1ShowbillDemo123"}, "exists already"),
        ("/pay", {"account": "acct_nope"}, "There is no account 'acct_nope'"),
        ("/keys/revoke", {"key": "sk_test_nope"}, "does not know that key"),
        ("/clock", {"advance_seconds": -1}, "forward only"),
        ("/invoices/in_nope/pay", {}, "There is no invoice 'in_nope'"),
    ],
)
@pytest.mark.usefixtures("control")
async def test_a_mistake_is_answered_with_a_sentence(
    session: aiohttp.ClientSession, path: str, body: dict[str, object], words: str
) -> None:
    async with session.post(f"/_sandbox{path}", json=body) as response:
        assert 400 <= response.status < 500
        assert words in (await response.json())["message"]


async def test_settings_change_in_parts(control: Control) -> None:
    before = await control.get("/settings")
    changed = await control.put("/settings", rate_limits={"live_per_second": 80})
    assert changed["rate_limits"] == {**before["rate_limits"], "live_per_second": 80}
    await control.put("/settings", rate_limits=before["rate_limits"])
