"""Whoever guesses at a password locks nobody out where they signed in before."""

import asyncio
from typing import Any

import pytest

from services.common.secret import Secret
from services.gateway.identity import places, throttle
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.places import Places
from tests.gateway.harness import PASSWORD, Answer, Gateway, Owner
from tests.waiting import eventually

NEW = "an even longer password"


def device_of(answer: Answer) -> str:
    """The cookie that the device is known by."""
    line = next(line for line in answer.headers.getall("Set-Cookie") if "showbill_device=" in line)
    for part in ("__Host-showbill_device=", "HttpOnly", "SameSite=lax", "Secure", "Path=/", "Max-Age="):
        assert part in line
    return str(line.split(";")[0])


async def sign_in(gateway: Gateway, email: str, password: str = PASSWORD, device: str = "") -> Answer:
    client = gateway.client(**({"Cookie": device} if device else {}))
    return await client("POST", "/api/session", {"email": email, "password": password})


async def guessed_at(gateway: Gateway, email: str) -> None:
    """Strangers all over the world have tried."""
    key = throttle._key("account", email)
    await gateway.pool.execute(
        "INSERT INTO sign_in_failures VALUES ($1, 5000, now()) ON CONFLICT (counted_for) DO UPDATE SET failures = 5000",
        key,
    )


async def elsewhere(gateway: Gateway) -> None:
    """From now on all networks are new: only devices are known."""
    await gateway.pool.execute(
        "DELETE FROM known_places WHERE mark = sha256(convert_to('network', 'UTF8') || '\\x00'::bytea || '127.0.0.1')"
    )


async def test_a_stranger_locks_nobody_out_on_a_known_device(gateway: Gateway, owner: Owner) -> None:
    device = device_of(await sign_in(gateway, owner.email))
    await elsewhere(gateway)
    await guessed_at(gateway, owner.email)
    assert (await sign_in(gateway, owner.email, device=device)).status == 200
    assert (await sign_in(gateway, owner.email.upper(), device=device)).status == 200


async def test_a_stranger_locks_nobody_out_in_a_known_network(gateway: Gateway, owner: Owner) -> None:
    await sign_in(gateway, owner.email)
    await guessed_at(gateway, owner.email)
    assert (await sign_in(gateway, owner.email)).status == 200


@pytest.mark.parametrize("device", ["none", "made up", "of another"])
async def test_where_an_account_is_not_known_all_guesses_are_counted_together(
    gateway: Gateway, owner: Owner, device: str
) -> None:
    await sign_in(gateway, owner.email)
    anothers = device_of(await sign_in(gateway, (await gateway.make_owner()).email))
    cookies = {"none": "", "made up": "__Host-showbill_device=" + "x" * 43, "of another": anothers}
    for email in (owner.email, "nobody@example.com"):
        await elsewhere(gateway)
        await guessed_at(gateway, email)
        refused = await sign_in(gateway, email, device=cookies[device])
        assert (refused.status, refused.json["type"]) == (429, "urn:showbill:problem:too-many-attempts")
        assert "Sign in on a device where you did before, or in 15 minutes." in refused.json["detail"]
        assert 0 < int(refused.headers["Retry-After"]) <= throttle.WINDOW


async def test_a_known_device_does_not_guess_for_ever(gateway: Gateway, owner: Owner) -> None:
    """Whoever copied its cookie has used its tries up: it goes on as one that is not known, and no further."""
    device = device_of(await sign_in(gateway, owner.email))
    for network_known in (True, False):
        await gateway.pool.execute("DELETE FROM sign_in_failures")
        if not network_known:
            await elsewhere(gateway)
        for _ in range(2 * throttle.PER_ACCOUNT_AND_PLACE - 1):
            assert (await sign_in(gateway, owner.email, "wrong", device)).status == 401
        assert (await sign_in(gateway, owner.email, device=device)).status == 200, "nobody is locked out by its count"
        for _ in range(throttle.PER_ACCOUNT_AND_PLACE):
            assert (await sign_in(gateway, owner.email, "wrong", device)).status == 401
        assert (await sign_in(gateway, owner.email, device=device)).status == 429


async def test_a_device_whose_tries_are_used_up_counts_with_the_strangers(gateway: Gateway, owner: Owner) -> None:
    device = device_of(await sign_in(gateway, owner.email))
    await elsewhere(gateway)
    await guessed_at(gateway, owner.email)
    for _ in range(throttle.PER_ACCOUNT_AND_PLACE):
        assert (await sign_in(gateway, owner.email, "wrong", device)).status == 401
    refused = await sign_in(gateway, owner.email, device=device)
    assert (refused.status, "There were too many failed sign-ins." in refused.json["detail"]) == (429, True)


