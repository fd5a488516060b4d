"""Invoices changed by hand, and runs stopped, over REST."""

from typing import Any

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner
from tests.gateway.messages import filled

INVOICE = "/api/shows/s1/invoices/i1"


@pytest.mark.parametrize(
    ("path", "method", "answer"),
    [
        ("void", "VoidInvoice", pb.VoidInvoiceResponse()),
        ("mark-paid", "MarkPaid", pb.MarkPaidResponse()),
        ("finalize", "FinalizeInvoice", pb.FinalizeInvoiceResponse()),
        ("update-draft", "UpdateDraft", pb.UpdateDraftResponse()),
    ],
)
async def test_each_verb_answers_the_invoice_as_it_is_then(
    gateway: Gateway, owner: Owner, path: str, method: str, answer: Any
) -> None:
    gateway.invoicing.script(method, filled(answer))
    done = await owner.client("POST", f"{INVOICE}/{path}")
    assert (done.status, done.json["status"], done.json["total"]) == (200, "pending", 12)
    request = gateway.invoicing.last(method)
    assert (request.show_id, request.invoice_id) == ("s1", "i1")


async def test_note_of_a_payment_goes_with_it(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("MarkPaid", filled(pb.MarkPaidResponse()))
    await owner.client("POST", f"{INVOICE}/mark-paid", {"note": "Cash at the door."})
    request = gateway.invoicing.last("MarkPaid")
    assert (request.note, request.HasField("amount")) == ("Cash at the door.", False)
    await owner.client("POST", f"{INVOICE}/mark-paid", {"amount": 1250})
    assert gateway.invoicing.last("MarkPaid").amount == 1250
    refused = await owner.client("POST", f"{INVOICE}/mark-paid", {"note": "x" * 501})
    assert refused.status == 400


async def test_refusal_is_a_problem_that_says_what_to_do(gateway: Gateway, owner: Owner) -> None:
    sentence = "The invoice is being made or changed just now. Try again in a moment."
    error = RemoteError(Kind.FAILED_PRECONDITION, "INVOICE_BUSY", sentence, retry_after=5)
    gateway.invoicing.script("VoidInvoice", error)
    answer = await owner.client("POST", f"{INVOICE}/void")
    assert (answer.status, answer.json["type"]) == (409, "urn:showbill:problem:invoice-busy")
    assert answer.json["detail"] == sentence


async def test_cancelled_run_tells_its_counts(gateway: Gateway, owner: Owner) -> None:
    run = pb.Generation(id="g1", state=pb.GENERATION_STATE_CANCELLED, total_count=9, cancelled_count=5, rate=7.5)
    gateway.invoicing.script("CancelGeneration", pb.CancelGenerationResponse(generation=run))
    answer = await owner.client("POST", "/api/generations/g1/cancel")
    told = {name: answer.json[name] for name in ("state", "cancelledCount", "rate", "remainingSeconds", "finishedAt")}
    assert answer.status == 200
    assert told == {
        "state": "cancelled",
        "cancelledCount": 5,
        "rate": 7.5,
        "remainingSeconds": None,
        "finishedAt": None,
    }
    assert gateway.invoicing.last("CancelGeneration").generation_id == "g1"


async def test_run_tells_how_fast_it_is_and_how_long_it_takes(gateway: Gateway, owner: Owner) -> None:
    run = pb.Generation(id="g1", state=pb.GENERATION_STATE_RUNNING, total_count=90, pending_count=75, rate=7.5)
    run.remaining_time.FromSeconds(10)
    gateway.invoicing.script("GetGeneration", pb.GetGenerationResponse(generation=run))
    answer = await owner.client("GET", "/api/generations/g1")
    assert (answer.json["rate"], answer.json["remainingSeconds"]) == (7.5, 10)
