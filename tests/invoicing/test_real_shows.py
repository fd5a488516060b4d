"""The two real shows, to the penny."""

from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, example_claims
from tests.invoicing.fake_provider import FakeProvider


async def test_first_show_owes_what_its_claims_say(caller: Caller) -> None:
    show_id = await caller.import_example("retail-2010-12-01")
    buyers = await caller.buyers(show_id)
    assert len(buyers) == 110
    assert sum(buyer.total for buyer in buyers) == 5_896_079
    assert sum(buyer.unpriced_count == buyer.line_count for buyer in buyers) == 9


async def test_second_show_owes_what_its_claims_say(caller: Caller) -> None:
    buyers = await caller.buyers(await caller.import_example("retail-2010-12-05"))
    assert len(buyers) == 76
    assert sum(buyer.total for buyer in buyers) == 3_059_545
    assert [0 < buyer.unpriced_count < buyer.line_count for buyer in buyers].count(True) == 1


async def test_first_show_becomes_110_invoices_once(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.import_example("retail-2010-12-01")
    run = await caller.start(show_id)
    run = await caller.finished(run.id)
    assert (run.total_count, run.created_count, run.failed_count, run.draft_count) == (110, 110, 0, 9)
    invoices = await caller.listed(show_id)
    assert len(invoices) == len(provider.made) == 110
    assert sum(invoice.total for invoice in invoices) == 5_896_079
    held = [invoice for invoice in invoices if invoice.draft_reason == pb.DRAFT_REASON_NEEDS_PRICE]
    assert len(held) == 9
    assert all(invoice.status == pb.INVOICE_STATUS_DRAFT and "price" in invoice.status_reason for invoice in held)

    again = await caller.generate(show_id)
    assert (again.total_count, again.unchanged_count) == (0, 110)
    assert set(provider.calls.values()) == {1}


async def test_importing_the_same_claims_again_changes_nothing(caller: Caller) -> None:
    show_id = await caller.import_example("retail-2010-12-01")
    before = await caller.show(show_id)
    answer = await caller.ingest(show_id, example_claims("retail-2010-12-01"))
    assert (answer.created_count, answer.updated_count, answer.unchanged_count) == (0, 0, 3108)
    assert await caller.show(show_id) == before
    assert (before.item_count, before.claim_count, before.buyer_count) == (1896, 3108, 110)
    request = pb.GetShowRequest(show_id=show_id, with_claimed_items=True)
    won = {claim.item_number for claim in example_claims("retail-2010-12-01") if claim.status == pb.CLAIM_STATUS_WINNER}
    told = await caller.client.call(caller.shows.GetShow, request, caller.who)
    assert 0 < told.claimed_item_count == len(won) < before.item_count
