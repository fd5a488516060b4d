"""Sending to many, the record of every attempt, and pay links revoked, over REST."""

from typing import Any

import pytest

from services.common.errors import NotFound
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner
from tests.gateway.messages import filled

SHOW = "/api/shows/s1"


async def test_sending_to_many_answers_at_once_with_the_run(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("SendInvoices", filled(pb.SendInvoicesResponse()))
    answer = await owner.client(
        "POST",
        f"{SHOW}/invoices/send",
        {"invoiceIds": ["i1"], "channelWithoutEmail": "dm"},
        headers={"Idempotency-Key": "once"},
    )
    assert (answer.status, answer.json["state"], answer.json["totalCount"]) == (202, "running", 4)
    request = gateway.invoicing.last("SendInvoices")
    assert (list(request.invoice_ids), request.show_id, len(request.request_id)) == (["i1"], "s1", 36)
    assert (request.channel, request.channel_without_email) == (
        pb.DELIVERY_CHANNEL_UNSPECIFIED,
        pb.DELIVERY_CHANNEL_DM,
    )
    assert request.pay_link_base == "https://showbill.example"


@pytest.mark.parametrize("body", [None, {}])
async def test_sending_to_all_needs_no_body(gateway: Gateway, owner: Owner, body: Any) -> None:
    gateway.invoicing.script("SendInvoices", filled(pb.SendInvoicesResponse()))
    assert (await owner.client("POST", f"{SHOW}/invoices/send", body)).status == 202
    assert list(gateway.invoicing.last("SendInvoices").invoice_ids) == []


@pytest.mark.parametrize(
    ("body", "pointer"), [({"channelWithoutEmail": "email"}, "#/channelWithoutEmail"), ({"chanel": "dm"}, "#/chanel")]
)
async def test_a_wrong_wish_names_its_place(gateway: Gateway, owner: Owner, body: Any, pointer: str) -> None:
    answer = await owner.client("POST", f"{SHOW}/invoices/send", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, pointer)
    assert not gateway.invoicing.calls


async def test_progress_counts_by_state(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("GetSending", filled(pb.GetSendingResponse()))
    run = (await owner.client("GET", "/api/sendings/r1")).json
    assert [run[f"{name}Count"] for name in ("total", "queued", "requested", "delivered", "failed", "skipped")] == [
        *(4, 5, 6, 7, 8, 9)
    ]
    assert gateway.invoicing.last("GetSending").sending_id == "r1"
    gateway.invoicing.script("GetSending", NotFound("There is no sending with this id in your workspace."))
    assert (await owner.client("GET", "/api/sendings/r2")).status == 404


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (f"{SHOW}/invoices/i1/deliveries?pageSize=7&pageToken=t", ("s1", "i1", "", 7, "t")),
        ("/api/sendings/r1/deliveries?pageSize=7&pageToken=t", ("", "", "r1", 7, "t")),
    ],
)
async def test_every_attempt_is_listed_with_its_result(gateway: Gateway, owner: Owner, path: str, asked: Any) -> None:
    gateway.invoicing.script("ListDeliveries", filled(pb.ListDeliveriesResponse()))
    page = (await owner.client("GET", path)).json
    assert page["nextPageToken"] == "next_page_token!"
    (row,) = page["items"]
    assert (row["channel"], row["state"], row["message"], row["automatic"]) == ("email", "requested", "message!", True)
    request = gateway.invoicing.last("ListDeliveries")
    assert (request.show_id, request.invoice_id, request.sending_id, request.page_size, request.page_token) == asked


async def test_revoking_answers_the_new_link(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("RevokePayLink", pb.RevokePayLinkResponse(pay_path="/p/new"))
    answer = await owner.client("POST", f"{SHOW}/buyers/b1/pay-link/revoke")
    assert (answer.status, answer.json) == (200, {"payPath": "/p/new"})
    request = gateway.invoicing.last("RevokePayLink")
    assert (request.show_id, request.buyer_id) == ("s1", "b1")
