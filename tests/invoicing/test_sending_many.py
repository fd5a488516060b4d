"""The links of many: one run, each delivery with its own result, whatever dies on the way."""

import asyncio
from collections import Counter
from dataclasses import replace

import asyncpg
import pytest

from services.cli.embedded.nats import Nats
from services.common.errors import Kind
from services.common.ids import new_id
from services.invoicing.sender import Delivery, Senders
from services.invoicing.wiring import Pace
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import MakeCaller, Replica, running_replica
from tests.invoicing.events_seen import listening, paid_event
from tests.invoicing.fake_provider import Away, FakeProvider, Refused, TooFast
from tests.invoicing.test_shows import refusal
from tests.invoicing.test_workers import UNHURRIED
from tests.waiting import eventually

MANUAL, EMAIL, DM = pb.DELIVERY_CHANNEL_MANUAL, pb.DELIVERY_CHANNEL_EMAIL, pb.DELIVERY_CHANNEL_DM


async def invoiced(caller: Caller, buyers: int, *, emails: bool = True) -> str:
    show_id = await caller.small_show(buyers, emails=emails)
    await caller.generate(show_id)
    return show_id


def counts(run: pb.Sending) -> tuple[int, int, int, int, int]:
    return run.total_count, run.queued_count, run.requested_count, run.delivered_count, run.failed_count


async def test_every_unsent_link_is_mailed_once_and_told(caller: Caller, provider: FakeProvider, nats: Nats) -> None:
    show_id = await invoiced(caller, 12)
    async with listening(nats.url, caller.who.workspace_id) as heard:
        run = await caller.send_many(show_id)
        assert run.total_count == 12
        finished = await caller.sent(run.id)
        await eventually(lambda: len(heard.of("checkout_link.sent")) == 12)
    assert counts(finished) == (12, 0, 0, 12, 0)
    assert finished.HasField("finish_time")
    assert {(row.status, row.send_count) for row in await caller.listed(show_id)} == {(pb.INVOICE_STATUS_SENT, 1)}
    assert (len(provider.mailed), set(provider.mailed.values())) == (12, {1})
    told = [event.checkout_link_sent for event in heard.of("checkout_link.sent")]
    assert {one.delivery_id for one in told} == set(provider.mailed)
    again = await caller.send_many(show_id)
    assert counts(await caller.sent(again.id)) == (0, 0, 0, 0, 0)


async def test_no_more_links_are_sent_than_somebody_counted(caller: Caller) -> None:
    show_id = await invoiced(caller, 3)
    error = await refusal(caller.send_many(show_id, most_count=2))
    assert (error.kind, error.reason) == (Kind.OUTDATED, "MORE_BY_NOW")
    assert error.message == "There are 3 links to send by now, and you looked at 2. Nothing was sent: ask once more."
    rows = await caller.listed(show_id)
    assert not [one for row in rows for one in (await caller.deliveries(row)).deliveries]
    assert (await caller.send_many(show_id, invoice_ids=[rows[0].id], most_count=1)).total_count == 1
    assert (await caller.send_many(show_id, most_count=5)).total_count == 2


async def test_one_failure_stops_no_other_and_changes_no_status(caller: Caller, provider: FakeProvider) -> None:
    show_id = await invoiced(caller, 6)
    rows = await caller.listed(show_id)
    provider.failures = {
        rows[1].external_id: [Refused("The provider does not mail this one.")],
        rows[2].external_id: [TooFast(retry_after=0.05), Away()],
    }
    await caller.apply(paid_event(caller, rows[3]))
    run = await caller.sent((await caller.send_many(show_id, invoice_ids=[row.id for row in rows])).id)
    assert counts(run) == (6, 0, 0, 4, 2)
    results = {one.invoice_id: one for one in (await caller.deliveries(sending_id=run.id)).deliveries}
    assert results[rows[1].id].reason == "The provider does not mail this one."
    assert results[rows[3].id].reason == "The invoice is paid, so there is no link to send."
    after = {row.id: row for row in await caller.listed(show_id)}
    assert (after[rows[1].id].status, after[rows[1].id].send_count) == (pb.INVOICE_STATUS_DRAFT, 0)
    assert after[rows[3].id].status == pb.INVOICE_STATUS_PAID
    assert after[rows[2].id].status == pb.INVOICE_STATUS_SENT
    once_more = await caller.sent((await caller.send_many(show_id)).id)
    assert counts(once_more) == (1, 0, 0, 1, 0)


