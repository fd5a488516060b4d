"""What happened at the provider is read past all webhooks: by cursor, by several replicas, and a failure is told."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from prometheus_client import REGISTRY

from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from services.invoicing.catchup import CLOCKS, OVERLAP, PATIENCE, Catchup, NotApplied
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.schedule import rest
from services.invoicing.ports import UpdateMode
from services.invoicing.provider import _happened
from services.invoicing.settle import Event
from services.rpc.showbill.integrations.v1 import integrations_pb2 as integrations
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import Replica, running_replica
from tests.invoicing.events_seen import paid_event
from tests.invoicing.fake_provider import ACCOUNT, Away, Elsewhere, FakeProvider, Refused, sighting_of
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts are read when the test says so, and not beside it."""

    async def rest_for_good(_: Catchup) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Catchup, "run", rest_for_good)


def news(caller: Caller, invoice: pb.Invoice, standing: Standing, *, age: float = 120) -> Event:
    """An event of the list, `age` seconds old."""
    return Event(
        account=Account(caller.who.workspace_id, "stripe", ACCOUNT, False),
        event_id=f"evt_{new_id()}",
        event_type="invoice.changed",
        occurred_at=datetime.now(UTC) - timedelta(seconds=age),
        invoice_id=invoice.id,
        sighting=sighting_of(invoice.id, standing, invoice.total),
        external_id=invoice.external_id,
    )


async def invoiced(caller: Caller, buyers: int) -> list[pb.Invoice]:
    show_id = await caller.small_show(buyers)
    await caller.generate(show_id)
    return await caller.listed(show_id)


async def sweep_now(replica: Replica) -> None:
    """One sweep of the one account that there is."""
    await replica.service.catchup.find_accounts()
    await replica.pool.execute("UPDATE sweeps SET due_at = '-infinity', lease_expires_at = '-infinity'")
    assert await replica.service.catchup.sweep()


async def sweep_row(replica: Replica) -> asyncpg.Record:
    row = await replica.pool.fetchrow("SELECT *, extract(epoch FROM due_at - now())::float AS due_in FROM sweeps")
    assert row is not None
    return row


def sweeps_ended(outcome: str) -> float:
    return REGISTRY.get_sample_value("showbill_sweeps_total", {"outcome": outcome}) or 0


async def hearing(caller: Caller, *, counts: bool = False) -> pb.GetHearingResponse:
    request = pb.GetHearingRequest(provider="stripe", with_counts=counts)
    return await caller.client.call(caller.invoices.GetHearing, request, caller.who)


async def counted(caller: Caller) -> tuple[int, int]:
    told = await hearing(caller, counts=True)
    return told.unpaid_invoice_count, told.event_count


async def how_they_came(caller: Caller) -> tuple[int, int, str]:
    told = await hearing(caller, counts=True)
    assert told.HasField("last_event_time") == bool(told.last_event_type)
    return told.told_event_count, told.read_event_count, told.last_event_type


async def test_one_sweep_makes_everything_right(caller: Caller, replica: Replica, provider: FakeProvider) -> None:
    paid, voided, written_off, open_ = await invoiced(caller, 4)
    assert await counted(caller) == (4, 0)
    provider.news = [
        news(caller, paid, Standing.PAID),
        news(caller, voided, Standing.VOID),
        news(caller, written_off, Standing.UNCOLLECTIBLE),
        news(caller, paid, Standing.PAYABLE),
    ]
    await sweep_now(replica)
    assert [(await caller.invoice(one)).status for one in (paid, voided, written_off, open_)] == [
        pb.INVOICE_STATUS_PAID,
        pb.INVOICE_STATUS_VOID,
        pb.INVOICE_STATUS_UNCOLLECTIBLE,
        pb.INVOICE_STATUS_DRAFT,
    ]
    assert (await caller.history(paid))[-1].actor == f"event:{provider.news[0].event_id}"
    assert await counted(caller) == (1, 4), "what was written off is nothing that anybody waits for"
    assert await how_they_came(caller) == (0, 4, "invoice.changed")
    await replica.pool.execute("UPDATE provider_events SET received_at = received_at - interval '25 hours'")
    assert await counted(caller) == (1, 0)
    assert await how_they_came(caller) == (0, 0, "invoice.changed"), "the last one is told after a quiet day, too"
    await replica.pool.execute("UPDATE provider_events SET received_at = received_at - interval '10 days'")
    assert await how_they_came(caller) == (0, 0, "invoice.changed")
    await replica.pool.execute("UPDATE provider_events SET received_at = received_at - interval '30 days'")
    assert await how_they_came(caller) == (0, 0, "")
    assert (await hearing(caller)).unpaid_invoice_count == 0, "it was not asked for"


