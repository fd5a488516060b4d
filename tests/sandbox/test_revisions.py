"""An invoice edited after it was finalized."""

import pytest
import stripe

from tests.sandbox.harness import Account, draft, opened


async def revise(client: stripe.StripeClient, invoice_id: str) -> stripe.Invoice:
    return await client.v1.invoices.create_async({"from_invoice": {"action": "revision", "invoice": invoice_id}})


async def test_a_revision_replaces_the_original_once_it_is_final(client: stripe.StripeClient, account: Account) -> None:
    original = await opened(client, 1000, 500, metadata={"row": "7"})
    revision = await revise(client, original.id)
    assert (revision.status, revision.total, revision.to_dict()["metadata"]) == ("draft", 1500, {"row": "7"})
    assert revision.to_dict()["from_invoice"] == {"action": "revision", "invoice": original.id}
    assert (await client.v1.invoices.retrieve_async(original.id)).status == "open"
    line = revision.lines.data[0]
    await client.v1.invoices.update_lines_async(revision.id, {"lines": [{"id": line.id, "amount": 700}]})
    final = await client.v1.invoices.finalize_invoice_async(revision.id)
    replaced = await client.v1.invoices.retrieve_async(original.id)
    assert (final.status, final.total) == ("open", 1200)
    assert (replaced.status, replaced.latest_revision, replaced.total) == ("void", final.id, 1500)
    told = [one.type for one in (await client.v1.events.list_async({"types": ["invoice.finalized", "invoice.voided"]}))]
    assert told == ["invoice.voided", "invoice.finalized", "invoice.finalized"]


async def test_only_an_open_or_uncollectible_invoice_is_revised(client: stripe.StripeClient) -> None:
    unfinished, voided = await draft(client, 1000), await opened(client, 1000)
    await client.v1.invoices.void_invoice_async(voided.id)
    for invoice in (unfinished, voided):
        with pytest.raises(stripe.InvalidRequestError, match="open or uncollectible"):
            await revise(client, invoice.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such invoice"):
        await revise(client, "in_nobody")


async def test_a_revision_that_is_deleted_leaves_the_original(client: stripe.StripeClient) -> None:
    original = await opened(client, 1000)
    revision = await revise(client, original.id)
    await client.v1.invoices.delete_async(revision.id)
    kept = await client.v1.invoices.retrieve_async(original.id)
    assert (kept.status, kept.latest_revision) == ("open", None)
