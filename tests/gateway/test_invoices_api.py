"""Invoices and generations over REST."""

import asyncio
from typing import Any

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.gateway.backends import events as bus_events
from services.gateway.backends import invoice_views
from services.rpc.showbill.events.v1 import events_pb2 as events
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner
from tests.gateway.messages import filled
from tests.slow_step import slowed
from tests.waiting import eventually

SHOW = "/api/shows/s1"


async def test_others_are_served_while_a_giant_plan_is_put_into_words(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = slowed(monkeypatch, invoice_views, "plan")
    asked = asyncio.create_task(owner.client("GET", f"{SHOW}/invoices/plan"))
    await eventually(slow.begun.is_set)
    assert (await owner.client("GET", f"{SHOW}/invoices")).status == 200
    slow.answered.set()
    assert (await asked).status == 200


async def test_the_list_names_its_position(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListInvoices", filled(pb.ListInvoicesResponse()))
    page = await owner.client("GET", f"{SHOW}/invoices?pageSize=500&status=paid&status=sent")
    assert page.status == 200
    assert (page.json["seq"], page.json["totalSize"], page.json["nextPageToken"]) == (3, 4, "next_page_token!")
    row = page.json["items"][0]
    assert (row["status"], row["total"], row["paidAt"]) == ("pending", 12, "2027-01-15T08:00:26Z")
    assert "lines" not in row
    request = gateway.invoicing.last("ListInvoices")
    assert (request.page_size, list(request.statuses)) == (500, [pb.INVOICE_STATUS_PAID, pb.INVOICE_STATUS_SENT])


async def test_the_list_is_searched_and_sorted(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListInvoices", filled(pb.ListInvoicesResponse()))
    page = await owner.client("GET", f"{SHOW}/invoices?search=maya&sort=-amount&pageToken=t")
    assert page.json["counts"] == {"pending": 2}
    request = gateway.invoicing.last("ListInvoices")
    assert (request.query, request.order_by, request.page_token) == ("maya", "total desc", "t")


@pytest.mark.parametrize(("sort", "order_by"), [("", ""), ("handle", "handle"), ("-updated", "update_time desc")])
async def test_every_sort_has_its_order(gateway: Gateway, owner: Owner, sort: str, order_by: str) -> None:
    gateway.invoicing.script("ListInvoices", pb.ListInvoicesResponse())
    assert (await owner.client("GET", f"{SHOW}/invoices?sort={sort}")).status == 200
    assert gateway.invoicing.last("ListInvoices").order_by == order_by


async def test_unknown_sort_is_refused(gateway: Gateway, owner: Owner) -> None:
    assert (await owner.client("GET", f"{SHOW}/invoices?sort=colour")).status == 400


def test_an_event_has_the_shape_of_a_row() -> None:
    names = {field.name for field in events.InvoiceUpdated.DESCRIPTOR.fields} - {"invoice_id", "previous_status"}
    invoice = pb.Invoice(id="i1", show_id="s1")
    event = events.Event(id="e", type="invoice.updated", show_id="s1")
    event.invoice_updated.invoice_id = "i1"
    for name in sorted(names):
        field = pb.Invoice.DESCRIPTOR.fields_by_name[name]
        sample = filled(pb.Invoice())
        for target in (invoice, event.invoice_updated):
            if field.message_type is not None:
                getattr(target, name).CopyFrom(getattr(sample, name))
            else:
                setattr(target, name, getattr(sample, name))
    message = bus_events.decode(event.SerializeToString()).message
    assert message is not None
    assert message.data == invoice_views.invoice(invoice)


async def test_texts_that_are_not_there_are_empty(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("GetInvoice", pb.GetInvoiceResponse(invoice=pb.Invoice(id="i1", status=1)))  # type: ignore[arg-type]  # pending
    row = (await owner.client("GET", f"{SHOW}/invoices/i1")).json
    assert (row["externalUrl"], row["statusReason"], row["draftReason"], row["paidAt"]) == ("", "", None, None)
    assert row["lines"] == []


async def test_generating_answers_at_once_with_the_run(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("StartGeneration", filled(pb.StartGenerationResponse()))
    answer = await owner.client(
        "POST",
        f"{SHOW}/invoices/generate",
        {"buyerIds": ["b1", "b2"], "planHash": "h", "exceptBuyerIds": ["b2"]},
        headers={"Idempotency-Key": "once"},
    )
    assert answer.status == 202
    assert (answer.json["state"], answer.json["totalCount"]) == ("running", 4)
    assert answer.json["skippedBuyers"] == [{"buyerId": "buyer_id!", "handle": "handle!", "reason": "reason!"}]
    request = gateway.invoicing.last("StartGeneration")
    assert (list(request.buyer_ids), request.plan_hash, len(request.request_id)) == (["b1", "b2"], "h", 36)
    assert list(request.except_buyer_ids) == ["b2"]
    assert request.pay_link_base == "https://showbill.example"
    assert not request.HasField("automatic_sending"), "as the setting has it"


@pytest.mark.parametrize(
    ("path", "field", "verb"),
    [
        ("generate", "expectedTotal", "StartGeneration"),
        ("send", "mostCount", "SendInvoices"),
        ("i1/mark-paid", "amount", "MarkPaid"),
    ],
)
async def test_what_was_looked_at_goes_to_the_service(
    gateway: Gateway, owner: Owner, path: str, field: str, verb: str
) -> None:
    """Only there it can be compared with what is so at that moment."""
    for wrong in (-1, 2**63, "much"):
        assert (await owner.client("POST", f"{SHOW}/invoices/{path}", {field: wrong})).status == 400
    assert verb not in gateway.invoicing.calls
    gateway.invoicing.script(verb, RemoteError(Kind.OUTDATED, "OWES_OTHERWISE", "Look again."))
    assert (await owner.client("POST", f"{SHOW}/invoices/{path}", {field: 1250})).status == 412
    names = {"expectedTotal": "expected_total", "mostCount": "most_count", "amount": "amount"}
    assert getattr(gateway.invoicing.last(verb), names[field]) == 1250


async def test_changes_are_planned_and_run_only_when_asked_for(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("PlanGeneration", filled(pb.PlanGenerationResponse()))
    await owner.client("GET", f"{SHOW}/invoices/plan")
    request = gateway.invoicing.last("PlanGeneration")
    assert (request.apply_changes, request.reissue_for_email) == (False, False)
    answer = await owner.client("GET", f"{SHOW}/invoices/plan?applyChanges=true&reissueForEmail=true")
    request = gateway.invoicing.last("PlanGeneration")
    assert (request.apply_changes, request.reissue_for_email) == (True, True)
    (entry,) = answer.json["items"]
    assert set(entry["change"]) == {"kind", "before", "after", "difference", "sentence", "optional", "draftReason"}
    assert (entry["change"]["kind"], entry["change"]["sentence"]) == ("edit_draft", "sentence!")
    gateway.invoicing.script("PlanGeneration", pb.PlanGenerationResponse(entries=[pb.PlanEntry(action=2)]))  # type: ignore[arg-type]  # unchanged
    assert (await owner.client("GET", f"{SHOW}/invoices/plan")).json["items"][0]["change"] is None

    gateway.invoicing.script("StartGeneration", filled(pb.StartGenerationResponse()))
    await owner.client("POST", f"{SHOW}/invoices/generate", {"applyChanges": True})
    request = gateway.invoicing.last("StartGeneration")
    assert (request.apply_changes, request.reissue_for_email) == (True, False)


async def test_outdated_plan_is_answered_with_the_new_one(gateway: Gateway, owner: Owner) -> None:
    error = RemoteError(Kind.OUTDATED, "PLAN_OUTDATED", "Look again.", details={"plan_hash": "new", "other": "x"})
    gateway.invoicing.script("StartGeneration", error)
    answer = await owner.client("POST", f"{SHOW}/invoices/generate", {"planHash": "old"})
    assert (answer.status, answer.json["planHash"]) == (412, "new")
    assert "other" not in answer.json


@pytest.mark.parametrize("body", [None, {}])
async def test_generating_for_all_needs_no_body(gateway: Gateway, owner: Owner, body: Any) -> None:
    answer = await owner.client("POST", f"{SHOW}/invoices/generate", body)
    assert answer.status == 202
    assert list(gateway.invoicing.last("StartGeneration").buyer_ids) == []


@pytest.mark.parametrize(
    ("body", "channel"),
    [
        (None, pb.DELIVERY_CHANNEL_UNSPECIFIED),
        ({}, pb.DELIVERY_CHANNEL_UNSPECIFIED),
        ({"channel": "dm"}, pb.DELIVERY_CHANNEL_DM),
    ],
)
async def test_sending_leaves_the_choice_to_the_service(
    gateway: Gateway, owner: Owner, body: Any, channel: Any
) -> None:
    gateway.invoicing.script("SendInvoice", filled(pb.SendInvoiceResponse()))
    answer = await owner.client("POST", f"{SHOW}/invoices/i1/send", body)
    assert answer.status == 200
    assert answer.json["delivery"]["message"] == "message!"
    request = gateway.invoicing.last("SendInvoice")
    assert (request.channel, request.pay_link_base) == (channel, "https://showbill.example")


async def test_an_unknown_channel_is_refused(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("POST", f"{SHOW}/invoices/i1/send", {"channel": "pigeon"})
    assert answer.status == 400
    assert answer.json["errors"][0]["pointer"] == "#/channel"


async def test_retrying_tells_how_many_and_which_run(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("RetryInvoices", filled(pb.RetryInvoicesResponse()))
    answer = await owner.client("POST", f"{SHOW}/invoices/retry", {"invoiceIds": ["i1"]})
    assert (answer.status, answer.json["retriedCount"], answer.json["generation"]["id"]) == (202, 1, "id!")
    assert list(gateway.invoicing.last("RetryInvoices").invoice_ids) == ["i1"]
    gateway.invoicing.script("RetryInvoices", pb.RetryInvoicesResponse())
    assert (await owner.client("POST", f"{SHOW}/invoices/retry")).json == {"retriedCount": 0, "generation": None}


@pytest.mark.parametrize(
    ("path", "method", "answer", "expected"),
    [
        (f"{SHOW}/invoices/plan", "PlanGeneration", pb.PlanGenerationResponse(), {"planHash": "plan_hash!"}),
        (f"{SHOW}/invoices/i1", "GetInvoice", pb.GetInvoiceResponse(), {"id": "id!"}),
        (f"{SHOW}/summary", "GetShowSummary", pb.GetShowSummaryResponse(), {"paid": {"amount": 1, "count": 2}}),
        ("/api/generations/g1", "GetGeneration", pb.GetGenerationResponse(), {"actor": "actor!"}),
    ],
    ids=["plan", "invoice", "summary", "generation"],
)
async def test_reads_render_whole_messages(
    gateway: Gateway, owner: Owner, path: str, method: str, answer: Any, expected: dict[str, Any]
) -> None:
    gateway.invoicing.script(method, filled(answer))
    read = await owner.client("GET", path)
    assert read.status == 200
    assert read.json.items() >= expected.items()


async def test_history_tells_every_change(gateway: Gateway, owner: Owner) -> None:
    changes = [pb.InvoiceChange(to_status=pb.INVOICE_STATUS_ERROR, actor="user:u", version=1, provider_request_id="r")]
    gateway.invoicing.script("ListInvoiceHistory", pb.ListInvoiceHistoryResponse(changes=changes))
    history = await owner.client("GET", f"{SHOW}/invoices/i1/history")
    told = {"fromStatus": None, "toStatus": "error", "reason": "", "actor": "user:u", "createdAt": None, "version": 1}
    assert history.json["items"] == [told | {"providerRequestId": "r"}]
