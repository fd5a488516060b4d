"""Provider events in any order, grouping and place: two replicas on one database end where the table says."""

import asyncio
import itertools
import random

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.cli.embedded.nats import Nats
from services.common.context import Identity
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import MOVES, Standing, Status
from services.invoicing.domain.sighting import Sighting
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import SEEDS, Replica, running_replica
from tests.invoicing.events_seen import PAID_AT, event, paid_event
from tests.invoicing.fake_provider import FakeProvider
from tests.waiting import eventually

RANKED = (
    pb.PROVIDER_EVENT_TYPE_FINALIZED,
    pb.PROVIDER_EVENT_TYPE_SENT,
    pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED,
    pb.PROVIDER_EVENT_TYPE_MARKED_UNCOLLECTIBLE,
    pb.PROVIDER_EVENT_TYPE_VOIDED,
    pb.PROVIDER_EVENT_TYPE_PAID,
)
"""By rank: the last that is told is where the invoice ends."""
ENDS = (
    pb.INVOICE_STATUS_DRAFT,
    pb.INVOICE_STATUS_SENT,
    pb.INVOICE_STATUS_PAYMENT_FAILED,
    pb.INVOICE_STATUS_UNCOLLECTIBLE,
    pb.INVOICE_STATUS_VOID,
    pb.INVOICE_STATUS_PAID,
)
UNMOVING = (
    pb.PROVIDER_EVENT_TYPE_OVERDUE,
    pb.PROVIDER_EVENT_TYPE_FINALIZATION_FAILED,
    pb.PROVIDER_EVENT_TYPE_OTHER,
)
HISTORY = """
SELECT invoice_id, from_status, to_status, reason, actor, version FROM invoice_history ORDER BY invoice_id, version
"""


@pytest.mark.parametrize("seed", range(3))
async def test_two_replicas_end_alike_however_events_come(
    caller: Caller, replica: Replica, database_url: str, nats: Nats, provider: FakeProvider, seed: int
) -> None:
    dice = random.Random(seed)
    show_id = await caller.small_show(30)
    await caller.generate(show_id)
    kinds = {one.id: dice.choices((*RANKED, *UNMOVING), k=dice.randint(1, 5)) for one in await caller.listed(show_id)}
    events = [event(caller, kind, one) for one in await caller.listed(show_id) for kind in kinds[one.id]]
    async with running_replica(database_url, nats.url, provider) as second:
        other = Caller(second.address, SEEDS["gateway"])
        other.who = caller.who
        await asyncio.gather(deliver(caller, events, dice), deliver(other, events, dice))
        await other.close()
    listed = await caller.listed(show_id)
    assert {one.id: one.status for one in listed} == {
        invoice_id: max((ENDS[RANKED.index(kind)] for kind in told if kind in RANKED), key=ENDS.index, default=ENDS[0])
        for invoice_id, told in kinds.items()
    }
    assert await replica.pool.fetchval("SELECT count(*) FROM provider_events") == len(events)
    await every_change_is_in_the_history(replica, listed)


async def deliver(caller: Caller, events: list[pb.ProviderEvent], dice: random.Random) -> None:
    """All of them, shuffled, in groups of one to six, several groups under way at once."""
    waiting = dice.sample(events, len(events))
    groups = []
    while waiting:
        size = dice.randint(1, 6)
        groups.append(waiting[:size])
        waiting = waiting[size:]
    for place in range(0, len(groups), 4):
        await asyncio.gather(*(caller.apply(*group) for group in groups[place : place + 4]))


async def every_change_is_in_the_history(replica: Replica, listed: list[pb.Invoice]) -> None:
    """From, to, why, by whom, without a gap from the first status to the last."""
    rows = await replica.pool.fetch(HISTORY)
    for invoice in listed:
        steps = [row for row in rows if str(row["invoice_id"]) == invoice.id]
        assert [row["version"] for row in steps] == list(range(1, invoice.version + 1))
        assert all(row["reason"] and row["actor"] for row in steps)
        statuses = [row["to_status"] for row in steps]
        assert [row["from_status"] for row in steps] == [None, *statuses[:-1]]
        assert invoice.status == pb.InvoiceStatus.Value(f"INVOICE_STATUS_{statuses[-1].upper()}")
        moves = [(Status(old), Status(new)) for old, new in itertools.pairwise(statuses) if old != new]
        assert all(new in MOVES[old] for old, new in moves)


@pytest.fixture
async def invoice(caller: Caller) -> pb.Invoice:
    """Made and payable."""
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    return (await caller.listed(show_id))[0]


async def test_payment_in_the_second_of_the_finalizing_is_kept(caller: Caller, invoice: pb.Invoice) -> None:
    finalized = event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, invoice)
    paid = paid_event(caller, invoice)
    assert finalized.occur_time == paid.occur_time
    for told in (finalized, paid, finalized):
        await caller.apply(told)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID


@pytest.mark.parametrize("seconds", [-1, 0, 1])
async def test_failed_attempt_after_the_payment_changes_nothing(
    caller: Caller, invoice: pb.Invoice, seconds: int
) -> None:
    await caller.apply(paid_event(caller, invoice))
    failed = event(caller, pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED, invoice)
    failed.occur_time.CopyFrom(Timestamp(seconds=PAID_AT.seconds + seconds))
    assert await caller.apply(failed) == [pb.EVENT_OUTCOME_NO_CHANGE]
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID


