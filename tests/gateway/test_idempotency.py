"""The same request under the same key makes one thing, whoever asks again and on whichever replica."""

import asyncio
from typing import Any

import pytest

from services.common.errors import ShowbillError
from services.rpc.showbill.invoicing.v1 import invoicing_pb2
from tests.gateway.harness import Answer, Client, Gateway, Owner

SHOW = {"name": "Friday", "currency": "GBP"}


@pytest.fixture(autouse=True)
def making_shows(gateway: Gateway) -> None:
    """Every call makes another show, as it would if nobody told calls apart."""
    numbers = iter(range(1000))

    def create(request: Any) -> Any:
        show = invoicing_pb2.Show(id=f"show-{next(numbers)}", name=request.name, state=invoicing_pb2.SHOW_STATE_DRAFT)
        return invoicing_pb2.CreateShowResponse(show=show)

    gateway.invoicing.script("CreateShow", create)


async def make(client: Client, key: str, body: Any = SHOW) -> Answer:
    return await client("POST", "/api/shows", body, headers={"Idempotency-Key": key})


async def test_the_same_key_answers_what_was_made(gateway: Gateway, owner: Owner) -> None:
    first, second = await make(owner.client, "k1"), await make(owner.client, "k1")
    assert (first.status, second.status) == (201, 201)
    assert second.text == first.text
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(gateway.invoicing.calls["CreateShow"]) == 1
    assert gateway.invoicing.last("CreateShow").request_id


async def test_another_key_or_none_makes_another(gateway: Gateway, owner: Owner) -> None:
    await make(owner.client, "k1")
    await make(owner.client, "k2")
    for _ in range(2):
        await owner.client("POST", "/api/shows", SHOW)
    assert len(gateway.invoicing.calls["CreateShow"]) == 4


async def test_a_key_with_another_body_is_refused(gateway: Gateway, owner: Owner) -> None:
    await make(owner.client, "k1")
    refused = await make(owner.client, "k1", SHOW | {"name": "Saturday"})
    assert (refused.status, refused.json["status"]) == (422, 422)
    assert refused.json["type"] == "urn:showbill:problem:idempotency-key-reused"
    assert len(gateway.invoicing.calls["CreateShow"]) == 1


async def test_keys_of_workspaces_are_apart(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    first, second = await make(owner.client, "k1"), await make(other.client, "k1")
    assert first.json["id"] != second.json["id"]


async def test_who_comes_while_the_first_runs_is_told_to_wait(gateway: Gateway, owner: Owner) -> None:
    running, go_on = asyncio.Event(), asyncio.Event()

    async def create(_request: Any) -> Any:
        running.set()
        await go_on.wait()
        return invoicing_pb2.CreateShowResponse(show=invoicing_pb2.Show(id="x", state=invoicing_pb2.SHOW_STATE_DRAFT))

    gateway.invoicing.script("CreateShow", create)
    first = asyncio.create_task(make(owner.client, "k1"))
    await running.wait()
    second = await make(owner.client, "k1")
    assert (second.status, second.json["type"]) == (409, "urn:showbill:problem:idempotency-key-in-use")
    assert second.headers["Retry-After"] == "1"
    assert (await make(owner.client, "k1", SHOW | {"name": "other"})).status == 422
    go_on.set()
    assert (await first).status == 201
    assert (await make(owner.client, "k1")).json["id"] == "x"


async def test_a_request_that_failed_may_be_sent_again(gateway: Gateway, owner: Owner) -> None:
    works = gateway.invoicing.answer_of("CreateShow")
    gateway.invoicing.script("CreateShow", ShowbillError())
    assert (await make(owner.client, "k1")).status == 500
    assert (await make(owner.client, "k1", {"name": ""})).status == 400
    gateway.invoicing.script("CreateShow", works)
    assert (await make(owner.client, "k1")).status == 201
    # What is behind recognises the three by one id, should the first have done it after all.
    assert len({call.request.request_id for call in gateway.invoicing.calls["CreateShow"]}) == 1


async def test_a_key_whose_holder_died_is_taken_over(gateway: Gateway, owner: Owner) -> None:
    await make(owner.client, "k1")
    await gateway.pool.execute("UPDATE idempotent_answers SET status = NULL, holder = gen_random_uuid()")
    assert (await make(owner.client, "k1")).status == 409
    await gateway.pool.execute("UPDATE idempotent_answers SET held_since = now() - interval '10 minutes'")
    assert (await make(owner.client, "k1", SHOW | {"name": "other"})).status == 422
    assert (await make(owner.client, "k1")).status == 201


async def test_a_key_is_forgotten_after_a_day(gateway: Gateway, owner: Owner) -> None:
    await make(owner.client, "k1")
    await gateway.pool.execute("UPDATE idempotent_answers SET held_since = now() - interval '25 hours'")
    assert (await make(owner.client, "k1", SHOW | {"name": "other"})).status == 201


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_that_is_none_is_refused(gateway: Gateway, owner: Owner, key: str) -> None:
    refused = await make(owner.client, key)
    assert (refused.status, refused.json["type"]) == (400, "urn:showbill:problem:idempotency-key-not-fit")
    assert not gateway.invoicing.calls["CreateShow"]


@pytest.mark.parametrize(
    ("path", "body", "secret"),
    [
        ("/api/tokens", {"name": "x"}, "token"),
        ("/api/invitations", {"email": "once@example.com"}, "link"),
    ],
)
async def test_what_is_shown_once_is_not_kept(
    gateway: Gateway, owner: Owner, path: str, body: object, secret: str
) -> None:
    made = await owner.client("POST", path, body, headers={"Idempotency-Key": "k1"})
    again = await owner.client("POST", path, body, headers={"Idempotency-Key": "k1"})
    assert (made.status, again.status) == (201, 409)
    assert again.json["type"] == "urn:showbill:problem:shown-once"
    stored = str([tuple(row.values()) for row in await gateway.pool.fetch("SELECT * FROM idempotent_answers")])
    assert made.json[secret].rpartition("/")[2] not in stored


async def test_a_replay_is_behind_the_same_door(gateway: Gateway, owner: Owner) -> None:
    await make(owner.client, "k1")
    made = await owner.client("POST", "/api/tokens", {"name": "reader", "scopes": ["read"]})
    assert (await make(gateway.bearer(made.json["token"]), "k1")).status == 403


async def test_no_page_is_kept(gateway: Gateway, owner: Owner) -> None:
    """The page after a token is made shows the token."""
    browser = await gateway.signed_in(owner)
    before = await gateway.pool.fetchval("SELECT count(*) FROM idempotent_answers")
    pages = [
        await browser(
            "POST", "/settings/tokens", data={"name": "x", "scopes": "read"}, headers={"Idempotency-Key": "k"}
        )
        for _ in range(2)
    ]
    assert [page.status for page in pages] == [200, 200]
    assert "showbill_" in pages[0].text
    assert "Idempotency-Replayed" not in pages[1].headers
    assert await gateway.pool.fetchval("SELECT count(*) FROM idempotent_answers") == before
