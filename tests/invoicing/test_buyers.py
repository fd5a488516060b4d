"""Buyers as an operator tells of them: before the first claim, corrected later, seen by the plan and by mail."""

from dataclasses import replace

import pytest

from services.common.errors import Kind
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import MakeCaller
from tests.invoicing.events_seen import event
from tests.invoicing.fake_provider import FakeProvider
from tests.invoicing.test_shows import refusal
from tests.invoicing.test_streams import counts

EMAIL = pb.DELIVERY_CHANNEL_EMAIL


def told(number: int, **fields: object) -> pb.Buyer:
    buyer = pb.Buyer(platform="facebook", platform_user_id=f"u{number}")
    buyer.MergeFrom(pb.Buyer(**fields))  # type: ignore[arg-type]  # fields of a buyer, by name
    return buyer


@pytest.fixture
async def show_id(caller: Caller) -> str:
    return await caller.small_show(2)


async def test_what_is_told_replaces_and_what_is_empty_leaves(caller: Caller, show_id: str) -> None:
    before = (await caller.show(show_id)).seq
    answer = await caller.stream_buyers(show_id, [told(0, email="a@example.com", display_name="Anna"), told(1)])
    assert counts(answer) == (0, 1, 1, 0)
    anna, other = await caller.buyers(show_id)
    assert (anna.handle, anna.display_name, anna.email) == ("@u00000", "Anna", "a@example.com")
    assert (other.display_name, other.email) == ("", "")
    assert (await caller.show(show_id)).seq == before + 1, "who listens to the show is told"
    again = [told(0, email="a@example.com", display_name="Anna", handle="@other")]
    assert counts(await caller.stream_buyers(show_id, again)) == (0, 0, 1, 0)
    assert (await caller.show(show_id)).seq == before + 1
    corrected = [told(0, email="x@example.com"), told(0, email="b@example.com"), told(0, display_name="")]
    assert counts(await caller.stream_buyers(show_id, corrected)) == (0, 1, 2, 0)
    anna, _ = await caller.buyers(show_id)
    assert (anna.handle, anna.display_name, anna.email) == ("@u00000", "Anna", "b@example.com")


async def test_export_told_again_changes_nothing(caller: Caller, show_id: str) -> None:
    await caller.stream_buyers(show_id, [told(0, email="a@example.com", display_name="Anna")])
    exported = await caller.buyers(show_id)
    assert counts(await caller.stream_buyers(show_id, exported)) == (0, 0, 2, 0)
    assert await caller.buyers(show_id) == exported


async def test_one_who_is_not_known_yet_waits_for_the_first_claim(caller: Caller, show_id: str) -> None:
    news = [told(7, handle="@seven", email="seven@example.com", display_name="Seven")]
    assert counts(await caller.stream_buyers(show_id, news)) == (1, 0, 0, 0)
    assert len(await caller.buyers(show_id)) == 2, "nothing was won"
    claim = winner(7, item_number="1", email="claimed@example.com", display_name="As claimed")
    await caller.ingest(show_id, [claim])
    (seven,) = [one for one in await caller.buyers(show_id) if one.platform_user_id == "u7"]
    assert seven.email == "seven@example.com"
    assert seven.handle == "@u00007", "the platform tells the handle"
    assert seven.display_name == "Seven", "told later than the claim was made"


async def test_bad_ones_are_named_and_may_keep_all_out(caller: Caller, show_id: str) -> None:
    batches = [told(0, email="a@example.com")], [told(1, email="nobody"), pb.Buyer(platform="facebook")]
    answer = await caller.stream_buyers(show_id, *batches, all_or_none=True)
    assert (counts(answer), [one.index for one in answer.rejected_buyers]) == ((0, 0, 0, 2), [1, 2])
    assert [one.email for one in await caller.buyers(show_id)] == ["", ""]
    answer = await caller.stream_buyers(show_id, *batches)
    assert counts(answer) == (0, 1, 0, 2)
    assert answer.rejected_buyers[0].reason == "The e-mail address is not one. Correct it, or leave it empty."
    whole = await caller.stream_buyers(show_id, [told(1, email="b@example.com")], [told(9)], all_or_none=True)
    assert counts(whole) == (1, 1, 0, 0)


async def test_buyers_of_another_workspace_are_others(caller: Caller, show_id: str, make_caller: MakeCaller) -> None:
    stranger = await make_caller("gateway")
    assert (await refusal(stranger.stream_buyers(show_id, [told(0, email="x@example.com")]))).kind is Kind.NOT_FOUND
    theirs = await stranger.small_show(1)
    await stranger.stream_buyers(theirs, [told(0, email="x@example.com")])
    assert [one.email for one in await caller.buyers(show_id)] == ["", ""]