async def test_event_of_list_and_webhook_counts_once(caller: Caller, replica: Replica, provider: FakeProvider) -> None:
    (invoice,) = await invoiced(caller, 1)
    webhook = paid_event(caller, invoice)
    listed = news(caller, invoice, Standing.PAID)
    assert await caller.apply(webhook) == [pb.EVENT_OUTCOME_APPLIED]
    provider.news = [replace(listed, event_id=webhook.event_id)]
    await sweep_now(replica)
    assert len(await caller.history(invoice)) == 3
    assert await counted(caller) == (0, 1)
    assert await how_they_came(caller) == (1, 0, webhook.provider_type), "a webhook had told it"


async def test_cursor_moves_with_what_was_read(caller: Caller, replica: Replica, provider: FakeProvider) -> None:
    (invoice,) = await invoiced(caller, 1)
    await sweep_now(replica)
    assert provider.asked[-1][1] <= invoice.create_time.ToDatetime(UTC) - OVERLAP + timedelta(seconds=1)
    provider.news = [news(caller, invoice, Standing.PAID, age=-5)]
    await sweep_now(replica)
    assert provider.asked[-1][1] <= datetime.now(UTC) - CLOCKS - OVERLAP, "later than that it is not read for sure"
    await sweep_now(replica)
    assert provider.asked[-1][1] == provider.news[0].occurred_at - OVERLAP


