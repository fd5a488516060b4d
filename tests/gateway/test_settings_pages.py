"""The settings pages and the invitation's page, as forms without a script send them."""

import re

from tests.gateway.harness import PASSWORD, Answer, Client, Gateway, Owner

NEW = "an even longer password"


def shown(answer: Answer, label: str) -> str:
    """What the field of that label holds."""
    found = re.search(rf'value="([^"]+)" aria-label="{label}"', answer.text)
    assert found, answer.text
    return found[1]


async def invited(gateway: Gateway, browser: Client, role: str = "operator") -> str:
    answer = await browser("POST", "/settings/invitations", data={"email": f"{role}-f@example.com", "role": role})
    assert answer.status == 200
    return shown(answer, "Link of the invitation").removeprefix("https://showbill.example")


async def test_an_invitation_leads_into_the_workspace(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    path = await invited(gateway, browser)
    again = await browser("GET", "/settings")
    assert "operator-f@example.com" in again.text
    assert path not in again.text
    stranger = gateway.client()
    page = await stranger("GET", path)
    assert page.status == 200
    assert "Join Shop" in page.text
    faulty = await stranger("POST", path, data={"name": "", "password": "short"})
    assert faulty.status == 422
    assert "Say what you are called." in faulty.text
    assert "at least 10 characters" in faulty.text
    joined = await stranger("POST", path, data={"name": "Ann", "password": PASSWORD})
    assert (joined.status, joined.headers["Location"]) == (303, "/shows")
    assert (await gateway.browser(joined)("GET", "/settings")).status == 200
    used = await stranger("GET", path)
    assert used.status == 404
    assert "does not work any more" in used.text
    await gateway.pool.execute("DELETE FROM users WHERE email = 'operator-f@example.com'")


async def test_an_operator_sees_people_but_no_controls(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    page = await member.browser("GET", "/settings")
    assert owner.email in page.text
    for control in ("/settings/invitations", "/role", "/remove", "/settings/tokens"):
        assert control not in page.text
    assert (await member.browser("GET", "/settings/tokens")).status == 403


async def test_roles_change_and_the_last_owner_stays(gateway: Gateway, owner: Owner) -> None:
    browser, member = await gateway.signed_in(owner), await gateway.make_member(owner)
    own = (await browser("GET", "/api/session")).json["user"]["id"]
    refused = await browser("POST", f"/settings/members/{own}/role", data={"role": "operator", "version": "1"})
    assert (refused.status, "the only one" in refused.text) == (409, True)
    path = f"/settings/members/{member.user_id}"
    assert (await browser("POST", path + "/role", data={"role": "owner", "version": "1"})).status == 303
    stale = await browser("POST", path + "/role", data={"role": "operator", "version": "1"})
    assert (stale.status, "meanwhile" in stale.text) == (412, True)
    assert (await browser("POST", path + "/remove")).headers["Location"] == "/settings"
    assert (await member.browser("GET", "/api/session")).status == 401


async def test_an_invitation_is_withdrawn(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    path = await invited(gateway, browser)
    (entry,) = (await owner.client("GET", "/api/invitations")).json["items"]
    answer = await browser("POST", f"/settings/invitations/{entry['id']}/revoke")
    assert (answer.status, answer.headers["Location"]) == (303, "/settings")
    assert (await gateway.client()("GET", path)).status == 404
    twice = await browser("POST", "/settings/invitations", data={"email": owner.email, "role": "owner"})
    assert (twice.status, "already" in twice.text) == (422, True)


async def test_a_token_is_made_shown_once_and_revoked(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    made = await browser(
        "POST",
        "/settings/tokens",
        data=[("name", "Engine"), ("scopes", "read"), ("scopes", "shows:write"), ("days", "30")],
    )
    token = shown(made, "The new token")
    assert token not in (await browser("GET", "/settings/tokens")).text
    who = await gateway.bearer(token)("GET", "/api/session")
    assert (who.json["role"], who.json["scopes"]) == ("operator", ["read", "shows:write"])
    (entry,) = [one for one in (await owner.client("GET", "/api/tokens")).json["items"] if one["name"] == "Engine"]
    assert entry["expiresAt"] is not None
    assert (await browser("POST", f"/settings/tokens/{entry['id']}/revoke")).status == 303
    assert (await gateway.bearer(token)("GET", "/api/session")).status == 401
    nothing = await browser("POST", "/settings/tokens", data={"name": "x", "days": "0"})
    assert (nothing.status, "at least one" in nothing.text) == (422, True)


async def test_the_password_changes_and_other_sessions_end(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    wrong = await member.browser(
        "POST", "/settings/password", data={"current_password": "wrong password", "new_password": NEW}
    )
    assert (wrong.status, "not right" in wrong.text) == (422, True)
    changed = await member.browser(
        "POST", "/settings/password", data={"current_password": PASSWORD, "new_password": NEW}
    )
    assert (changed.status, "is changed" in changed.text) == (200, True)
    assert (await member.browser("GET", "/api/session")).status == 401
    here = gateway.browser(changed)
    other = gateway.browser(await gateway.sign_in(member.email, NEW))
    listed = (await here("GET", "/api/sessions")).json["items"]
    theirs = next(one["id"] for one in listed if not one["current"])
    assert (await here("POST", f"/settings/sessions/{theirs}/end")).headers["Location"] == "/settings/account"
    assert (await other("GET", "/api/session")).status == 401
    other = gateway.browser(await gateway.sign_in(member.email, NEW))
    assert (await here("POST", "/settings/sessions/end-others")).status == 303
    assert (await other("GET", "/api/session")).status == 401
    assert (await here("GET", "/settings/account")).status == 200


async def test_a_person_goes_from_one_workspace_to_another(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    member = await gateway.make_member(other)
    _, token = await gateway.invite(owner, email=member.email)
    page = await gateway.client()("GET", f"/join/{token}")
    assert "account already" in page.text
    joined = await gateway.client()("POST", f"/join/{token}", data={"password": PASSWORD})
    here = gateway.browser(joined)
    assert other.workspace_id in (await here("GET", "/settings/account")).text
    gone = await here("POST", "/settings/workspace", data={"workspace_id": other.workspace_id})
    assert (gone.status, gone.headers["Location"]) == (303, "/shows")
    assert (await gateway.browser(gone)("GET", "/api/session")).json["workspace"]["id"] == other.workspace_id