async def test_changed_address_is_seen_by_mail_and_by_the_plan(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(2, emails=True)
    await caller.generate(show_id)
    first, other = await caller.listed(show_id)
    await caller.stream_buyers(show_id, [told(0, email="new@example.com")])
    error = await refusal(caller.send(first, EMAIL))
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "EMAIL_CHANGED")
    assert "\n" not in error.message
    many = await caller.sent((await caller.send_many(show_id)).id)
    assert (many.delivered_count, many.skipped_count) == (1, 1), "only to where the buyer is reached now"
    assert [one.send_count for one in (await caller.invoice(first), await caller.invoice(other))] == [0, 1]
    (offer,) = await caller.changes(show_id)
    assert (offer.kind, offer.optional, offer.difference) == (pb.CHANGE_KIND_REISSUE, True, 0)
    assert (await caller.generate(show_id, reissue_for_email=True)).created_count == 1
    (anew,) = [one for one in await caller.listed(show_id) if one.revision == 2]
    assert provider.orders[anew.id][-1].buyer["email"] == "new@example.com"
    assert (await caller.send(anew, EMAIL)).delivery.state == pb.DELIVERY_STATE_DELIVERED
    assert await caller.changes(show_id) == []


async def test_draft_that_took_another_address_as_it_was_finalized_is_not_mailed(
    caller: Caller, provider: FakeProvider
) -> None:
    """The provider's customer is of all shows: another one may have told it a newer address, or an older."""
    show_id = await caller.small_show(1, price=None, emails=True)
    await caller.generate(show_id)
    (draft,) = await caller.listed(show_id)
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=1500)])
    provider.mails_to["u0"] = "elsewhere@example.com"
    invoice = await caller.finalize(draft)
    assert [one.reason for one in await caller.history(invoice)][-1] == (
        "It was finalized; it can be paid. The provider would mail it to another e-mail address than it was made with."
    )
    assert (await refusal(caller.send(invoice, EMAIL))).reason == "EMAIL_CHANGED"
    assert (await caller.sent((await caller.send_many(show_id)).id)).skipped_count == 1
    assert not provider.mail_entered
    (offer,) = await caller.changes(show_id)
    assert (offer.kind, offer.optional) == (pb.CHANGE_KIND_REISSUE, True)
    provider.mails_to["u0"] = "u0@example.com"
    await caller.generate(show_id, reissue_for_email=True)
    (anew,) = [one for one in await caller.listed(show_id) if one.revision == 2]
    assert (await caller.send(anew, EMAIL)).delivery.state == pb.DELIVERY_STATE_DELIVERED
    assert await caller.changes(show_id) == []


async def test_draft_that_took_the_address_of_now_is_mailed(caller: Caller, provider: FakeProvider) -> None:
    """Also where an event was quicker than the answer."""
    show_id = await caller.small_show(1, price=None, emails=True)
    await caller.generate(show_id)
    (draft,) = await caller.listed(show_id)
    await caller.stream_buyers(show_id, [told(0, email="new@example.com")])
    finalized = event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, draft, total=1500, mailed_to="New@Example.com")
    await caller.apply(finalized)
    assert await caller.changes(show_id) == []
    assert (await caller.send(draft, EMAIL)).delivery.state == pb.DELIVERY_STATE_DELIVERED


@pytest.mark.parametrize("by", ["hand", "run"])
async def test_draft_is_finalized_for_the_address_of_now(caller: Caller, provider: FakeProvider, by: str) -> None:
    """It needs no second invoice to be mailed there."""
    show_id = await caller.small_show(1, price=None, emails=True)
    await caller.generate(show_id)
    (draft,) = await caller.listed(show_id)
    await caller.stream_buyers(show_id, [told(0, email="new@example.com")])
    await caller.items(show_id, [pb.Item(item_number="0", title="Item 0", price=1500)])
    await (caller.finalize(draft) if by == "hand" else caller.generate(show_id, apply_changes=True))
    assert provider.orders[draft.id][-1].buyer["email"] == "new@example.com"
    assert [one.reason for one in await caller.history(draft) if "another e-mail address" in one.reason] == []
    assert await caller.changes(show_id) == []
    assert (await caller.send(draft, EMAIL)).delivery.state == pb.DELIVERY_STATE_DELIVERED


async def test_removed_address_is_not_mailed_to(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1, emails=True)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    (buyer,) = await caller.buyers(show_id)
    await caller.update_buyer(pb.Buyer(id=buyer.id, email=""), "email")
    assert (await refusal(caller.send(invoice, EMAIL))).reason == "NO_EMAIL"
    assert not provider.mailed


async def test_who_mails_nothing_is_offered_no_new_invoice_for_an_address(
    caller: Caller, provider: FakeProvider
) -> None:
    assert provider.connected
    provider.connected = replace(provider.connected, emails=False)
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    await caller.stream_buyers(show_id, [told(0, email="new@example.com")])
    assert await caller.changes(show_id) == []
