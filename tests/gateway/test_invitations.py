"""Invitations: for one address, shown once, good once, until they run out or are withdrawn."""

import asyncio

import pytest

from tests.gateway.harness import PASSWORD, Gateway, Owner


async def test_an_invited_person_comes_in_with_the_role(gateway: Gateway, owner: Owner) -> None:
    made = await owner.client("POST", "/api/invitations", {"email": "Ann@example.com", "role": "operator"})
    assert made.status == 201
    assert made.json["link"].startswith("https://showbill.example/join/")
    accepted = await gateway.accept(made.json["link"].rpartition("/")[2], name="Ann Low")
    assert accepted.status == 200
    assert (accepted.json["user"]["email"], accepted.json["user"]["name"]) == ("Ann@example.com", "Ann Low")
    assert (accepted.json["role"], accepted.json["workspace"]["id"]) == ("operator", owner.workspace_id)
    assert (await gateway.browser(accepted)("GET", "/api/session")).json["role"] == "operator"
    assert (await gateway.sign_in("ann@example.com")).json["workspace"]["id"] == owner.workspace_id
    assert (await owner.client("GET", "/api/invitations")).json["items"] == []


async def test_the_link_is_shown_only_once(gateway: Gateway, owner: Owner) -> None:
    email, token = await gateway.invite(owner, role="owner")
    listed = await owner.client("GET", "/api/invitations")
    (entry,) = listed.json["items"]
    assert (entry["email"], entry["role"]) == (email, "owner")
    assert entry["invitedBy"] == owner.email
    assert token not in listed.text
    stored = str([tuple(row.values()) for row in await gateway.pool.fetch("SELECT * FROM invitations")])
    assert token not in stored


async def test_a_link_lets_in_only_one(gateway: Gateway, owner: Owner) -> None:
    _, token = await gateway.invite(owner)
    answers = await asyncio.gather(*(gateway.accept(token) for _ in range(3)))
    assert min(answer.status for answer in answers) == 200
    assert [answer.status for answer in answers].count(200) == 1
    again = await gateway.accept(token)
    assert (again.status, again.json["type"]) == (404, "urn:showbill:problem:invitation-gone")


@pytest.mark.parametrize("way", ["withdrawn", "run out", "replaced", "never made"])
async def test_a_link_that_is_gone_lets_nobody_in(gateway: Gateway, owner: Owner, way: str) -> None:
    email, token = await gateway.invite(owner)
    if way == "withdrawn":
        (entry,) = (await owner.client("GET", "/api/invitations")).json["items"]
        assert (await owner.client("DELETE", f"/api/invitations/{entry['id']}")).status == 204
    elif way == "run out":
        await gateway.pool.execute("UPDATE invitations SET expires_at = now() WHERE email = $1", email)
    elif way == "replaced":
        _, later = await gateway.invite(owner, email=email.upper())
        assert len((await owner.client("GET", "/api/invitations")).json["items"]) == 1
        assert later != token
    else:
        token = "x" * 43
    answer = await gateway.accept(token)
    assert (answer.status, answer.json["type"]) == (404, "urn:showbill:problem:invitation-gone")
    assert "Set-Cookie" not in answer.headers
    assert await gateway.pool.fetchval("SELECT count(*) FROM users WHERE email = $1", email) == 0


async def test_all_that_a_new_account_lacks_is_told_at_once(gateway: Gateway, owner: Owner) -> None:
    _, token = await gateway.invite(owner)
    answer = await gateway.accept(token, name=" ", password="short")
    assert answer.status == 400
    assert {fault["pointer"] for fault in answer.json["errors"]} == {"#/name", "#/password"}
    assert (await gateway.accept(token)).status == 200  # nothing was used up


async def test_an_account_that_exists_proves_its_password(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    member = await gateway.make_member(other)
    _, token = await gateway.invite(owner, email=member.email)
    refused = await gateway.accept(token, password="another password than theirs")
    assert (refused.status, refused.json["type"]) == (401, "urn:showbill:problem:wrong-credentials")
    accepted = await gateway.accept(token)
    assert accepted.json["workspace"]["id"] == owner.workspace_id
    assert accepted.json["user"]["id"] == member.user_id
    # Both workspaces are theirs now; the next sign-in opens the one that was opened last.
    assert (await gateway.sign_in(member.email)).json["workspace"]["id"] == owner.workspace_id
    browser = gateway.browser(accepted)
    switched = await browser("PUT", "/api/session/workspace", {"workspaceId": other.workspace_id})
    assert (switched.status, switched.json["workspace"]["id"]) == (200, other.workspace_id)
    assert (await browser("GET", "/api/session")).status == 401  # the session was replaced
    there = gateway.browser(switched)
    listed = await there("GET", "/api/workspaces")
    assert {one["id"]: one["current"] for one in listed.json["items"]} == {
        owner.workspace_id: False,
        other.workspace_id: True,
    }
    third = await gateway.make_owner()
    for stranger in (third.workspace_id, "x"):
        refused = await there("PUT", "/api/session/workspace", {"workspaceId": stranger})
        assert (refused.status, refused.json["detail"][:45]) == (404, "You belong to no workspace with this id. Look")


async def test_guessing_an_invited_accounts_password_is_stopped(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(await gateway.make_owner())
    _, token = await gateway.invite(owner, email=member.email)
    statuses = [(await gateway.accept(token, password="wrong password")).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]


async def test_members_are_not_invited_twice(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    answer = await owner.client("POST", "/api/invitations", {"email": member.email.upper(), "role": "owner"})
    assert (answer.status, answer.json["type"]) == (409, "urn:showbill:problem:already-member")


async def test_an_address_that_is_none_is_refused(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("POST", "/api/invitations", {"email": "a b@c@d", "role": "owner"})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "#/email")


async def test_invitations_of_another_workspace_are_not_found(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    _, token = await gateway.invite(other)
    (theirs,) = (await other.client("GET", "/api/invitations")).json["items"]
    for invitation_id in (theirs["id"], "nonsense"):
        assert (await owner.client("DELETE", f"/api/invitations/{invitation_id}")).status == 404
    assert (await owner.client("GET", "/api/invitations")).json["items"] == []
    assert (await gateway.accept(token)).status == 200


async def test_accepting_needs_one_of_our_pages(gateway: Gateway, owner: Owner) -> None:
    _, token = await gateway.invite(owner)
    assert (await gateway.accept(token, Origin="https://evil.example")).status == 403
    assert (await gateway.accept(token, password=PASSWORD)).status == 200
