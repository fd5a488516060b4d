"""API tokens: shown once, listed without themselves, revocable."""

from tests.gateway.harness import Gateway, Owner


async def test_a_token_is_shown_once_and_works(gateway: Gateway, owner: Owner) -> None:
    made = await owner.client("POST", "/api/tokens", {"name": "Claim engine"})
    assert made.status == 201
    token = made.json["token"]
    assert token.startswith("showbill_")
    assert made.json["role"] == "operator"
    who = await gateway.bearer(token)("GET", "/api/session")
    assert (who.json["way"], who.json["role"], who.json["user"]) == ("token", "operator", None)

    listed = await owner.client("GET", "/api/tokens")
    assert [entry["name"] for entry in listed.json["items"]] == ["First token", "Claim engine"]
    assert token not in listed.text
    assert listed.json["items"][1]["hint"] == "showbill_…" + token[-4:]
    assert listed.json["items"][1]["lastUsedAt"] is not None


async def test_a_revoked_token_lets_nobody_in(gateway: Gateway, owner: Owner) -> None:
    made = (await owner.client("POST", "/api/tokens", {"name": "old"})).json
    client = gateway.bearer(made["token"])
    assert (await client("GET", "/api/session")).status == 200
    assert (await owner.client("DELETE", f"/api/tokens/{made['id']}")).status == 204
    assert (await client("GET", "/api/session")).status == 401
    assert (await owner.client("DELETE", f"/api/tokens/{made['id']}")).status == 204


async def test_tokens_of_another_workspace_are_not_found(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    theirs = (await other.client("GET", "/api/tokens")).json["items"][0]["id"]
    for token_id in (theirs, "nonsense"):
        answer = await owner.client("DELETE", f"/api/tokens/{token_id}")
        assert answer.status == 404
        assert answer.json["detail"] == "There is no API token with this id in your workspace."
    assert (await other.client("GET", "/api/session")).status == 200


async def test_a_token_may_do_what_its_scopes_say(gateway: Gateway, owner: Owner) -> None:
    made = await owner.client("POST", "/api/tokens", {"name": "reader", "scopes": ["read"]})
    assert made.json["scopes"] == ["read"]
    reader = gateway.bearer(made.json["token"])
    assert (await reader("GET", "/api/session")).json["scopes"] == ["read"]
    assert (await reader("GET", "/api/shows")).status == 200
    refused = await reader("POST", "/api/shows", {"name": "x", "currency": "GBP"})
    assert (refused.status, refused.json["type"]) == (403, "urn:showbill:problem:scope-missing")
    assert "shows:write" in refused.json["detail"]
    assert not gateway.invoicing.calls["CreateShow"]


async def test_scopes_beyond_the_role_are_refused_all_at_once(gateway: Gateway, owner: Owner) -> None:
    body = {
        "name": "x",
        "scopes": ["integrations", "read", "workspace"],
        "expiresAt": "2020-01-01T00:00:00Z",
    }
    answer = await owner.client("POST", "/api/tokens", body)
    assert answer.status == 400
    assert [fault["pointer"] for fault in answer.json["errors"]] == ["#/scopes/0", "#/scopes/2", "#/expiresAt"]
    assert (await owner.client("POST", "/api/tokens", {"name": "x", "scopes": []})).status == 400
    assert (await owner.client("POST", "/api/tokens", body | {"role": "owner", "expiresAt": None})).status == 201


async def test_a_token_lends_no_more_than_it_has(gateway: Gateway, owner: Owner) -> None:
    soon = "2099-01-01T00:00:00Z"
    terms = {"name": "keeper", "role": "owner", "scopes": ["workspace", "read"], "expiresAt": soon}
    keeper = gateway.bearer((await owner.client("POST", "/api/tokens", terms)).json["token"])
    for body in ({"name": "x", "role": "owner"}, {"name": "x", "scopes": ["shows:write"]}):
        refused = await keeper("POST", "/api/tokens", body)
        assert (refused.status, refused.json["type"]) == (403, "urn:showbill:problem:scope-beyond-yours")
    lent = await keeper("POST", "/api/tokens", {"name": "x", "scopes": ["read"]})
    assert (lent.status, lent.json["expiresAt"]) == (201, soon)


async def test_a_token_runs_out_when_asked(gateway: Gateway, owner: Owner) -> None:
    made = (await owner.client("POST", "/api/tokens", {"name": "x", "expiresAt": "2099-01-01T00:00:00Z"})).json
    client = gateway.bearer(made["token"])
    assert (await client("GET", "/api/session")).status == 200
    await gateway.pool.execute("UPDATE api_tokens SET expires_at = now() WHERE id = $1", made["id"])
    assert (await client("GET", "/api/session")).status == 401
    listed = (await owner.client("GET", "/api/tokens")).json["items"]
    assert made["id"] in {entry["id"] for entry in listed}


async def test_a_name_that_is_none_is_pointed_to(gateway: Gateway, owner: Owner) -> None:
    for name, says in ((" ", "needs a name"), ("a\0b", "holds a zero character")):
        answer = await owner.client("POST", "/api/tokens", {"name": name, "scopes": []})
        assert answer.status == 400
        assert {fault["pointer"] for fault in answer.json["errors"]} == {"#/name", "#/scopes"}
        assert says in answer.json["detail"]
        _, token = await gateway.invite(owner)
        refused = await gateway.accept(token, name=name, password="short")
        assert {fault["pointer"] for fault in refused.json["errors"]} == {"#/name", "#/password"}
