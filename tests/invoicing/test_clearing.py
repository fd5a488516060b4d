"""What a late or lost answer left at a provider beside the invoice that counts is voided, whatever dies meanwhile."""

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from services.common.ids import new_id
from services.invoicing.domain.evidence import Theirs
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import Sighting
from services.invoicing.repository import SQL
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import MakeCaller, Replica
from tests.invoicing.events_seen import event
from tests.invoicing.fake_provider import ACCOUNT, Away, FakeProvider, Refused, sighting_of
from tests.waiting import eventually

DUE = "UPDATE leftovers SET look_at = '-infinity'"
VOIDED = f"What a late try had left in the account {ACCOUNT} was voided there."
COUNT = "SELECT count(*)::integer FROM leftovers"


async def failed(caller: Caller, provider: FakeProvider) -> pb.Invoice:
    """An invoice whose making failed, of which nobody knows whether it stands."""
    provider.failures = {"u0": [Refused()]}
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    assert invoice.status == pb.INVOICE_STATUS_ERROR
    return invoice


def left(caller: Caller, invoice: pb.Invoice, standing: Standing = Standing.PAYABLE) -> Theirs:
    account = Account(caller.who.workspace_id, "stripe", ACCOUNT, livemode=False)
    return Theirs(account, "in_left", standing, 1000, "GBP", invoice.id)


async def cleared(replica: Replica) -> None:
    await replica.pool.execute(DUE)
    replica.service.clearing.wake()

    async def none_left() -> bool:
        return bool(await replica.pool.fetchval(COUNT) == 0)

    await eventually(none_left, why="something is left")


async def reasons(caller: Caller, invoice: pb.Invoice) -> list[str]:
    return [change.reason for change in await caller.history(invoice)]


