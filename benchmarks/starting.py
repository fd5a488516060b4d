"""Starting a generation among 1.1 million claims, beside what bare SQL needs for the same rows.

Run: .venv/bin/python -m benchmarks.starting [rounds]

An embedded Postgres (fsync on); the service's own code in this process. Bare: one INSERT … SELECT of the rollup with
lines as JSON into a table with two indexes, and nothing else: no plan, no history, no pay links, no events. Rounds
alternate; the best of each is told, so that a busy machine shows least.
"""

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from services.cli.child import Child
from services.cli.embedded.postgres import Postgres
from services.common.bus import Bus
from services.common.context import Identity
from services.common.db import Pool, open_pool
from services.common.migrate import migrate
from services.common.outbox import Outbox
from services.common.secret import Secret
from services.invoicing.domain.plan import Wishes
from services.invoicing.generate import Asked, Generations
from services.invoicing.ledger import Ledger
from services.invoicing.repository import MIGRATIONS
from tests.invoicing import crowd
from tests.invoicing.fake_provider import FakeProvider
from tests.waiting import free_port

WHO: Final = Identity(crowd.WORKSPACE, "user:benchmark")
SMALL: Final = 1
BARE_TABLE: Final = """
CREATE TABLE bare (id uuid PRIMARY KEY, show_id uuid, buyer_id uuid, total bigint, line_items jsonb, status text,
                   created_at timestamptz DEFAULT now(), UNIQUE (show_id, buyer_id))
"""
BARE_ROLLUP: Final = """
SELECT buyer_id, sum(claims.quantity * price) AS total, count(*) FROM claims
JOIN show_items ON show_items.show_id = claims.show_id AND show_items.id = show_item_id
WHERE claims.show_id = $1 AND status = 'winner' GROUP BY buyer_id
"""
BARE_WRITE: Final = """
WITH lines AS MATERIALIZED (
  SELECT buyer_id, item_number, title, price, sum(claims.quantity) AS quantity FROM claims
  JOIN show_items ON show_items.show_id = claims.show_id AND show_items.id = show_item_id
  WHERE claims.show_id = $1 AND status = 'winner' GROUP BY buyer_id, show_items.id
), owed AS MATERIALIZED (
  SELECT buyer_id, sum(quantity * price) AS total,
         jsonb_agg(jsonb_build_object('item_number', item_number, 'title', title, 'quantity', quantity,
                                      'unit_price', price, 'amount', quantity * price)) AS line_items
  FROM lines GROUP BY buyer_id
)
INSERT INTO bare (id, show_id, buyer_id, total, line_items, status)
SELECT md5($1::text || buyer_id)::uuid, $1, buyer_id, total, line_items, 'pending' FROM owed
WHERE buyer_id NOT IN (SELECT buyer_id FROM bare WHERE show_id = $1)
"""


class Bench:
    def __init__(self, pool: Pool, rounds: int) -> None:
        self.pool = pool
        self.rounds = rounds
        ledger = Ledger(pool, Outbox(pool, Bus(Secret("nats://127.0.0.1:1"), "benchmark")))
        self.generations = Generations(ledger, FakeProvider(), lambda: None)

    async def start(self, number: int) -> None:
        await self.generations.start(WHO, Asked(crowd.show_id(number), set(), "", None, "stripe", Wishes()))

    async def empty(self) -> None:
        await self.pool.execute("TRUNCATE bare, generations, invoices, invoice_history, pay_links, outbox CASCADE")

    async def compare(
        self,
        what: str,
        bare: Callable[[], Awaitable[object]],
        ours: Callable[[], Awaitable[object]],
        *,
        fresh: bool = False,
    ) -> None:
        """The best time of each, a round of both at a time; `fresh` empties the tables before each."""
        best = {bare: float("inf"), ours: float("inf")}
        for _ in range(self.rounds):
            for run in (bare, ours):
                if fresh:
                    await self.empty()
                began = time.perf_counter()
                await run()
                best[run] = min(best[run], time.perf_counter() - began)
        first, second = best[bare] * 1000, best[ours] * 1000
        print(f"| {what} | {first:.1f} ms | {second:.1f} ms | {second / first:.1f} |", flush=True)

    async def all(self) -> None:
        print("| | bare SQL | here | ratio |\n|---|---|---|---|")
        await self.of_show(SMALL, "1,000")
        await self.of_show(crowd.GIANT, "20,000")

    async def of_show(self, number: int, buyers: str) -> None:
        show_id, fetch = crowd.show_id(number), self.pool.fetch

        async def bare() -> object:
            return await fetch(BARE_WRITE, show_id)

        async def ours() -> object:
            await self.start(number)
            return None

        await self.compare(
            f"what {buyers} buyers owe",
            lambda: fetch(BARE_ROLLUP, show_id),
            lambda: fetch("SELECT buyer_id, total, line_count FROM rollups WHERE show_id = $1", show_id),
        )
        await self.compare(f"`StartGeneration` for {buyers} buyers, whole", bare, ours, fresh=True)
        await bare()
        await self.compare(f"the same again for {buyers}, nothing new", bare, ours)


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(Path(folder, "postgres"), free_port(), secrets.token_urlsafe(16))
        server = Child(postgres.prepare(), Path(folder, "postgres.log"))
        await server.start()
        try:
            url = await postgres.create_database("invoicing", "benchmark")
            await migrate(Secret(url), MIGRATIONS)
            await crowd.fill(postgres.url("invoicing"))
            pool = await open_pool(Secret(url), "benchmark")
            await pool.execute(BARE_TABLE)
            await Bench(pool, rounds).all()
            await pool.close()
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
