"""Members: roles changed by owners, people removed with all that lets them in, never the last owner."""

import asyncio

import pytest

from services.gateway.realtime.listener import SESSION_ENDED
from tests.gateway.harness import Gateway, Owner
from tests.gateway.test_realtime import closed_with, heard
from tests.waiting import eventually


async def test_everybody_sees_the_members(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    listed = (await member.browser("GET", "/api/members")).json
    assert {one["email"]: one["role"] for one in listed["items"]} == {owner.email: "owner", member.email: "operator"}
    assert listed["nextPageToken"] == ""
    assert (await member.browser("GET", "/api/workspace")).json == {
        "id": owner.workspace_id,
        "name": "Shop",
        "plan": "free",
    }


async def test_a_role_counts_from_the_next_request_on(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    assert (await member.browser("GET", "/api/tokens")).status == 403
    changed = await owner.client("PATCH", f"/api/members/{member.user_id}", {"role": "owner"})
    assert (changed.status, changed.json["role"]) == (200, "owner")
    assert (await member.browser("GET", "/api/tokens")).status == 200


async def test_of_two_who_change_a_member_the_second_is_told(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    path = f"/api/members/{member.user_id}"
    read = (await owner.client("GET", path)).headers["ETag"]
    first = await owner.client("PATCH", path, {"role": "owner"}, headers={"If-Match": read})
    assert first.status == 200
    assert first.headers["ETag"] not in ("", read)
    second = await owner.client("PATCH", path, {"role": "operator"}, headers={"If-Match": read})
    assert (second.status, second.json["type"]) == (412, "urn:showbill:problem:member-changed")
    for tag in (read, "3", 'W/"1"', '"x"', '"1", "2"'):
        assert (await owner.client("DELETE", path, headers={"If-Match": tag})).status == 412
    assert (await owner.client("GET", path)).json["role"] == "owner"
    assert (await owner.client("DELETE", path, headers={"If-Match": first.headers["ETag"]})).status == 204


async def test_the_last_owner_stays(gateway: Gateway, owner: Owner) -> None:
    own = (await owner.client("GET", "/api/members")).json["items"][0]["userId"]
    for method, body in (("PATCH", {"role": "operator"}), ("DELETE", None)):
        answer = await owner.client(method, f"/api/members/{own}", body)
        assert (answer.status, answer.json["type"]) == (409, "urn:showbill:problem:last-owner")
    assert (await owner.client("PATCH", f"/api/members/{own}", {"role": "owner"})).status == 200


async def test_two_owners_cannot_remove_one_another_at_once(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_member(owner, role="owner")
    own = (await gateway.signed_in(owner), (await gateway.sign_in(owner.email)).json["user"]["id"])
    answers = await asyncio.gather(
        own[0]("DELETE", f"/api/members/{other.user_id}"), other.browser("DELETE", f"/api/members/{own[1]}")
    )
    # One goes; the other finds themselves gone, or alone.
    assert min(answer.status for answer in answers) == 204
    left = "SELECT count(*) FROM memberships WHERE workspace_id = $1 AND role = 'owner'"
    assert await gateway.pool.fetchval(left, owner.workspace_id) == 1


async def test_removing_takes_all_that_lets_a_person_in(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner, role="owner")
    token = (await member.browser("POST", "/api/tokens", {"name": "theirs", "role": "owner"})).json["token"]
    # What a token of theirs made is theirs too.
    handed = (await gateway.bearer(token)("POST", "/api/tokens", {"name": "theirs again"})).json["token"]
    made = await member.browser("POST", "/api/invitations", {"email": "friend@example.org", "role": "owner"})
    invitation = made.json["link"].rpartition("/")[2]
    async with member.browser.listen(Origin="https://showbill.example") as socket:
        await heard(socket, 1)
        assert (await owner.client("DELETE", f"/api/members/{member.user_id}")).status == 204
        assert await closed_with(socket) == SESSION_ENDED
    assert (await member.browser("GET", "/api/session")).status == 401
    for one in (token, handed):
        assert (await gateway.bearer(one)("GET", "/api/session")).status == 401
    assert (await gateway.accept(invitation)).status == 404
    assert (await gateway.sign_in(member.email)).status == 401
    assert (await owner.client("GET", f"/api/members/{member.user_id}")).status == 404


async def test_who_is_no_owner_any_more_keeps_no_owners_token(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner, role="owner")
    tokens = {
        role: (await member.browser("POST", "/api/tokens", {"name": role, "role": role})).json["token"]
        for role in ("owner", "operator")
    }
    await owner.client("PATCH", f"/api/members/{member.user_id}", {"role": "operator"})
    assert (await gateway.bearer(tokens["owner"])("GET", "/api/session")).status == 401
    assert (await gateway.bearer(tokens["operator"])("GET", "/api/session")).status == 200


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"role": "owner"}), ("DELETE", None)])
async def test_members_of_another_workspace_are_not_found(
    gateway: Gateway, owner: Owner, method: str, body: object
) -> None:
    other = await gateway.make_owner()
    member = await gateway.make_member(other)
    for user_id in (member.user_id, "nonsense"):
        answer = await owner.client(method, f"/api/members/{user_id}", body)
        assert (answer.status, answer.json["detail"]) == (404, "There is no member with this id in your workspace.")
    assert (await other.client("GET", f"/api/members/{member.user_id}")).json["role"] == "operator"


async def test_members_come_in_pages(gateway: Gateway, owner: Owner) -> None:
    for _ in range(2):
        await gateway.make_member(owner)
    found, token = [], ""
    while True:
        page = (await owner.client("GET", f"/api/members?pageSize=2&pageToken={token}")).json
        found += [one["email"] for one in page["items"]]
        token = page["nextPageToken"]
        if not token:
            break
    assert len(found) == len(set(found)) == 3
    assert (await owner.client("GET", "/api/members?pageToken=nonsense")).status == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/tokens", {"name": "kept", "role": "owner"}),
        ("POST", "/api/invitations", {"email": "friend@example.com", "role": "owner"}),
        ("PATCH", "/api/members/{owner}", {"role": "operator"}),
        ("DELETE", "/api/members/{owner}", None),
    ],
)
async def test_rights_that_end_on_the_way_are_handed_on_to_nobody(
    gateway: Gateway, owner: Owner, method: str, path: str, body: object
) -> None:
    """Past the door as an owner, and none any more when it is done."""
    other, second = await gateway.make_member(owner, role="owner"), await gateway.make_member(owner, role="owner")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock' AND query LIKE '%FROM workspaces%'"
    )
    async with gateway.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM workspaces WHERE id = $1 FOR UPDATE", owner.workspace_id)
        asking = asyncio.create_task(other.browser(method, path.format(owner=second.user_id), body))
        await eventually(lambda: gateway.pool.fetchval(waiting), why="the request did not get to the lock")
        await connection.execute("UPDATE memberships SET role = 'operator' WHERE user_id = $1", other.user_id)
    refused = await asking
    assert (refused.status, refused.json["type"]) == (403, "urn:showbill:problem:owners-only")
    assert [one["name"] for one in (await owner.client("GET", "/api/tokens")).json["items"]] == ["First token"]
    assert (await owner.client("GET", "/api/invitations")).json["items"] == []
    assert (await owner.client("GET", f"/api/members/{second.user_id}")).json["role"] == "owner"
