"""What has an end even where nobody brings it about."""

import asyncio
from datetime import timedelta

import pytest

from services.common.ids import new_id
from services.invoicing.upkeep import REMEMBERED, UNREPORTED, Upkeep
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import MakeCaller, Replica

DM = pb.DELIVERY_CHANNEL_DM
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over is cleared away when the test says so, and not beside it."""

    async def rest_for_good(_: Upkeep) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Upkeep, "run", rest_for_good)


async def test_message_that_is_never_reported_fails_and_its_link_can_be_sent_again(
    caller: Caller, replica: Replica, make_caller: MakeCaller
) -> None:
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    late, young = await caller.listed(show_id)
    handed = {one.id: (await caller.send(one, DM)).delivery.id for one in (late, young)}
    ago = "UPDATE deliveries SET first_try_at = now() - $2::interval WHERE id = $1"
    await replica.pool.execute(ago, handed[late.id], UNREPORTED + HOUR)
    await replica.pool.execute(ago, handed[young.id], UNREPORTED - HOUR)
    unsent = pb.ListUnsentRequest(show_id=show_id, pay_link_base="https://pay.example")

    async def left() -> list[str]:
        page = await caller.client.call(caller.invoices.ListUnsent, unsent, caller.who)
        assert page.total_size == len(page.unsent)
        return [one.invoice.id for one in page.unsent]

    assert await left() == []
    assert await replica.service.upkeep.fail_unreported() == 1
    (delivery,) = (await caller.deliveries(late)).deliveries
    assert delivery.state == pb.DELIVERY_STATE_FAILED
    assert delivery.reason.endswith("Send the link again if the buyer did not get it.")
    assert await left() == [late.id]
    await caller.sent((await caller.send_many(show_id, DM)).id)
    assert len((await caller.deliveries(late)).deliveries) == 2
    assert len((await caller.deliveries(young)).deliveries) == 1
    messaging = await make_caller("messaging")
    messaging.who = caller.who
    await messaging.report(delivery.id, pb.DELIVERY_STATE_DELIVERED)
    assert (await caller.invoice(late)).status == pb.INVOICE_STATUS_SENT


async def test_old_events_about_no_invoice_are_forgotten_and_no_others(replica: Replica) -> None:
    add = (
        "INSERT INTO provider_events (workspace_id, provider, external_account, livemode, event_id, event_type,"
        " occurred_at, invoice_id, outcome, received_at)"
        " VALUES ($1, 'stripe', 'acct', false, $2, 'invoice.paid', now(), $3, 'x', now() - $4::interval)"
    )
    await replica.pool.execute(add, new_id(), "old", None, REMEMBERED + HOUR)
    await replica.pool.execute(add, new_id(), "young", None, REMEMBERED - HOUR)
    await replica.pool.execute(add, new_id(), "of an invoice", new_id(), REMEMBERED + HOUR)
    assert await replica.service.upkeep.forget_events() == 1
    left = await replica.pool.fetch("SELECT event_id FROM provider_events ORDER BY event_id")
    assert [row["event_id"] for row in left] == ["of an invoice", "young"]
