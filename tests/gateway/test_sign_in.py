"""Sessions: signing in, what the cookie may do, signing out."""

import pytest

from services.gateway.identity import passwords, throttle
from tests.gateway.harness import PASSWORD, Gateway, Owner, session_line


async def test_signing_in_sets_a_strict_cookie(gateway: Gateway, owner: Owner) -> None:
    answer = await gateway.sign_in(owner.email)
    assert answer.status == 200
    assert answer.json["way"] == "session"
    assert answer.json["role"] == "owner"
    assert answer.json["user"]["email"] == owner.email
    assert answer.json["workspace"]["id"] == owner.workspace_id
    cookie = session_line(answer)
    for part in ("__Host-showbill_session=", "HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert part in cookie


async def test_the_address_may_be_written_otherwise(gateway: Gateway, owner: Owner) -> None:
    assert (await gateway.sign_in(owner.email.upper())).status == 200


async def test_unknown_account_and_wrong_password_look_alike(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, checked, verify = [], [], passwords._verify

    def noted(password_hash: str, password: str) -> bool:
        checked.append(password_hash)
        return verify(password_hash, password)

    monkeypatch.setattr(passwords, "_verify", noted)
    for email in (owner.email, "nobody@example.com"):
        answers.append(await gateway.sign_in(email, "wrong password"))
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].json["detail"] == answers[1].json["detail"]
    # Both take the time of one hash, of the same costs.
    assert len(checked) == 2
    assert [hashed.split("$")[1:4] for hashed in checked] == [passwords._hasher.hash("x").split("$")[1:4]] * 2
    assert "Set-Cookie" not in answers[0].headers


async def test_guessing_is_stopped_and_says_when_to_return(gateway: Gateway, owner: Owner) -> None:
    for _ in range(throttle.PER_ACCOUNT_AND_PLACE):
        assert (await gateway.sign_in(owner.email, "wrong")).status == 401
    refused = await gateway.sign_in(owner.email)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= throttle.WINDOW
    other = await gateway.make_owner()
    assert (await gateway.sign_in(other.email)).status == 200
    await gateway.pool.execute("UPDATE sign_in_failures SET window_began_at = now() - interval '1 hour'")
    assert (await gateway.sign_in(owner.email)).status == 200


async def test_another_spelling_of_an_address_is_counted_with_it(gateway: Gateway, owner: Owner) -> None:
    """İ is a plain i for the database, which finds the account, and something else for Python."""
    email, token = await gateway.invite(owner, email="olivia@example.com")
    await gateway.accept(token)
    spelled = "ol\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}via@example.com"
    assert (await gateway.sign_in(spelled)).status == 200, "the same account"
    for _ in range(throttle.PER_ACCOUNT_AND_PLACE):
        assert (await gateway.sign_in(email, "wrong")).status == 401
    assert (await gateway.sign_in(spelled, "wrong")).status == 429


async def test_signing_in_well_is_no_failure(gateway: Gateway, owner: Owner) -> None:
    for _ in range(throttle.PER_ACCOUNT_AND_PLACE + 2):
        assert (await gateway.sign_in(owner.email)).status == 200
    assert await gateway.pool.fetchval("SELECT coalesce(max(failures), 0) FROM sign_in_failures") == 0


async def test_signing_out_ends_the_session(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner)
    assert (await browser("GET", "/api/session")).json["user"]["email"] == owner.email
    left = await browser("DELETE", "/api/session")
    assert left.status == 204
    assert "Max-Age=0" in left.headers["Set-Cookie"]
    assert (await browser("GET", "/api/session")).status == 401


@pytest.mark.parametrize("column", ["expires_at", "last_seen_at"])
async def test_a_session_ends_by_time(gateway: Gateway, owner: Owner, column: str) -> None:
    browser = await gateway.signed_in(owner)
    await gateway.pool.execute(f"UPDATE sessions SET {column} = now() - interval '40 days'")
    assert (await browser("GET", "/api/session")).status == 401


async def test_only_hashes_of_credentials_are_stored(gateway: Gateway, owner: Owner) -> None:
    answer = await gateway.sign_in(owner.email)
    cookie = session_line(answer).split(";")[0].partition("=")[2]
    stored = ""
    for table in ("users", "sessions", "api_tokens"):
        stored += str([tuple(row.values()) for row in await gateway.pool.fetch(f"SELECT * FROM {table}")])
    for secret in (cookie, owner.token, PASSWORD):
        assert secret not in stored
        assert secret.encode().hex() not in stored
    assert "$argon2id$" in stored


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "https://showbill.example"}, True),
        ({}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://[x"}, False),
        ({"Origin": "https://showbill.example.evil.example"}, False),
    ],
)
async def test_writes_by_cookie_must_come_from_our_pages(
    gateway: Gateway, owner: Owner, headers: dict[str, str], allowed: bool
) -> None:
    browser = await gateway.signed_in(owner)
    answer = await browser("POST", "/api/shows", {"name": "x", "currency": "GBP"}, headers=headers)
    assert answer.status == (201 if allowed else 403)
    assert bool(gateway.invoicing.calls["CreateShow"]) is allowed
    read = await browser("GET", "/api/session", headers=headers)
    assert read.status == 200
    sign_in = await gateway.client()(
        "POST", "/api/session", {"email": owner.email, "password": PASSWORD}, headers=headers
    )
    assert sign_in.status == (200 if allowed else 403)


async def test_a_bearer_token_needs_no_origin(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client(
        "POST", "/api/shows", {"name": "x", "currency": "GBP"}, headers={"Origin": "https://elsewhere.example"}
    )
    assert answer.status == 201


async def test_a_bad_token_is_not_saved_by_a_cookie(gateway: Gateway, owner: Owner) -> None:
    browser = await gateway.signed_in(owner, Authorization="Bearer showbill_nonsense")
    assert (await browser("GET", "/api/session")).status == 401
