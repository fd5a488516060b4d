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
