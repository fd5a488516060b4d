"""A show that came after the last ANALYZE is asked about as quickly as one that the statistics know."""

import json
from typing import Any

from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import Replica

COUNT = 150


async def made(caller: Caller, name: str) -> str:
    show_id = (await caller.create_show(name)).id
    await caller.items(show_id, [pb.Item(item_number=str(n), title=f"Item {n}", price=100) for n in range(COUNT)])
    claims = [winner(n % 20, claim_id=f"{name}-{n}", item_number=str(n)) for n in range(COUNT)]
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
