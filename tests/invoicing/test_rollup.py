"""The rollup in SQL, held against the plain sum of the claims."""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.invoicing.domain.terms import UNCOUNTED
from services.invoicing.repository import SQL
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.fake_provider import FakeProvider

pytestmark = pytest.mark.new_database

PRICES: list[int | None] = [250, None, 0, 99_999, 1]
won = st.tuples(
    st.integers(0, 3), st.integers(0, len(PRICES) - 1), st.integers(1, 50), st.sampled_from([1, 1, 1, 2, 3])
)


@given(st.lists(won, min_size=1, max_size=25), st.randoms())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_every_winner_claim_lands_in_exactly_one_line(
    caller: Caller, replica: Replica, claims: list[tuple[int, int, int, int]], chance: random.Random
) -> None:
    show = await caller.create_show()
    items = [pb.Item(item_number=str(n), title=f"Item {n}", price=price) for n, price in enumerate(PRICES)]
    await caller.items(show.id, items)
    sent = [
        winner(buyer, claim_id=f"c{number}", item_number=str(item), quantity=quantity, status=status)
        for number, (buyer, item, quantity, status) in enumerate(claims)
    ]
    chance.shuffle(sent)
    await caller.ingest(show.id, sent)

    expected: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for buyer, item, quantity, status in claims:
        if status == pb.CLAIM_STATUS_WINNER:
            expected[f"u{buyer}"][str(item)] += quantity
    rows = await replica.pool.fetch(
        "SELECT platform_user_id, total, line_items FROM rollups JOIN buyers ON id = buyer_id WHERE show_id = $1",
        show.id,
    )
    lines = {row["platform_user_id"]: row["line_items"] for row in rows}
    assert {who: {line["item_number"]: line["quantity"] for line in found} for who, found in lines.items()} == expected
    for row in rows:
        assert row["total"] == sum(line["amount"] for line in row["line_items"])
        for line in row["line_items"]:
            assert line["unit_price"] == PRICES[int(line["item_number"])]
            assert line["amount"] == line["quantity"] * (line["unit_price"] or 0)
        numbers = [line["item_number"] for line in row["line_items"]]
        assert numbers == sorted(numbers)


COPIES = """
WITH copies AS (
  INSERT INTO shows (id, workspace_id, name, currency)
  SELECT gen_random_uuid(), workspace_id, name, currency FROM shows, generate_series(1, 12) WHERE id = $1 RETURNING id
), items AS (
  INSERT INTO show_items (id, show_id, item_number, title, price)
  SELECT gen_random_uuid(), copies.id, item_number, title, price FROM show_items, copies WHERE show_id = $1
  RETURNING id, show_id, item_number
)
INSERT INTO claims (id, show_id, claim_id, buyer_id, show_item_id, quantity, status, claim_time, sequence)
SELECT gen_random_uuid(), items.show_id, claim_id, buyer_id, items.id, claims.quantity, status, claim_time, sequence
FROM claims
JOIN show_items ON show_items.id = show_item_id
JOIN items ON items.item_number = show_items.item_number
WHERE claims.show_id = $1
"""


async def test_rollup_of_one_show_among_others_reads_indexes_only(caller: Caller, replica: Replica) -> None:
    show_id = await caller.import_example("retail-2010-12-01")
    await replica.pool.execute(COPIES, show_id)
    await replica.pool.execute("VACUUM ANALYZE claims, show_items")
    plan = await replica.pool.fetch(f"EXPLAIN SELECT buyer_id, total FROM rollups WHERE show_id = '{show_id}'")
    text = "\n".join(row[0] for row in plan)
    assert "Seq Scan" not in text
    assert "using claims_won" in text
    again = await replica.pool.fetch(f"EXPLAIN {SQL['positions'].replace('$1', repr(show_id))}")
    assert not [row[0] for row in again if "Seq Scan on claims" in row[0] or "Seq Scan on show_items" in row[0]]


async def test_sums_beyond_all_money_are_skipped_with_a_reason(
    caller: Caller, replica: Replica, provider: FakeProvider
) -> None:
    show = await caller.create_show(currency="IDR")
    dear = [pb.Item(item_number=str(n), title="Dear", price=999_999_999_999) for n in range(12)]
    await caller.items(show.id, [*dear, pb.Item(item_number="ok", title="Fair", price=5_000_000)])
    many = [winner(0, claim_id=f"c{n}", item_number=str(n % 12), quantity=1_000_000) for n in range(24)]
    await caller.ingest(show.id, [*many, winner(1, item_number="ok")])
    for connected in (provider.connected, None):
        provider.connected = connected
        plan = await caller.plan(show.id)
        reasons = {entry.buyer.platform_user_id: entry.reason for entry in plan.entries}
        assert reasons.keys() == {"u0", "u1"}
        assert reasons["u0"].startswith("The total is ")
        assert (reasons["u1"], plan.create_total) == ("", 5_000_000)
    assert [buyer.total for buyer in await caller.buyers(show.id)] == [UNCOUNTED, 5_000_000]
    assert (await caller.summary(show.id)).claimed.amount == UNCOUNTED + 5_000_000
    listed = await caller.client.call(caller.shows.ListShows, pb.ListShowsRequest(with_sums=True), caller.who)
    assert listed.sums[0].claimed == 9 * 10**18
    await replica.service.balance.check_changed(rest=0.0)
    assert await replica.service.balance.unbalanced() == 0