async def test_cursor_of_a_quiet_account_moves_to_where_the_reading_began(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    await invoiced(caller, 1)
    await replica.service.catchup.find_accounts()
    await replica.pool.execute("UPDATE sweeps SET read_until = now() - interval '10 days'")
    before = datetime.now(UTC)
    await sweep_now(replica)
    assert before - CLOCKS <= (await sweep_row(replica))["read_until"] <= datetime.now(UTC) - CLOCKS
    cut_off = "UPDATE sweeps SET page_token = '1', began_at = $1, read_until = now() - interval '10 days'"
    await replica.pool.execute(cut_off, before - timedelta(days=1))
    await sweep_now(replica)
    row = await sweep_row(replica)
    assert row["read_until"] == before - timedelta(days=1) - CLOCKS, "it began before it was cut off"
    assert row["began_at"] is None


async def test_payment_is_read_where_the_clock_of_the_provider_is_behind(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    """Ours is ahead by more than a signature may be old: no webhook is taken, so that only the reading tells of it."""
    (invoice,) = await invoiced(caller, 1)
    await sweep_now(replica)
    provider.news = [news(caller, invoice, Standing.PAID, age=3600)]
    await sweep_now(replica)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID


async def test_cut_off_reading_goes_on_where_it_was(caller: Caller, replica: Replica, provider: FakeProvider) -> None:
    invoices = await invoiced(caller, 5)
    provider.news = [news(caller, one, Standing.PAID) for one in invoices]
    provider.page = 2
    await replica.service.catchup.find_accounts()
    await sweep_now(replica)
    await replica.pool.execute("UPDATE sweeps SET page_token = '4', newest = now()")
    provider.asked.clear()
    await sweep_now(replica)
    assert [token for _, _, token in provider.asked] == ["4"]
    provider.deaf = Refused()
    await replica.pool.execute("UPDATE sweeps SET page_token = '4'")
    await sweep_now(replica)
    assert (await sweep_row(replica))["page_token"] == "", "a place that is refused is forgotten"


async def test_failed_sweep_is_told_and_tried_again(caller: Caller, replica: Replica, provider: FakeProvider) -> None:
    (invoice,) = await invoiced(caller, 1)
    provider.news = [news(caller, invoice, Standing.PAID)]
    provider.deaf = Away()
    await sweep_now(replica)
    first = await sweep_row(replica)
    assert (first["failure"], first["failure_count"], first["succeeded_at"]) == ("The provider is away.", 1, None)
    assert 0 < first["due_in"] <= 60
    told = await hearing(caller)
    assert (told.mode, told.failure) == (pb.HEARING_MODE_LIVE, "The provider is away.")
    assert "The provider is away." in told.sentence
    await sweep_now(replica)
    assert (await sweep_row(replica))["due_in"] > 60, "each failure doubles the rest"
    await replica.pool.execute("UPDATE sweeps SET failure_count = 9")
    await sweep_now(replica)
    assert 800 < (await sweep_row(replica))["due_in"] <= 900, "a provider that is back is not left for an hour"
    provider.deaf = Refused()
    await sweep_now(replica)
    assert 3500 < (await sweep_row(replica))["due_in"] <= 3600, "nothing changes until somebody mends it"
    provider.deaf = None
    await sweep_now(replica)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID
    assert (await hearing(caller)).failure == ""


async def test_what_could_not_be_noted_is_told_and_read_again(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    first, second = await invoiced(caller, 2)
    provider.news = [news(caller, one, Standing.PAID) for one in (first, second)]
    poison = "ALTER TABLE provider_events ADD CONSTRAINT poison CHECK (event_id <> '" + provider.news[0].event_id + "')"
    await replica.pool.execute(poison)
    await sweep_now(replica)
    told = await hearing(caller)
    assert told.failure == "What was read from the provider could not be noted here. It is tried again by itself."
    assert (await caller.invoice(first)).status == pb.INVOICE_STATUS_DRAFT
    await replica.pool.execute("ALTER TABLE provider_events DROP CONSTRAINT poison")
    await sweep_now(replica)
    assert (await hearing(caller)).failure == ""
    for one in (first, second):
        assert (await caller.invoice(one)).status == pb.INVOICE_STATUS_PAID


async def test_one_event_that_cannot_be_noted_stops_no_other_for_good(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    first, second = await invoiced(caller, 2)
    provider.news, provider.page = [news(caller, one, Standing.PAID) for one in (first, second)], 1
    poison = "ALTER TABLE provider_events ADD CONSTRAINT poison CHECK (event_id <> '" + provider.news[0].event_id + "')"
    await replica.pool.execute(poison)
    provider.now(first.id, standing=Standing.PAID)
    for _ in range(PATIENCE):
        await sweep_now(replica)
        assert (await hearing(caller)).failure
        assert (await caller.invoice(second)).status == pb.INVOICE_STATUS_DRAFT
    await sweep_now(replica)
    assert (await hearing(caller)).failure == ""
    assert (await caller.invoice(second)).status == pb.INVOICE_STATUS_PAID
    await replica.service.rereading.read_due()
    assert (await caller.invoice(first)).status == pb.INVOICE_STATUS_PAID, "it was read instead"


async def test_provider_that_was_away_uses_up_no_patience(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    """What cannot be noted for a moment right after an outage is tried again like any other."""
    (invoice,) = await invoiced(caller, 1)
    provider.news, provider.deaf = [news(caller, invoice, Standing.PAID)], Away()
    for _ in range(PATIENCE):
        await sweep_now(replica)
    provider.deaf = None
    poison = "ALTER TABLE provider_events ADD CONSTRAINT poison CHECK (event_id <> '" + provider.news[0].event_id + "')"
    await replica.pool.execute(poison)
    for _ in range(PATIENCE):
        await sweep_now(replica)
        assert (await hearing(caller)).failure == NotApplied().message
    await replica.pool.execute("ALTER TABLE provider_events DROP CONSTRAINT poison")
    await sweep_now(replica)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID


async def test_money_for_a_void_invoice_is_found_when_its_event_is_passed_over(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    (invoice,) = await invoiced(caller, 1)
    await caller.void(invoice)
    provider.news = [news(caller, invoice, Standing.PAID)]
    provider.now(invoice.id, standing=Standing.PAID)
    await replica.pool.execute("ALTER TABLE provider_events ADD CONSTRAINT poison CHECK (event_id = '')")
    for _ in range(PATIENCE):
        await sweep_now(replica)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_VOID
    provider.unreadable = Away()
    await sweep_now(replica)
    assert (await hearing(caller)).failure == "The provider is away.", "no schedule would read it later"
    provider.unreadable = None
    await sweep_now(replica)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID
    assert (await hearing(caller)).failure == ""


async def test_invoice_of_an_event_that_makes_no_sense_is_read_at_once(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    open_, void = await invoiced(caller, 2)
    await caller.void(void)
    for one in (open_, void):
        provider.now(one.id, standing=Standing.PAID)
    provider.garbled = [one.external_id for one in (open_, void)]
    await sweep_now(replica)
    assert (await caller.invoice(void)).status == pb.INVOICE_STATUS_PAID
    await replica.service.rereading.read_due()

    async def paid() -> bool:  # unless the service's own reading was quicker to take it
        return (await caller.invoice(open_)).status == pb.INVOICE_STATUS_PAID

    await eventually(paid)


def test_event_that_makes_no_sense_names_its_invoice() -> None:
    account = Account(new_id(), "stripe", ACCOUNT, False)
    good, bad, nameless = (integrations.ProviderEvent(event_id=f"evt_{n}") for n in range(3))
    good.invoice.external_id, bad.invoice.external_id = "in_1", "in_2"
    for one in (bad, nameless):
        one.occur_time.seconds = 10**15
    answer = integrations.ListChangedInvoicesResponse(
        events=[bad, good, nameless], next_page_token="2", unreadable_external_ids=["in_3"]
    )
    read = _happened(account, answer)
    assert [(one.event_id, one.account) for one in read.events] == [("evt_0", account)]
    assert (read.unreadable, read.next_page) == (["in_3", "in_2"], "2")


async def test_reading_that_breaks_is_told_as_failed(
    caller: Caller, replica: Replica, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await invoiced(caller, 1)

    async def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(provider, "happened", broken)
    await sweep_now(replica)
    assert (await hearing(caller)).failure.startswith("What was read from the provider could not be noted here.")
    assert (await sweep_row(replica))["failure_count"] == 1


async def test_one_invoice_that_cannot_be_looked_at_holds_up_no_other(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    first, second = await invoiced(caller, 2)
    await replica.pool.execute("UPDATE invoices SET check_at = now() - interval '1 s' * revision")
    await replica.pool.execute("UPDATE invoices SET check_at = '-infinity' WHERE id = $1", first.id)
    for one in (first, second):
        provider.now(one.id, standing=Standing.PAID)
    await replica.pool.execute(
        f"ALTER TABLE invoices ADD CONSTRAINT poison CHECK (id <> '{first.id}' OR status <> 'paid')"
    )
    assert await replica.service.rereading.read_due() == 2
    assert (await caller.invoice(second)).status == pb.INVOICE_STATUS_PAID


async def test_missed_webhooks_are_told_and_looked_for_more_often(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    (invoice,) = await invoiced(caller, 1)
    await sweep_now(replica)
    assert (await hearing(caller)).mode == pb.HEARING_MODE_LIVE
    provider.news = [news(caller, invoice, Standing.PAID)]
    await sweep_now(replica)
    told = await hearing(caller)
    assert told.mode == pb.HEARING_MODE_CATCHING_UP
    assert told.sentence.endswith("come again.")
    assert told.last_heard_time.seconds
    assert (await sweep_row(replica))["due_in"] <= 300
    provider.deaf = Away()
    await sweep_now(replica)
    assert (await hearing(caller)).mode == pb.HEARING_MODE_BROKEN


async def test_webhooks_put_the_next_sweep_off(caller: Caller, replica: Replica, provider: FakeProvider) -> None:
    first, _ = await invoiced(caller, 2)
    await sweep_now(replica)
    assert 800 < (await sweep_row(replica))["due_in"] <= 900, "silence is looked into after a quarter of the time"
    await replica.pool.execute("UPDATE sweeps SET due_at = now() + interval '10 seconds'")
    await caller.apply(paid_event(caller, first))
    heard = await sweep_row(replica)
    assert heard["heard_at"] is not None
    assert 800 < heard["due_in"] <= 900
    await replica.pool.execute("UPDATE sweeps SET succeeded_at = now() - interval '3590 seconds', due_at = now()")
    replica.service.hearing._noted.clear()  # as if some seconds had passed
    await caller.apply(paid_event(caller, first))
    assert (await sweep_row(replica))["due_in"] < 20, "never longer than the whole time"


async def test_connection_without_webhooks_says_that_it_polls(caller: Caller, provider: FakeProvider) -> None:
    assert provider.connected
    provider.connected = replace(provider.connected, update_mode=UpdateMode.POLLING)
    told = await hearing(caller)
    assert (told.mode, told.sentence) == (pb.HEARING_MODE_POLLING, "Payments are read every few minutes.")


async def test_account_whose_webhooks_cannot_come_is_read_every_few_minutes(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    await invoiced(caller, 1)
    assert provider.connected
    live, polling = provider.connected, replace(provider.connected, update_mode=UpdateMode.POLLING)
    for connected, longest in ((polling, 300), (live, 900), (replace(polling, account_id="acct_other"), 900)):
        provider.connected = connected
        await sweep_now(replica)
        assert longest - 60 < (await sweep_row(replica))["due_in"] <= longest
    provider.connected, provider.unconnected = polling, Away()
    await sweep_now(replica)
    assert (await sweep_row(replica))["failure"] == "", "what was read was read"


async def test_account_that_is_connected_again_is_read_within_minutes(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    (invoice,) = await invoiced(caller, 1)
    provider.deaf = Elsewhere()
    counted_as = {one: sweeps_ended(one) for one in ("failed", "unconnected")}
    await replica.service.catchup.find_accounts()
    await replica.pool.execute("UPDATE sweeps SET page_token = '0', failure_count = 9")
    await sweep_now(replica)
    row = await sweep_row(replica)
    assert (row["failure_count"], row["page_token"]) == (10, "0"), "the provider did not say that the page is gone"
    assert (await hearing(caller)).failure == "", "it is connected by now, whatever was when it was read last"
    assert 240 < row["due_in"] <= 300
    assert sweeps_ended("unconnected") == counted_as["unconnected"] + 1
    assert sweeps_ended("failed") == counted_as["failed"], "nobody can mend it but who connects it"
    await replica.pool.execute("UPDATE sweeps SET succeeded_at = now()")
    await replica.service.hearing.note([news(caller, invoice, Standing.PAID)])
    assert (await sweep_row(replica))["due_in"] <= 300, "a webhook of after says nothing of what was paid meanwhile"
    provider.deaf = Away()
    await sweep_now(replica)
    assert (await sweep_row(replica))["due_in"] <= 60, "how long it was not connected is no failure of the provider"
    provider.deaf, provider.news = None, [news(caller, invoice, Standing.PAID)]
    await sweep_now(replica)
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID


async def test_replicas_take_different_accounts(
    caller: Caller, replica: Replica, provider: FakeProvider, database_url: str, nats: Nats
) -> None:
    await invoiced(caller, 1)
    await replica.service.catchup.find_accounts()
    row = await sweep_row(replica)
    await replica.pool.execute(
        "INSERT INTO sweeps (workspace_id, provider, external_account, livemode, read_until)"
        " SELECT workspace_id, provider, 'acct_' || n, livemode, now() FROM sweeps, generate_series(1, 9) AS n"
    )
    await replica.pool.execute("UPDATE sweeps SET due_at = '-infinity', lease_expires_at = '-infinity'")
    provider.asked.clear()
    others = [Catchup(replica.service.ledger, provider, replica.service.settlement, every=3600) for _ in range(3)]

    async def all_of(one: Catchup) -> None:
        while await one.sweep():
            pass

    await asyncio.gather(*(all_of(one) for one in others))
    asked = [account.account_id for account, _, _ in provider.asked]
    assert sorted(asked) == sorted([row["external_account"], *(f"acct_{n}" for n in range(1, 10))])


async def test_lapsed_lease_is_taken_over(caller: Caller, replica: Replica, provider: FakeProvider) -> None:
    (invoice,) = await invoiced(caller, 1)
    provider.news = [news(caller, invoice, Standing.PAID)]
    await replica.service.catchup.find_accounts()
    leased = "UPDATE sweeps SET due_at = '-infinity', lease_owner = gen_random_uuid(), lease_expires_at = now() + $1"
    await replica.pool.execute(leased, timedelta(minutes=1))
    assert not await replica.service.catchup.sweep()
    await replica.pool.execute(leased, timedelta(seconds=-1))
    assert await replica.service.catchup.sweep()
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID


async def test_reading_whose_lease_lapsed_ends_none_of_its_successor(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    """Also where another worker of the same process took it over."""
    await invoiced(caller, 1)
    await replica.service.catchup.find_accounts()
    provider.gate.clear()
    first = asyncio.create_task(sweep_now(replica))
    await eventually(lambda: len(provider.asked) == 1)
    early, provider.gate = provider.gate, asyncio.Event()
    second = asyncio.create_task(sweep_now(replica))
    await eventually(lambda: len(provider.asked) == 2)
    early.set()
    await first
    row = await sweep_row(replica)
    assert row["lease_owner"] is not None, "it is under way still"
    provider.gate.set()
    await second
    assert (await sweep_row(replica))["lease_owner"] is None


async def test_start_reads_what_was_not_read_lately(
    caller: Caller,
    replica: Replica,
    provider: FakeProvider,
    database_url: str,
    nats: Nats,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (invoice,) = await invoiced(caller, 1)
    await sweep_now(replica)
    await replica.pool.execute("UPDATE sweeps SET succeeded_at = now() - interval '5 minutes'")
    provider.news = [news(caller, invoice, Standing.PAID)]
    monkeypatch.undo()
    async with running_replica(database_url, nats.url, provider):

        async def is_paid() -> bool:
            return (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_PAID

        await eventually(is_paid, why="the start read nothing")


async def test_what_the_provider_forgot_is_read_one_by_one(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    await invoiced(caller, 3)
    await replica.service.catchup.find_accounts()
    assert await replica.service.rereading.read_due() == 0
    await replica.pool.execute("UPDATE sweeps SET read_until = now() - interval '40 days'")
    await sweep_now(replica)
    assert await replica.service.rereading.read_due() == 3
    await sweep_now(replica)
    assert await replica.service.rereading.read_due() == 0, "once, though nothing happened since"


async def test_invoice_is_read_when_it_is_due_and_then_rests(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    paid, old = await invoiced(caller, 2)
    provider.now(paid.id, standing=Standing.PAID)
    await replica.pool.execute("UPDATE invoices SET check_at = now()")
    await replica.pool.execute("UPDATE invoices SET created_at = now() - interval '10 days' WHERE id = $1", old.id)
    assert await replica.service.rereading.read_due() == 2
    assert await replica.service.rereading.read_due() == 0
    assert (await caller.invoice(paid)).status == pb.INVOICE_STATUS_PAID
    rests = "SELECT extract(epoch FROM check_at - now())::float FROM invoices WHERE id = $1"
    assert 4.9 * 86_400 < await replica.pool.fetchval(rests, old.id) < 5.1 * 86_400


async def test_unreadable_invoice_has_its_turn_again_soon(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    (invoice,) = await invoiced(caller, 1)
    await replica.pool.execute("UPDATE invoices SET check_at = now(), created_at = now() - interval '10 days'")
    provider.unreadable = Away()
    assert await replica.service.rereading.read_due() == 1
    rests = await replica.pool.fetchval("SELECT extract(epoch FROM check_at - now())::float FROM invoices")
    assert rests <= 3600
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_DRAFT


async def test_draft_deleted_at_the_provider_becomes_void(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    show_id = await caller.small_show(1, price=10)
    await caller.generate(show_id)
    provider.made.clear()
    await replica.pool.execute("UPDATE invoices SET check_at = now()")
    await replica.service.rereading.read_due()

    async def void() -> list[pb.Invoice]:  # unless the service's own reading was quicker to take it
        return await caller.listed(show_id, pb.INVOICE_STATUS_VOID)

    (invoice,) = await eventually(void)
    assert "deleted" in invoice.status_reason


@pytest.mark.parametrize("written_off", [False, True])
def test_readings_of_an_invoice_stay_within_the_allowance(written_off: bool) -> None:
    """500 readings for each transaction, averaged over 30 days."""
    age, readings = 0.0, 0
    while age < 30 * 86_400:
        age += rest(age, 3600, written_off=written_off)
        readings += 1
    assert readings <= (5 if written_off else 17)