async def test_a_device_keeps_its_cookie_and_takes_none_that_is_not_ours(gateway: Gateway, owner: Owner) -> None:
    planted = "__Host-showbill_device=" + "x" * 43
    first = device_of(await sign_in(gateway, owner.email, device=planted))
    assert first != planted
    assert device_of(await sign_in(gateway, owner.email, device=first)) == first
    other = await gateway.make_owner()
    assert device_of(await sign_in(gateway, other.email, device=first)) == first, "two people at one till"


async def test_only_the_newest_places_of_a_person_are_kept(gateway: Gateway, owner: Owner) -> None:
    """A program that brings no cookie along is a new device each time."""
    another = device_of(await sign_in(gateway, (await gateway.make_owner()).email))
    first = device_of(await sign_in(gateway, owner.email))
    await gateway.pool.execute(
        "INSERT INTO known_places (mark, user_id) SELECT sha256(n::text::bytea), users.id "
        "FROM generate_series(1, $2) AS n, users WHERE email = $1",
        *(owner.email, places.MOST),
    )
    last = device_of(await sign_in(gateway, owner.email))
    kept = "SELECT count(*) FROM known_places JOIN users ON users.id = user_id WHERE email = $1"
    assert await gateway.pool.fetchval(kept, owner.email) == places.MOST
    assert device_of(await sign_in(gateway, owner.email, device=last)) == last
    assert device_of(await sign_in(gateway, owner.email, device=first)) != first, "it is not known any more"
    assert device_of(await sign_in(gateway, owner.email, device=another)) == another, "others' places are not touched"


async def test_another_password_makes_every_device_unknown(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    device = device_of(await sign_in(gateway, member.email))
    changed = await member.browser("PUT", "/api/password", {"currentPassword": PASSWORD, "newPassword": NEW})
    await elsewhere(gateway)
    await guessed_at(gateway, member.email)
    assert (await sign_in(gateway, member.email, NEW, device)).status == 429
    assert (await sign_in(gateway, member.email, NEW, device_of(changed))).status == 200


async def test_a_password_is_changed_whatever_strangers_do(gateway: Gateway, owner: Owner) -> None:
    member = await gateway.make_member(owner)
    await elsewhere(gateway)
    await guessed_at(gateway, member.email)
    changed = await member.browser("PUT", "/api/password", {"currentPassword": PASSWORD, "newPassword": NEW})
    assert changed.status == 204


@pytest.mark.parametrize("outdated", [False, True])
async def test_a_password_changed_meanwhile_lets_nobody_in_and_stays(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch, outdated: bool
) -> None:
    """Between the check of the old password and the session that it opens."""
    matches = Passwords.matches

    async def and_changed(self: Passwords, *given: Any) -> bool:
        matched = await matches(self, *given)
        await gateway.pool.execute("UPDATE users SET password_hash = 'another' WHERE email = $1", owner.email)
        return matched

    monkeypatch.setattr(Passwords, "matches", and_changed)
    monkeypatch.setattr(Passwords, "outdated", staticmethod(lambda _: outdated))
    assert (await sign_in(gateway, owner.email)).status == 401
    find = "SELECT password_hash FROM users WHERE email = $1"
    assert await gateway.pool.fetchval(find, owner.email) == "another"


async def test_a_password_changed_meanwhile_leaves_no_place_known(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the session that the old one opened and the mark of its device: the change has not come to its end."""
    remember, ours = Places.remember, "user_id = (SELECT id FROM users WHERE email = $1)"

    async def over(marking: asyncio.Task[Secret]) -> bool:
        """Either it waits for the change, or it is done."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND wait_event_type = 'Lock' AND query LIKE '%known_places%'"
        )
        return marking.done() or await gateway.pool.fetchval(waiting) > 0

    async def while_changed(self: Places, *given: Any) -> Secret:
        async with gateway.pool.acquire() as connection, connection.transaction():
            await connection.execute(f"DELETE FROM sessions WHERE {ours}", owner.email)
            await connection.execute(f"DELETE FROM known_places WHERE {ours}", owner.email)
            marking = asyncio.create_task(remember(self, *given))
            await eventually(lambda: over(marking))
        return await marking

    monkeypatch.setattr(Places, "remember", while_changed)
    await sign_in(gateway, owner.email)
    assert await gateway.pool.fetchval(f"SELECT count(*) FROM known_places WHERE {ours}", owner.email) == 0


async def test_of_two_who_change_a_password_the_second_is_refused(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await gateway.signed_in(owner)
    matches = Passwords.matches

    async def and_changed(self: Passwords, *given: Any) -> bool:
        matched = await matches(self, *given)
        await gateway.pool.execute("UPDATE users SET password_hash = 'another' WHERE email = $1", owner.email)
        return matched

    monkeypatch.setattr(Passwords, "matches", and_changed)
    refused = await here("PUT", "/api/password", {"currentPassword": PASSWORD, "newPassword": NEW})
    assert (refused.status, refused.json["type"]) == (400, "urn:showbill:problem:wrong-password")
    assert (await here("GET", "/api/session")).status == 200, "nothing ended"
