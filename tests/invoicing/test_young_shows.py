"""A show that came after the last ANALYZE is asked about as quickly as one that the statistics know."""

import json
from typing import Any

import pytest

from services.invoicing.repository import MIGRATIONS
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica
from tests.invoicing.test_plans import MANY
from tests.invoicing.work_done import work_of

pytestmark = pytest.mark.new_database

COUNT, BUYERS = 150, 20
KNOWN = "SELECT tablename FROM pg_stats WHERE attname = 'show_id' AND tablename = ANY ($1)"
TABLES = ["claims", "show_items", "invoices", "pay_links"]


async def made(caller: Caller, name: str) -> str:
    show_id = (await caller.create_show(name)).id
    await caller.items(show_id, [pb.Item(item_number=str(n), title=f"Item {n}", price=100) for n in range(COUNT)])
    claims = [winner(n % BUYERS, claim_id=f"{name}-{n}", item_number=str(n)) for n in range(COUNT)]
    await caller.ingest(show_id, claims)
    return show_id


def compared_in_vain(node: dict[str, Any]) -> int:
    """Pairs of rows that a join looked at and did not keep."""
    own = int(node.get("Rows Removed by Join Filter", 0)) * int(node.get("Actual Loops", 1))
    return own + sum(map(compared_in_vain, node.get("Plans", [])))


async def test_claims_of_a_young_show_find_their_items_by_index(caller: Caller, replica: Replica) -> None:
    for number in range(5):
        await made(caller, f"known-{number}")
    await replica.pool.execute("ANALYZE")
    young = await made(caller, "young")
    text = await replica.pool.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT buyer_id, total FROM rollups WHERE show_id = '{young}'"
    )
    assert compared_in_vain(json.loads(text)[0]["Plan"]) < COUNT


async def test_invoices_of_a_young_show_are_found_by_buyer_and_by_id(caller: Caller, replica: Replica) -> None:
    for number in range(2):
        await caller.generate(await made(caller, f"known-{number}"))
    await replica.pool.execute("ANALYZE")
    young = await caller.small_show(1)
    await caller.generate(young)
    (one,) = await caller.listed(young)
    await replica.pool.execute(MANY, young)
    async with replica.pool.acquire() as connection:
        await connection.execute("SET enable_seqscan = off")
        by_buyer = await work_of(connection, "invoices_of_buyer", [young, one.buyer_id], generic=False)
        by_id = await work_of(connection, "list_these_invoices", [young, [one.id]], generic=False)
    assert by_buyer.rows == 1, by_buyer.plan
    assert by_id.rows < 10, by_id.plan


async def test_what_was_known_of_shows_before_misleads_no_more(caller: Caller, replica: Replica) -> None:
    await caller.generate(await made(caller, "known"))
    for table in TABLES:  # as a version before left them
        await replica.pool.execute(f"ALTER TABLE {table} ALTER COLUMN show_id SET STATISTICS -1")
    await replica.pool.execute("ANALYZE")
    assert len(await replica.pool.fetch(KNOWN, TABLES)) == len(TABLES)
    for name in ("0140_no_statistics_of_shows", "0151_no_statistics_of_young_shows"):
        up = (MIGRATIONS / f"{name}.sql").read_text(encoding="utf-8")
        await replica.pool.execute(up.partition("-- migrate:down")[0])
    assert await replica.pool.fetch(KNOWN, TABLES) == []
    await replica.pool.execute("ANALYZE")
    assert await replica.pool.fetch(KNOWN, TABLES) == []
