"""Shows, items, claims and buyers over REST."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from services.common.errors import Kind, ShowbillError
from services.gateway.backends.shows import BATCH
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner
from tests.gateway.messages import filled


async def test_a_show_is_made_and_rendered_whole(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("CreateShow", filled(pb.CreateShowResponse()))
    made = await owner.client(
        "POST", "/api/shows", {"name": "Friday", "currency": "GBP", "startTime": "2026-11-20T19:00:00+01:00"}
    )
    assert made.status == 201
    request = gateway.invoicing.last("CreateShow")
    assert (request.name, request.currency, request.request_id) == ("Friday", "GBP", "")
    assert request.start_time.ToJsonString() == "2026-11-20T18:00:00Z"
    assert made.json == {
        "id": "id!",
        "name": "name!",
        "state": "draft",
        "currency": "currency!",
        "startTime": "2027-01-15T08:00:05Z",
        "endTime": "2027-01-15T08:00:06Z",
        "createdAt": "2027-01-15T08:00:07Z",
        "seq": 8,
        "itemCount": 9,
        "claimCount": 10,
        "buyerCount": 11,
        "etag": "etag!",
        "claimsArrivedAt": "2027-01-15T08:00:13Z",
    }


async def test_an_idempotency_key_becomes_one_stable_id(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    body = {"name": "x", "currency": "GBP"}
    for key in ("demo", str(uuid.uuid4())):
        gateway.invoicing.reset()
        for client in (owner.client, owner.client, other.client):
            await client("POST", "/api/shows", body, headers={"Idempotency-Key": key})
            await gateway.pool.execute("DELETE FROM idempotent_answers")  # as if it had died before it could answer
        first, again, stranger = (call.request.request_id for call in gateway.invoicing.calls["CreateShow"])
        assert first == again == str(uuid.UUID(first))
        assert stranger != first


@pytest.mark.parametrize("key", ["tonight", "0198c0de-0000-7000-8000-0000000000aa"])
async def test_one_key_does_for_many_invoices(gateway: Gateway, owner: Owner, key: str) -> None:
    for invoice in ("a", "b", "b"):
        await owner.client("POST", f"/api/shows/s/invoices/{invoice}/send", headers={"Idempotency-Key": key})
        await gateway.pool.execute("DELETE FROM idempotent_answers")
    await owner.client("POST", "/api/shows/s/invoices/send", headers={"Idempotency-Key": key})
    one, other, again = (call.request.request_id for call in gateway.invoicing.calls["SendInvoice"])
    (all_of_them,) = (call.request.request_id for call in gateway.invoicing.calls["SendInvoices"])
    assert other == again
    assert len({one, other, all_of_them}) == 3


async def test_only_named_fields_of_a_show_change(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("UpdateShow", filled(pb.UpdateShowResponse()))
    assert (await owner.client("PATCH", "/api/shows/s1", {"name": "New"})).status == 200
    request = gateway.invoicing.last("UpdateShow")
    assert (request.show.id, request.show.name, list(request.update_mask.paths)) == ("s1", "New", ["name"])
    await owner.client("PATCH", "/api/shows/s1", {"startTime": None, "currency": "EUR"})
    request = gateway.invoicing.last("UpdateShow")
    assert list(request.update_mask.paths) == ["currency", "start_time"]
    assert not request.show.HasField("start_time")


async def test_the_lifecycle_has_a_route_for_each_step(gateway: Gateway, owner: Owner) -> None:
    for step in ("Start", "Pause", "End"):
        gateway.invoicing.script(f"{step}Show", filled(getattr(pb, f"{step}ShowResponse")()))
        answer = await owner.client("POST", f"/api/shows/s1/{step.lower()}")
        assert (answer.status, answer.json["id"]) == (200, "id!")
        assert gateway.invoicing.last(f"{step}Show").show_id == "s1"


async def test_pages_carry_size_and_token(gateway: Gateway, owner: Owner) -> None:
    for method, path in (
        ("ListShows", "/api/shows"),
        ("ListItems", "/api/shows/s/items"),
        ("ListClaims", "/api/shows/s/claims"),
        ("ListBuyers", "/api/shows/s/buyers"),
    ):
        gateway.invoicing.script(method, filled(getattr(pb, f"{method}Response")()))
        page = await owner.client("GET", f"{path}?pageSize=7&pageToken=abc")
        assert (page.status, len(page.json["items"])) == (200, 1)
        assert page.json["nextPageToken"] == "next_page_token!"
        request = gateway.invoicing.last(method)
        assert (request.page_size, request.page_token) == (7, "abc")


async def test_shows_are_found_by_name_and_state(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListShows", filled(pb.ListShowsResponse()))
    assert (await owner.client("GET", "/api/shows?search=friday&states=active&states=paused")).status == 200
    request = gateway.invoicing.last("ListShows")
    assert (request.query, list(request.states)) == ("friday", [pb.SHOW_STATE_ACTIVE, pb.SHOW_STATE_PAUSED])
    refused = await owner.client("GET", "/api/shows?states=loud")
    assert refused.status == 400


async def test_an_unpriced_item_is_null_and_a_free_one_zero(gateway: Gateway, owner: Owner) -> None:
    items = [{"itemNumber": "A"}, {"itemNumber": "B", "price": 0}, {"itemNumber": "C", "price": 250, "quantity": 3}]
    gateway.invoicing.script("UpsertItems", pb.UpsertItemsResponse(created_count=2, unchanged_count=1))
    answer = await owner.client("PUT", "/api/shows/s/items", {"items": items})
    assert answer.json == {"created": 2, "updated": 0, "unchanged": 1}
    sent = gateway.invoicing.last("UpsertItems").items
    assert [(item.item_number, item.HasField("price"), item.price) for item in sent] == [
        ("A", False, 0),
        ("B", True, 0),
        ("C", True, 250),
    ]
    gateway.invoicing.script("ListItems", pb.ListItemsResponse(items=sent))
    listed = await owner.client("GET", "/api/shows/s/items")
    assert [item["price"] for item in listed.json["items"]] == [None, 0, 250]
    assert [item["quantity"] for item in listed.json["items"]] == [None, None, 3]


async def test_more_than_one_batch_of_claims_is_split(gateway: Gateway, owner: Owner) -> None:
    def take(request: Any) -> Any:
        rejected = [pb.RejectedClaim(index=1, claim_id=request.claims[1].claim_id, reason="No such item.")]
        return pb.IngestClaimsResponse(created_count=len(request.claims) - 1, rejected_claims=rejected)

    gateway.invoicing.script("IngestClaims", take)
    claims = [
        {"claimId": f"c{n}", "platform": "facebook", "platformUserId": "u", "itemNumber": "1", "status": "winner"}
        for n in range(BATCH + 10)
    ]
    answer = await owner.client("POST", "/api/shows/s/claims", {"claims": claims})
    assert answer.json["created"] == BATCH + 8
    rejected = {one["index"]: one["claimId"] for one in answer.json["rejected"]}
    assert rejected == {1: "c1", BATCH + 1: f"c{BATCH + 1}"}
    first = gateway.invoicing.calls["IngestClaims"][0].request
    assert len(first.claims) == BATCH
    assert (first.claims[0].quantity, first.claims[0].status) == (1, pb.CLAIM_STATUS_WINNER)


async def test_claims_are_filtered_by_status(gateway: Gateway, owner: Owner) -> None:
    await owner.client("GET", "/api/shows/s/claims?status=released")
    assert gateway.invoicing.last("ListClaims").status == pb.CLAIM_STATUS_RELEASED
    assert (await owner.client("GET", "/api/shows/s/claims?status=lost")).status == 400


async def test_only_named_fields_of_a_buyer_change(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("UpdateBuyer", filled(pb.UpdateBuyerResponse()))
    answer = await owner.client("PATCH", "/api/buyers/b1", {"email": "b@example.com"})
    assert (answer.status, answer.json["email"], answer.json["payPath"]) == (200, "email!", "pay_path!")
    request = gateway.invoicing.last("UpdateBuyer")
    assert (request.buyer.id, request.buyer.email) == ("b1", "b@example.com")
    assert list(request.update_mask.paths) == ["email"]
    assert (answer.headers["ETag"], request.buyer.etag) == ('"etag!"', "")
    await owner.client("PATCH", "/api/buyers/b1", {"displayName": "B"}, headers={"If-Match": '"e1"'})
    assert gateway.invoicing.last("UpdateBuyer").buyer.etag == "e1"


async def test_another_workspaces_show_is_not_found(gateway: Gateway, owner: Owner) -> None:
    show = gateway.own_show((await gateway.make_owner()).workspace_id)
    answer = await owner.client("GET", f"/api/shows/{show}")
    assert answer.status == 404
    assert answer.json["type"] == "urn:showbill:problem:" + Kind.NOT_FOUND.value


@pytest.mark.parametrize("number", ["12", "12/3", "#1 & 2", "a%2Fb?"])
async def test_one_item_is_corrected(gateway: Gateway, owner: Owner, number: str) -> None:
    item = pb.Item(id="i", item_number=number, title="Lamp", etag="e2")
    gateway.invoicing.script("UpdateItem", pb.UpdateItemResponse(item=item))
    path = f"/api/shows/s/items/{quote(number, safe='')}"
    answer = await owner.client("PATCH", path, {"price": None}, headers={"If-Match": '"e1"'})
    assert (answer.status, answer.headers["ETag"]) == (200, '"e2"')
    assert (answer.json["itemNumber"], answer.json["price"], answer.json["etag"]) == (number, None, "e2")
    sent = gateway.invoicing.last("UpdateItem")
    assert (sent.show_id, sent.item.item_number, sent.item.etag, sent.item.HasField("price")) == (
        "s",
        number,
        "e1",
        False,
    )
    assert list(sent.update_mask.paths) == ["price"]
    await owner.client("PATCH", path, {"price": 5, "title": "Lamp"}, headers={"If-Match": "*"})
    sent = gateway.invoicing.last("UpdateItem")
    assert (sent.item.etag, sent.item.price, sorted(sent.update_mask.paths)) == ("", 5, ["price", "title"])


class Changed(ShowbillError):
    """Somebody changed item 12 meanwhile. Look at it as it is now."""

    kind = Kind.OUTDATED
    reason = "ITEM_CHANGED"


async def test_an_item_that_somebody_else_changed_is_left_alone(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("UpdateItem", Changed())
    answer = await owner.client("PATCH", "/api/shows/s/items/12", {"price": 1}, headers={"If-Match": "old"})
    assert (answer.status, answer.json["type"]) == (412, "urn:showbill:problem:item-changed")
    assert answer.json["detail"].startswith("Somebody changed item 12 meanwhile.")


async def test_a_show_is_changed_from_the_state_that_was_read(gateway: Gateway, owner: Owner) -> None:
    show = pb.Show(id="s", state=pb.SHOW_STATE_DRAFT, etag="e1")
    gateway.invoicing.script("GetShow", pb.GetShowResponse(show=show))
    gateway.invoicing.script("UpdateShow", pb.UpdateShowResponse(show=show))
    read = (await owner.client("GET", "/api/shows/s")).headers["ETag"]
    changed = await owner.client("PATCH", "/api/shows/s", {"name": "x"}, headers={"If-Match": read})
    assert (read, changed.headers["ETag"]) == ('"e1"', '"e1"')
    assert gateway.invoicing.last("UpdateShow").show.etag == "e1"
    for tag, sent in (("W/" + read, "e1"), ("*", ""), ("nonsense", "?")):
        await owner.client("PATCH", "/api/shows/s", {"name": "x"}, headers={"If-Match": tag})
        assert gateway.invoicing.last("UpdateShow").show.etag == sent


async def test_a_time_beyond_the_calendar_is_refused(gateway: Gateway, owner: Owner) -> None:
    beyond = "9999-12-31T23:59:59-12:00"
    claim = {"claimId": "c", "platform": "p", "platformUserId": "u", "itemNumber": "1", "status": "winner"}
    for method, path, body in (
        ("POST", "/api/shows/s/claims", {"claims": [claim | {"claimedAt": beyond}]}),
        ("POST", "/api/shows", {"name": "Late", "currency": "GBP", "startTime": beyond}),
        ("PATCH", "/api/shows/s", {"startTime": beyond}),
    ):
        answer = await owner.client(method, path, body)
        assert (answer.status, answer.json["type"]) == (400, "urn:showbill:problem:invalid-request")
    assert not gateway.invoicing.calls


CLAIM = {"claimId": "c", "platform": "p", "platformUserId": "u", "itemNumber": "1", "status": "winner"}


@pytest.mark.parametrize(
    ("method", "path", "body", "place"),
    [
        ("POST", "/api/shows", {"name": "x", "currency": "GBP", "startTime": "2026-11-01T20:00:00"}, "#/startTime"),
        ("PATCH", "/api/shows/x", {"startTime": "2026-11-01T20:00:00"}, "#/startTime"),
        ("POST", "/api/shows/x/claims", {"claims": [CLAIM | {"claimedAt": "2026-11-01"}]}, "#/claims/0/claimedAt"),
        ("POST", "/api/tokens", {"name": "x", "expiresAt": "2126-11-01T20:00:00"}, "#/expiresAt"),
    ],
)
async def test_a_time_without_a_zone_is_refused(
    gateway: Gateway, owner: Owner, method: str, path: str, body: object, place: str
) -> None:
    answer = await owner.client(method, path, body)
    assert answer.status == 400
    assert [fault["pointer"] for fault in answer.json["errors"]] == [place]
    assert not gateway.invoicing.calls
