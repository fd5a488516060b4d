"""A person's own account: sessions listed and ended, the password changed."""

import pytest

from services.gateway.identity.devices import device_of
from services.gateway.realtime.listener import SESSION_ENDED
from tests.gateway.harness import PASSWORD, Gateway, Owner
from tests.gateway.test_realtime import closed_with, heard

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
NEW = "an even longer password"


async def test_sessions_are_listed_with_their_devices(gateway: Gateway, owner: Owner) -> None:
    first = await gateway.signed_in(owner)
    here = gateway.browser(
        await gateway.client(**{"User-Agent": FIREFOX})(
            "POST", "/api/session", {"email": owner.email, "password": PASSWORD}
        )
    )
    items = (await here("GET", "/api/sessions")).json["items"]
    assert [one["current"] for one in items].count(True) == 1
    current = next(one for one in items if one["current"])
    assert (current["device"], current["address"], current["workspace"]) == ("Firefox on Linux", "127.0.0.1", "Shop")
    assert len(items) == 2
    assert (await first("GET", "/api/sessions")).json["items"][0]["lastUsedAt"]


async def test_one_session_is_ended_by_its_owner(gateway: Gateway, owner: Owner) -> None:
    lost, here = await gateway.signed_in(owner), await gateway.signed_in(owner)
    items = (await here("GET", "/api/sessions")).json["items"]
    other = next(one["id"] for one in items if not one["current"])
    async with lost.listen(Origin="https://showbill.example") as socket:
        await heard(socket, 1)
        assert (await here("DELETE", f"/api/sessions/{other}")).status == 204
        assert await closed_with(socket) == SESSION_ENDED
    assert (await lost("GET", "/api/session")).status == 401
    assert (await here("GET", "/api/session")).status == 200
    assert (await here("DELETE", f"/api/sessions/{other}")).status == 404


async def test_all_other_sessions_end_at_once(gateway: Gateway, owner: Owner) -> None:
    others, here = [await gateway.signed_in(owner) for _ in range(2)], await gateway.signed_in(owner)
    assert (await here("DELETE", "/api/sessions")).status == 204
    assert [(await one("GET", "/api/session")).status for one in others] == [401, 401]
    assert (await here("GET", "/api/session")).status == 200


async def test_sessions_of_others_are_not_found(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    (theirs,) = (await member.browser("GET", "/api/sessions")).json["items"]
    here = await gateway.signed_in(owner)
    assert (await here("DELETE", f"/api/sessions/{theirs['id']}")).status == 404
    assert (await member.browser("GET", "/api/session")).status == 200


async def test_a_new_password_ends_all_other_sessions(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    elsewhere = gateway.browser(await gateway.sign_in(member.email))
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    changed = await member.browser("PUT", "/api/password", body)
    assert changed.status == 204
    for ended in (elsewhere, member.browser):
        assert (await ended("GET", "/api/session")).status == 401
    assert (await gateway.browser(changed)("GET", "/api/session")).status == 200
    assert (await gateway.sign_in(member.email)).status == 401
    assert (await gateway.sign_in(member.email, NEW)).status == 200


@pytest.mark.parametrize(
    ("current", "new", "place", "kind"),
    [
        ("wrong password", NEW, "#/currentPassword", "wrong-password"),
        (PASSWORD, "short", "#/newPassword", "password-not-fit"),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(
    gateway: Gateway, owner: Owner, current: str, new: str, place: str, kind: str
) -> None:
    here = await gateway.signed_in(owner)
    answer = await here("PUT", "/api/password", {"currentPassword": current, "newPassword": new})
    assert (answer.status, answer.json["type"]) == (400, f"urn:showbill:problem:{kind}")
    assert answer.json["errors"][0]["pointer"] == place
    assert (await here("GET", "/api/session")).status == 200


async def test_guessing_the_password_of_an_open_session_is_stopped(gateway: Gateway, owner: Owner) -> None:
    here = await gateway.signed_in(owner)
    body = {"currentPassword": "wrong password", "newPassword": NEW}
    statuses = [(await here("PUT", "/api/password", body)).status for _ in range(11)]
    assert statuses == [400] * 10 + [429]


async def test_an_account_without_password_sets_one_after_signing_in(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    await gateway.pool.execute("UPDATE users SET password_hash = NULL WHERE id = $1", member.user_id)
    assert (await gateway.sign_in(member.email)).status == 401
    body = {"currentPassword": "", "newPassword": NEW}
    await gateway.pool.execute(
        "UPDATE sessions SET created_at = now() - interval '1 hour' WHERE user_id = $1", member.user_id
    )
    refused = await member.browser("PUT", "/api/password", body)
    assert (refused.status, refused.json["type"]) == (403, "urn:showbill:problem:sign-in-again")
    await gateway.pool.execute("UPDATE sessions SET created_at = now() WHERE user_id = $1", member.user_id)
    assert (await member.browser("PUT", "/api/password", body)).status == 204
    assert (await gateway.sign_in(member.email, NEW)).status == 200


async def test_tokens_have_no_account(gateway: Gateway, owner: Owner) -> None:
    for method, path in (("GET", "/api/sessions"), ("DELETE", "/api/sessions"), ("GET", "/api/workspaces")):
        answer = await owner.client(method, path)
        assert (answer.status, answer.json["type"]) == (403, "urn:showbill:problem:people-only")


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.20", "curl"),
        ("", "Unknown device"),
    ],
)
def test_devices_are_told_in_plain_words(agent: str, device: str) -> None:
    assert device_of(agent) == device
