"""What the operator does to an invoice on Stripe itself is followed here."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import stripe

from services.cli.rest import Rest
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually


@pytest.fixture
async def stripe_of(stack: Stack) -> AsyncIterator[Callable[[Workspace], stripe.InvoiceService]]:
    """The operator at Stripe, with the workspace's own account."""
    http = stripe.AIOHTTPClient()

    def at_stripe(workspace: Workspace) -> stripe.InvoiceService:
        base: Any = {"api": stack.url("sandbox")}
        return stripe.StripeClient(workspace.account.sk_test, base_addresses=base, http_client=http).v1.invoices

    yield at_stripe
    await http.close_async()  # type: ignore[no-untyped-call]  # untyped in the SDK


AtStripe = Callable[[Workspace], stripe.InvoiceService]


@pytest.fixture
async def row(workspace: Workspace) -> dict[str, Any]:
    """An invoice of one buyer, made and payable."""
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    await workspace.generate(show)
    return await only(workspace, show)


async def only(workspace: Workspace, show: str) -> dict[str, Any]:
    (row,) = await workspace.invoices(show)
    return row


async def until(rest: Rest, row: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The invoice with its lines, once its fields are these."""

    async def reached() -> dict[str, Any]:
        now: dict[str, Any] = await rest.call("GET", f"/api/shows/{row['showId']}/invoices/{row['id']}")
        assert {name: now[name] for name in fields} == fields
        return now

    return await eventually(reached, timeout=30, why="the edit was not followed")


async def reasons(rest: Rest, row: dict[str, Any]) -> list[tuple[str | None, str, str]]:
    history = await rest.call("GET", f"/api/shows/{row['showId']}/invoices/{row['id']}/history")
    return [(one["fromStatus"], one["toStatus"], one["reason"]) for one in history["items"]]


async def revise(at_stripe: stripe.InvoiceService, external_id: str, amount: int) -> stripe.Invoice:
    """Edits a finalized invoice as Stripe's dashboard does: a revision, changed, then finalized."""
    revision = await at_stripe.create_async({"from_invoice": {"action": "revision", "invoice": external_id}})
    line = {"id": revision.lines.data[0].id, "amount": amount, "description": "Agreed price"}
    await at_stripe.update_lines_async(revision.id, {"lines": [line]})  # type: ignore[list-item]  # as typed there
    return await at_stripe.finalize_invoice_async(revision.id)


async def test_edited_invoice_is_followed_to_its_payment(
    workspace: Workspace, stripe_of: AtStripe, row: dict[str, Any]
) -> None:
    edited = await revise(stripe_of(workspace), row["externalId"], 700)
    fields = {"externalId": edited.id, "total": 700, "status": "draft", "adjustedAtProvider": True}
    now = await until(workspace.rest, row, **fields)
    assert now["externalUrl"] == edited.hosted_invoice_url
    assert now["payPath"] == row["payPath"]
    assert [(line["title"], line["amount"]) for line in now["lines"]] == [("Agreed price", 700)]
    await stripe_of(workspace).pay_async(edited.id, {"paid_out_of_band": True})
    await until(workspace.rest, row, status="paid", total=700)
    told = [reason for _, _, reason in await reasons(workspace.rest, row)]
    assert any("replaced at the provider" in reason for reason in told)
    assert told[-1] == "It was paid."


async def test_invoice_that_is_edited_twice_is_followed(
    workspace: Workspace, stripe_of: AtStripe, row: dict[str, Any]
) -> None:
    at_stripe = stripe_of(workspace)
    first = await revise(at_stripe, row["externalId"], 700)
    second = await revise(at_stripe, first.id, 800)
    await until(workspace.rest, row, externalId=second.id, total=800, status="draft")


async def test_draft_priced_on_stripe_and_finalized_there_is_payable(workspace: Workspace, stripe_of: AtStripe) -> None:
    at_stripe, row = stripe_of(workspace), await held_back(workspace)
    draft = await at_stripe.retrieve_async(row["externalId"])
    await at_stripe.line_items.update_async(draft.id, draft.lines.data[0].id, {"amount": 2500})
    await at_stripe.finalize_invoice_async(draft.id)
    now = await until(workspace.rest, row, status="draft", draftReason=None, total=2500, adjustedAtProvider=True)
    assert [line["amount"] for line in now["lines"]] == [2500]
    assert now["externalUrl"]


async def test_draft_finalized_at_zero_on_stripe_is_paid(workspace: Workspace, stripe_of: AtStripe) -> None:
    """Stripe settles an invoice of nothing by itself."""
    row = await held_back(workspace)
    await stripe_of(workspace).finalize_invoice_async(row["externalId"])
    now = await until(workspace.rest, row, status="paid", total=0)
    assert now["paidAt"]


async def test_draft_deleted_on_stripe_is_void_and_can_be_made_again(workspace: Workspace, stripe_of: AtStripe) -> None:
    row = await held_back(workspace)
    await stripe_of(workspace).delete_async(row["externalId"])
    now = await until(workspace.rest, row, status="void")
    assert "deleted at the provider" in now["statusReason"]
    await workspace.generate(row["showId"])
    rows = await workspace.invoices(row["showId"])
    assert sorted((one["revision"], one["status"]) for one in rows) == [(1, "void"), (2, "draft")]
    assert {one["payPath"] for one in rows} == {row["payPath"]}


async def test_invoice_paid_outside_and_one_written_off_are_told(
    workspace: Workspace, stripe_of: AtStripe, row: dict[str, Any]
) -> None:
    at_stripe = stripe_of(workspace)
    await at_stripe.mark_uncollectible_async(row["externalId"])
    await until(workspace.rest, row, status="uncollectible")
    await at_stripe.pay_async(row["externalId"], {"paid_out_of_band": True})
    await until(workspace.rest, row, status="paid", adjustedAtProvider=False)
    steps = [(old, new) for old, new, _ in await reasons(workspace.rest, row)]
    assert steps == [(None, "pending"), ("pending", "draft"), ("draft", "uncollectible"), ("uncollectible", "paid")]


async def held_back(workspace: Workspace) -> dict[str, Any]:
    """An invoice of one buyer whose item has no price yet."""
    await workspace.connect()
    show = await workspace.make_show(buyers=0)
    await workspace.import_file(show, "items", b"item_number,title,price\n0,Vase,\n")
    head = b"claim_id,platform,platform_user_id,user_handle,item_number,quantity,status,claimed_at\n"
    claim = b"c0,facebook,u0,@u0,0,1,winner,2026-11-01T10:00:00+00:00\n"
    await workspace.import_file(show, "claims", head + claim)
    await workspace.generate(show)
    row = await only(workspace, show)
    assert row["draftReason"] == "needs_price"
    return row
