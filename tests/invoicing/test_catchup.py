"""Payments are learned of without any webhook."""

from collections.abc import AsyncIterator
from dataclasses import replace as with_changes

import pytest

from services.cli.embedded.nats import Nats
from services.invoicing.domain.invoice import Standing
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import PACE, SEEDS, Replica, running_replica
from tests.invoicing.fake_provider import Away, FakeProvider
from tests.waiting import eventually


@pytest.fixture
async def eager(database_url: str, nats: Nats, provider: FakeProvider) -> AsyncIterator[Replica]:
    """Reads open invoices again as soon as it can."""
    async with running_replica(database_url, nats.url, provider, with_changes(PACE, catchup=0.05)) as replica:
        yield replica


@pytest.fixture
async def eager_caller(eager: Replica) -> AsyncIterator[Caller]:
    caller = Caller(eager.address, SEEDS["gateway"])
    yield caller
    await caller.close()


async def test_payment_without_webhook_is_learned_of(eager_caller: Caller, provider: FakeProvider) -> None:
    show_id = await eager_caller.small_show(5)
    await eager_caller.generate(show_id)
    invoices = await eager_caller.listed(show_id)
    for invoice in invoices[:3]:
        provider.now(invoice.id, standing=Standing.PAID)

    async def three_are_paid() -> bool:
        return len(await eager_caller.listed(show_id, pb.INVOICE_STATUS_PAID)) == 3

    await eventually(three_are_paid)
    last = (await eager_caller.history(invoices[0]))[-1]
    assert (last.to_status, last.actor) == (pb.INVOICE_STATUS_PAID, "worker:catchup")
    assert [one.version for one in await eager_caller.listed(show_id)][3:] == [2, 2]


async def test_draft_deleted_at_the_provider_becomes_void(eager_caller: Caller, provider: FakeProvider) -> None:
    show_id = await eager_caller.small_show(1, price=10)
    await eager_caller.generate(show_id)
    provider.made.clear()

    async def is_void() -> list[pb.Invoice]:
        return await eager_caller.listed(show_id, pb.INVOICE_STATUS_VOID)

    (invoice,) = await eventually(is_void)
    assert "deleted" in invoice.status_reason


async def test_provider_that_is_away_is_asked_again(eager_caller: Caller, provider: FakeProvider) -> None:
    show_id = await eager_caller.small_show(1)
    await eager_caller.generate(show_id)
    provider.unreadable = Away()
    (invoice,) = await eager_caller.listed(show_id)
    reads = provider.reads
    provider.now(invoice.id, standing=Standing.PAID)
    await eventually(lambda: provider.reads > reads + 1)
    assert (await eager_caller.invoice(invoice)).status == pb.INVOICE_STATUS_DRAFT
    provider.unreadable = None

    async def is_paid() -> list[pb.Invoice]:
        return await eager_caller.listed(show_id, pb.INVOICE_STATUS_PAID)

    await eventually(is_paid)


async def test_each_invoice_is_due_once_in_an_interval(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    show_id = await caller.small_show(3)
    await caller.generate(show_id)
    assert await replica.service.catchup.sweep() == 0
    await replica.pool.execute("UPDATE invoices SET checked_at = now() - interval '2 hours'")
    assert await replica.service.catchup.sweep() == 3
    assert await replica.service.catchup.sweep() == 0
    assert provider.reads == 3