async def test_entry_that_cannot_be_read_holds_up_no_other(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_id = await invoiced(caller, 3)
    bad, *good = await caller.listed(show_id)
    read = Senders._read

    def unreadable(self: Senders, row: asyncpg.Record) -> Delivery:
        if str(row["invoice_id"]) == bad.id:
            raise ValueError("unreadable")
        return read(self, row)

    monkeypatch.setattr(Senders, "_read", unreadable)
    run = await caller.send_many(show_id)

    async def others_are_sent() -> bool:
        now = await caller.sending(run.id)
        return (now.delivered_count, now.queued_count) == (len(good), 1)

    await eventually(others_are_sent, why="one bad entry held up the others")
    monkeypatch.setattr(Senders, "_read", read)
    assert (await caller.sent(run.id)).delivered_count == len(good) + 1, "it was put back, and taken up again"


async def test_same_request_id_begins_one_run(caller: Caller, provider: FakeProvider) -> None:
    show_id = await invoiced(caller, 4)
    request_id = new_id()
    runs = await asyncio.gather(*(caller.send_many(show_id, request_id=request_id) for _ in range(3)))
    assert len({run.id for run in runs}) == 1
    await caller.sent(runs[0].id)
    assert len(provider.mailed) == 4
    other, (first, *_) = await invoiced(caller, 1), await caller.listed(show_id)
    for asked, wish in ((other, {}), (show_id, {"invoice_ids": [first.id]}), (show_id, {"channel": MANUAL})):
        error = await refusal(caller.send_many(asked, **({"request_id": request_id} | wish)))
        assert (error.kind, error.reason) == (Kind.CONFLICT, "REQUEST_ID_TAKEN")
    assert len(provider.mailed) == 4


async def test_two_runs_at_once_send_each_link_once(caller: Caller, provider: FakeProvider) -> None:
    show_id = await invoiced(caller, 8)
    provider.mail_gate.clear()
    runs = await asyncio.gather(*(caller.send_many(show_id) for _ in range(3)))
    assert sorted(run.total_count for run in runs) == [0, 0, 8]
    provider.mail_gate.set()
    for run in runs:
        await caller.sent(run.id)
    assert len(provider.mailed) == 8


async def test_deliveries_of_a_dead_process_are_taken_up(
    caller: Caller, provider: FakeProvider, replica: Replica
) -> None:
    show_id = await invoiced(caller, 3)
    provider.mail_gate.clear()
    run = await caller.send_many(show_id)
    await eventually(lambda: len(provider.mail_entered) == 3)
    # As after kill -9: the rows are leased by somebody who no longer renews.
    replica.service.senders._under_way.clear()
    await replica.pool.execute("UPDATE deliveries SET lease_owner = $1", new_id())
    await eventually(lambda: provider.mail_entered.total() == 6, why="nobody took them up")
    provider.mail_gate.set()
    assert counts(await caller.sent(run.id)) == (3, 0, 0, 3, 0)
    assert set(provider.mail_entered) == set(provider.mailed)
    assert len(provider.mailed) == 3
    await eventually(lambda: provider.mailed.total() == 6, why="both went the whole way")
    assert {row.send_count for row in await caller.listed(show_id)} == {1}


@pytest.mark.parametrize("pace", [UNHURRIED])
async def test_replicas_share_the_work(
    caller: Caller, provider: FakeProvider, database_url: str, nats: Nats, replica: Replica, pace: Pace
) -> None:
    show_id = await invoiced(caller, 30)
    provider.mail_gate.clear()
    async with running_replica(database_url, nats.url, provider, pace) as other:
        run = await caller.send_many(show_id)
        other.service.senders.wake()
        owners = "SELECT count(DISTINCT lease_owner) FROM deliveries WHERE lease_owner IS NOT NULL"
        await eventually(lambda: _is(replica, owners, 2), why="one replica did all the work")
        provider.mail_gate.set()
        assert counts(await caller.sent(run.id)) == (30, 0, 0, 30, 0)
    assert set(provider.mail_entered.values()) == {1}


async def _is(replica: Replica, query: str, value: int) -> bool:
    return bool(await replica.pool.fetchval(query) == value)


async def test_who_has_no_address_goes_another_way_or_is_left_out(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(4)
    await caller.ingest(
        show_id,
        [
            pb.Claim(
                claim_id="e",
                platform="facebook",
                platform_user_id="u0",
                user_handle="@u00000",
                item_number="1",
                quantity=1,
                status=pb.CLAIM_STATUS_WINNER,
                email="a@example.com",
            )
        ],
    )
    await caller.generate(show_id)
    summary = await caller.summary(show_id, with_mailable=True)
    assert (summary.mailable.count, summary.draft.count) == (1, 4)

    # an address that became known, or another one, after the invoice was made is not one that the provider mails to
    late = pb.Buyer(id=(await caller.listed(show_id))[1].buyer_id, email="late@example.com")
    await caller.update_buyer(late, "email")
    rows = await caller.listed(show_id)
    assert sum(bool(row.email) for row in rows) == 2
    chosen = await caller.summary(show_id, with_mailable=True, mailable_of=[row.id for row in rows])
    assert (chosen.mailable.count, chosen.mailable.amount) == (1, rows[0].total)
    none = await caller.summary(show_id, with_mailable=True, mailable_of=[row.id for row in rows if not row.email])
    assert none.mailable == pb.SummaryPart()
    run = await caller.sent((await caller.send_many(show_id)).id)
    assert (run.total_count, run.delivered_count, run.skipped_count) == (1, 1, 3)
    assert (await caller.summary(show_id, with_mailable=True)).mailable == pb.SummaryPart()
    assert not (await caller.summary(show_id)).HasField("mailable")
    run = await caller.sent((await caller.send_many(show_id, channel_without_email=DM)).id)
    assert (run.total_count, run.requested_count, run.skipped_count) == (3, 3, 0)
    asked = await caller.sent((await caller.send_many(show_id, channel_without_email=DM)).id)
    assert asked.total_count == 0, "the messaging service was asked and has not answered yet"
    run = await caller.sent((await caller.send_many(show_id, channel_without_email=MANUAL)).id)
    assert (run.total_count, run.delivered_count) == (3, 3)
    assert len(provider.mailed) == 1


async def test_provider_that_mails_nothing_is_not_asked_to(caller: Caller, provider: FakeProvider) -> None:
    assert provider.connected
    provider.connected = replace(provider.connected, emails=False, automatic_sending=True)
    show_id = await caller.small_show(2, emails=True)
    await caller.finished((await caller.start(show_id, base="https://pay.example")).id)
    ids = [row.id for row in await caller.listed(show_id)]
    for chosen in ([], ids):
        assert (await caller.summary(show_id, with_mailable=True, mailable_of=chosen)).mailable == pb.SummaryPart()
    run = await caller.sent((await caller.send_many(show_id)).id)
    assert (run.total_count, run.skipped_count) == (0, 2)
    (one, _) = await caller.listed(show_id)
    assert (await caller.send(one, pb.DELIVERY_CHANNEL_UNSPECIFIED)).delivery.channel == MANUAL
    assert not provider.mail_entered


async def test_messages_of_many_are_given_out_to_be_copied(caller: Caller, provider: FakeProvider) -> None:
    show_id = await invoiced(caller, 5, emails=False)
    provider.connected = provider.connected and replace(provider.connected, message_template="{buyer}: {pay_link}")
    run = await caller.sent((await caller.send_many(show_id, MANUAL)).id)
    pages = await caller.deliveries(sending_id=run.id, size=3)
    rest = await caller.deliveries(sending_id=run.id, size=3, token=pages.next_page_token)
    given = [*pages.deliveries, *rest.deliveries]
    rows = await caller.listed(show_id)
    assert [one.message for one in given] == [f"{row.handle}: https://pay.example{row.pay_path}" for row in rows]
    assert [one.invoice_id for one in given] == [row.id for row in rows]
    assert Counter(row.status for row in rows) == {pb.INVOICE_STATUS_SENT: 5}
    assert not rest.next_page_token


async def test_nothing_is_begun_with_an_invoice_of_another_show(caller: Caller, provider: FakeProvider) -> None:
    mine, other = await invoiced(caller, 1), await invoiced(caller, 1)
    ids = [row.id for show_id in (mine, other) for row in await caller.listed(show_id)]
    error = await refusal(caller.send_many(mine, invoice_ids=ids))
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, "INVOICE_NOT_FOUND")
    assert not provider.mail_entered


async def test_another_workspace_sees_nothing_of_it(caller: Caller, make_caller: MakeCaller) -> None:
    show_id = await invoiced(caller, 1)
    (row,) = await caller.listed(show_id)
    run = await caller.sent((await caller.send_many(show_id)).id)
    stranger = await make_caller()
    for call in (
        stranger.send_many(show_id),
        stranger.sending(run.id),
        stranger.deliveries(sending_id=run.id),
        stranger.deliveries(row),
        stranger.revoke(row),
    ):
        assert (await refusal(call)).kind is Kind.NOT_FOUND
    assert (await refusal(stranger.sending(run.id))).reason == "SENDING_NOT_FOUND"


@pytest.mark.parametrize(
    "fields",
    [
        {"channel_without_email": EMAIL},
        {"channel": EMAIL, "channel_without_email": DM},
        {"invoice_ids": ["nothing"]},
        {"channel": 17},
    ],
)
async def test_wrong_wishes_are_refused_with_a_sentence(caller: Caller, fields: dict[str, object]) -> None:
    show_id = await caller.small_show(1)
    error = await refusal(caller.send_many(show_id, **fields))  # type: ignore[arg-type]  # wrong on purpose
    assert error.kind is Kind.INVALID
    assert error.faults[0].problem.endswith(".")