async def test_what_comes_to_be_after_a_void_is_looked_for_later(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """The process that made it died before it could say so, and no event tells of it."""
    invoice = await failed(caller, provider)
    await caller.void(invoice)
    assert await replica.pool.fetchval("SELECT look_at > now() + interval '1 minute' FROM leftovers")
    await replica.pool.execute("UPDATE leftovers SET noted_at = now() - interval '1 hour'")
    await replica.service.clearing.count()
    assert REGISTRY.get_sample_value("showbill_leftovers") == 1
    assert (REGISTRY.get_sample_value("showbill_oldest_leftover_seconds") or 0) >= 3600
    asked = provider.unhurried
    provider.made[invoice.id] = sighting_of(invoice.id, Standing.PAYABLE, invoice.total)
    await cleared(replica)
    assert provider.made[invoice.id].standing is Standing.VOID
    assert (asked, provider.unhurried) == (0, 4), "found and voided, by its mark and by its name, in nobody's way"
    assert (await reasons(caller, invoice))[-1] == VOIDED
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_VOID


async def test_void_before_any_try_leaves_nothing_to_look_for(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    await caller.void(invoice)
    assert await replica.pool.fetchval(COUNT) == 0, "it was known, and is void at the provider"


async def test_event_of_what_was_voided_unmade_has_it_voided(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    invoice = await failed(caller, provider)
    await caller.void(invoice)
    provider.made[invoice.id] = sighting_of(invoice.id, Standing.PAYABLE, invoice.total)
    told = event(caller, pb.PROVIDER_EVENT_TYPE_FINALIZED, invoice)
    await caller.apply(told)
    await eventually(lambda: provider.made[invoice.id].standing is Standing.VOID, why="it can still be paid")


async def test_old_account_is_cleared_once_it_is_connected_again(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    invoice = await failed(caller, provider)
    extra = left(caller, invoice)
    provider.extras[extra.place] = extra
    old = provider.connected
    assert old
    provider.connected = replace(old, account_id="acct_new")
    await caller.items(invoice.show_id, [pb.Item(item_number="0", title="Item 0", price=900)])
    await caller.finished((await caller.retry(invoice.show_id)).generation.id)
    tried = "SELECT tries = 1 AND look_at > now() + interval '30 minutes' FROM leftovers"
    await eventually(lambda: replica.pool.fetchval(tried), why="the old account was not asked")
    assert provider.extras[extra.place].standing is Standing.PAYABLE
    said = (await reasons(caller, invoice))[-1]
    assert said.startswith(
        f"An earlier try may have left one in the account {ACCOUNT}. Another account is connected now."
    )
    provider.connected = old
    await cleared(replica)
    assert provider.extras[extra.place].standing is Standing.VOID
    assert (await reasons(caller, invoice))[-1] == VOIDED
    now = await caller.invoice(invoice)
    assert (now.status, now.external_account) == (pb.INVOICE_STATUS_DRAFT, "acct_new")
    assert provider.made[invoice.id].standing is Standing.PAYABLE, "what counts is left alone"
    assert (now.total, [line.amount for line in now.lines], provider.orders[invoice.id][-1].total) == (900, [900], 900)
    assert [line["amount"] for line in provider.orders[invoice.id][-1].lines] == [900]


async def test_invoice_that_came_back_to_its_account_is_left_alone(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    invoice = await failed(caller, provider)
    provider.failures = {"u0": [Refused()]}
    old = provider.connected
    assert old
    provider.connected = replace(old, account_id="acct_new")
    await caller.finished((await caller.retry(invoice.show_id)).generation.id)
    provider.connected = old
    await caller.finished((await caller.retry(invoice.show_id)).generation.id)
    await replica.pool.execute(DUE)
    replica.service.clearing.wake()
    mine = "SELECT count(*) = 0 FROM leftovers WHERE external_account = $1"
    await eventually(lambda: replica.pool.fetchval(mine, ACCOUNT), why="it is still looked for")
    assert provider.made[invoice.id].standing is Standing.PAYABLE
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_DRAFT


async def test_paid_copy_in_an_old_account_is_told_in_the_history(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    invoice = await failed(caller, provider)
    extra = left(caller, invoice, Standing.PAID)
    provider.extras[extra.place] = extra
    old = provider.connected
    assert old
    provider.connected = replace(old, account_id="acct_new")
    await caller.finished((await caller.retry(invoice.show_id)).generation.id)
    provider.connected = old
    await cleared(replica)
    said = (await reasons(caller, invoice))[-1]
    assert said.startswith(f"What a late try had left in the account {ACCOUNT} was paid there: £10.00.")
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_DRAFT
    summary = await caller.summary(invoice.show_id)
    assert (summary.stray, summary.paid) == (pb.SummaryPart(amount=1000, count=1), pb.SummaryPart())
    await replica.service.clearing.count()
    assert REGISTRY.get_sample_value("showbill_stray_payments") == 1
    # Found once more, as by another worker that comes back: it stays one payment.
    await replica.pool.execute(SQL["add_leftover"], invoice.id, "stripe", ACCOUNT, False, "in_left")
    await cleared(replica)
    assert (await caller.summary(invoice.show_id)).stray.count == 1


async def test_worker_that_comes_back_too_late_leaves_a_row_until_it_is_done(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """So that it may die in the middle of clearing away."""
    show_id = await caller.small_show(1)
    provider.gate.clear()
    await caller.start(show_id)
    await eventually(lambda: provider.entered.total() == 1)
    (pending,) = await caller.listed(show_id)
    await replica.pool.execute(
        "UPDATE invoices SET lease_owner = $1, lease_expires_at = now() - interval '1 s', not_before = 'infinity'",
        new_id(),
    )
    assert (await caller.void(pending)).status == pb.INVOICE_STATUS_VOID
    provider.failures[sighting_of(pending.id, Standing.PAYABLE, 0).external_id] = [Away()]
    provider.gate.set()
    noted = "SELECT tries > 0 FROM leftovers WHERE external_id <> ''"
    await eventually(lambda: replica.pool.fetchval(noted), why="it is not noted")
    await cleared(replica)
    assert provider.made[pending.id].standing is Standing.VOID


@pytest.mark.parametrize("stands", [True, False])
async def test_one_whose_retry_was_cancelled_is_not_voided_unseen(
    caller: Caller, provider: FakeProvider, replica: Replica, stands: bool
) -> None:
    """Its beginning was set back for the retry, and what its first try left may stand, or come to."""
    invoice = await failed(caller, provider)
    if stands:
        provider.made[invoice.id] = sighting_of(invoice.id, Standing.PAYABLE, invoice.total)
    await replica.pool.execute("UPDATE invoices SET first_attempt_at = NULL WHERE id = $1", invoice.id)
    await caller.void(invoice)
    if stands:
        assert provider.made[invoice.id].standing is Standing.VOID
    else:
        assert await replica.pool.fetchval(COUNT) == 1, "an answer that comes later still is looked for"


async def test_every_one_that_carries_the_mark_is_voided(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    invoice = await failed(caller, provider)
    await caller.void(invoice)
    twins = [replace(left(caller, invoice), external_id=name) for name in ("in_left", "in_left_too")]
    provider.extras.update({twin.place: twin for twin in twins})
    await cleared(replica)
    assert {provider.extras[twin.place].standing for twin in twins} == {Standing.VOID}


async def test_note_that_comes_while_one_is_looked_for_stays(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    invoice = await failed(caller, provider)
    await caller.void(invoice)
    async with replica.pool.acquire() as database, database.transaction():  # the service takes what it sees to be due
        await database.execute(f"{DUE}, tries = 1")
        (row,) = await database.fetch(SQL["take_leftovers"], 60.0, 1)
    key = (row["invoice_id"], row["provider"], row["external_account"], row["livemode"], row["external_id"])
    await replica.pool.execute(SQL["add_leftover"], *key)
    await replica.pool.execute(SQL["end_leftover"], *key, row["tries"])
    assert await replica.pool.fetchval(COUNT) == 1
    await cleared(replica)


async def test_what_the_invoice_may_take_up_is_left_until_it_did(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    """The account is connected again, and a retry waits that will find it."""
    invoice = await failed(caller, provider)
    extra = left(caller, invoice)
    provider.extras[extra.place] = extra
    await replica.pool.execute(SQL["add_leftover"], invoice.id, "stripe", ACCOUNT, False, "in_left")
    replica.service.clearing.wake()
    later = "SELECT tries = 1 AND look_at > now() + interval '30 seconds' FROM leftovers"
    await eventually(lambda: replica.pool.fetchval(later), why="it was not put off")
    assert provider.extras[extra.place].standing is Standing.PAYABLE
    assert (await caller.invoice(invoice)).status == pb.INVOICE_STATUS_ERROR


async def test_account_that_cannot_be_asked_holds_up_no_other(
    caller: Caller, provider: FakeProvider, replica: Replica, make_caller: MakeCaller
) -> None:
    invoice = await failed(caller, provider)
    await caller.void(invoice)
    gone = Account(caller.who.workspace_id, "stripe", "acct_gone", livemode=False)
    theirs = await failed(other := await make_caller(), provider)
    assert other.who.workspace_id != caller.who.workspace_id
    async with replica.pool.acquire() as database, database.transaction():  # all of them are there when one is taken
        for name in ("in_1", "in_2"):
            extra = replace(left(caller, invoice), account=gone, external_id=name)
            provider.extras[extra.place] = extra
            await database.execute(SQL["add_leftover"], invoice.id, "stripe", "acct_gone", False, name)
        await database.execute(SQL["add_leftover"], theirs.id, "stripe", "acct_gone", False, "in_3")
        await database.execute("UPDATE leftovers SET look_at = now() + interval '9 s' WHERE external_id = 'in_3'")
    replica.service.clearing.wake()
    rests = (
        "SELECT array_agg(tries ORDER BY tries) = '{0,1}' FROM leftovers"
        " WHERE look_at > now() + interval '30 minutes' AND external_id <> ''"
    )
    await eventually(lambda: replica.pool.fetchval(rests), why="each of the account was asked for")
    soon = "SELECT look_at < now() + interval '10 s' FROM leftovers WHERE external_id = 'in_3'"
    assert await replica.pool.fetchval(soon), "another workspace's account is another"
    await cleared_of(replica, ACCOUNT)


@pytest.mark.parametrize("by_mark", [True, False])
async def test_what_was_edited_at_the_provider_is_cleared_by_what_replaced_it(
    caller: Caller, provider: FakeProvider, replica: Replica, by_mark: bool
) -> None:
    invoice = await failed(caller, provider)
    await caller.void(invoice)
    replaced = Sighting(Standing.VOID, "in_left", total=1000, currency="GBP", replaced_by="in_newest")
    newest = replace(left(caller, invoice), external_id="in_newest", invoice_id="")
    provider.made[invoice.id] = replaced
    provider.extras[newest.place] = newest
    if not by_mark:
        await replica.pool.execute("UPDATE leftovers SET external_id = 'in_left'")
    await cleared(replica)
    assert provider.extras[newest.place].standing is Standing.VOID
    assert (await reasons(caller, invoice)).count(VOIDED) == 1


async def cleared_of(replica: Replica, account: str) -> None:
    await replica.pool.execute(f"{DUE} WHERE external_account = $1", account)
    replica.service.clearing.wake()
    none = "SELECT count(*) = 0 FROM leftovers WHERE external_account = $1"
    await eventually(lambda: replica.pool.fetchval(none, account), why="something is left")