async def test_reading_that_answers_late_does_not_undo_a_payment(
    caller: Caller, invoice: pb.Invoice, replica: Replica, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, answered = asyncio.Event(), asyncio.Event()
    old = provider.made[invoice.id]

    async def read(identity: Identity, account: Account, external_id: str, *, background: bool = False) -> Sighting:
        reading.set()
        await answered.wait()
        return old

    monkeypatch.setattr(provider, "read", read)
    voided = event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, invoice, replaced_by=old.external_id)
    voided.invoice.external_id = "in_before"
    await replica.pool.execute("UPDATE invoices SET external_id = 'in_before' WHERE id = $1", invoice.id)
    await caller.apply(voided)
    await reading.wait()
    paid = paid_event(caller, invoice)
    paid.invoice.external_url = ""  # which the reading then tells
    await caller.apply(paid)
    answered.set()

    async def read_in() -> pb.Invoice | None:
        now = await caller.invoice(invoice)
        return now if now.external_url == old.external_url else None

    now = await eventually(read_in, why="the reading was not taken in")
    assert now is not None
    assert (old.standing, now.status) == (Standing.PAYABLE, pb.INVOICE_STATUS_PAID)


async def test_replacement_that_is_only_named_is_read_and_followed(
    caller: Caller, invoice: pb.Invoice, provider: FakeProvider
) -> None:
    provider.now(invoice.id, external_id="in_edited", total=1500, external_url="https://pay.example/in_edited")
    early = paid_event(caller, invoice, external_id="in_edited", total=1500)
    assert await caller.apply(early) == [pb.EVENT_OUTCOME_UNKNOWN_INVOICE]  # nobody said yet that it is ours
    provider.now(invoice.id, standing=Standing.PAID)
    voided = event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, invoice, replaced_by="in_edited")
    assert await caller.apply(voided) == [pb.EVENT_OUTCOME_APPLIED]

    async def paid() -> pb.Invoice | None:
        now = await caller.invoice(invoice)
        return now if now.status == pb.INVOICE_STATUS_PAID else None

    now = await eventually(paid, why="the replacement was not read")
    assert now is not None
    assert (now.external_id, now.total, now.adjusted_at_provider) == ("in_edited", 1500, True)
    followed, read = (await caller.history(invoice))[-2:]
    assert "replaced at the provider" in followed.reason
    assert (followed.from_status, followed.to_status) == (pb.INVOICE_STATUS_DRAFT, pb.INVOICE_STATUS_DRAFT)
    assert read.actor == "worker:catchup"


async def test_replacement_that_names_the_old_one_is_followed_at_once(caller: Caller, invoice: pb.Invoice) -> None:
    old = invoice.external_id
    finalized = event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, invoice, external_id="in_edited", total=1500)
    finalized.invoice.replaces = old
    finalized.invoice.lines.add(description="Edited", amount=1500)
    paid = paid_event(caller, invoice, external_id="in_edited", total=1500, replaces=old)
    voided = event(caller, pb.PROVIDER_EVENT_TYPE_VOIDED, invoice, replaced_by="in_edited")
    outcomes = await caller.apply(finalized, voided, paid)
    assert outcomes == [pb.EVENT_OUTCOME_APPLIED, pb.EVENT_OUTCOME_UNKNOWN_INVOICE, pb.EVENT_OUTCOME_APPLIED]
    now = await caller.invoice(invoice)
    assert (now.status, now.external_id, now.total) == (pb.INVOICE_STATUS_PAID, "in_edited", 1500)
    assert [(line.title, line.amount) for line in now.lines] == [("Edited", 1500)]
    assert now.pay_path == invoice.pay_path


async def test_calls_at_once_share_transactions(caller: Caller, replica: Replica) -> None:
    show_id = await caller.small_show(40)
    await caller.generate(show_id)
    events = [paid_event(caller, one) for one in await caller.listed(show_id)]
    taken = "SELECT count(DISTINCT xmin::text) FROM provider_events"
    before = await replica.pool.fetchval(taken)
    outcomes = await asyncio.gather(*(caller.apply(one) for one in events))
    assert outcomes == [[pb.EVENT_OUTCOME_APPLIED]] * 40
    assert await replica.pool.fetchval(taken) - before < 20
    await every_change_is_in_the_history(replica, await caller.listed(show_id))


async def test_call_that_shares_with_a_poisonous_one_gets_its_own_outcome(caller: Caller) -> None:
    show_id = await caller.small_show(12)
    await caller.generate(show_id)
    events = [paid_event(caller, one) for one in await caller.listed(show_id)]
    events[5].provider_type = "a zero \0 character"
    outcomes = await asyncio.gather(*(caller.apply(one) for one in events))
    assert [told.index(pb.EVENT_OUTCOME_TRY_AGAIN) for told in outcomes if told != [pb.EVENT_OUTCOME_APPLIED]] == [0]
    assert outcomes[5] == [pb.EVENT_OUTCOME_TRY_AGAIN]
