"""1.1 million claims in 201 shows: what is asked of one show goes through its rows by indexes, and no others."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import pytest

from services.cli.embedded.postgres import Postgres
from services.common.bus import Bus
from services.common.context import Identity
from services.common.db import Pool, open_pool
from services.common.ids import new_id
from services.common.outbox import Outbox
from services.common.secret import Secret
from services.invoicing.domain.plan import Wishes
from services.invoicing.generate import Asked, Generations
from services.invoicing.ledger import Ledger
from services.invoicing.repository import SQL
from tests.conftest import DatabaseMaker, database_name
from tests.invoicing import crowd
from tests.invoicing.fake_provider import FakeProvider
from tests.invoicing.lending import WITHOUT_AUTOVACUUM
from tests.invoicing.work_done import work_of

pytestmark = pytest.mark.new_database

WHO = Identity(crowd.WORKSPACE, "user:test")
INVOICED, FRESH = 1, 2
"""Numbers of shows: with 1,000 invoices that were just written, and with none."""
CLAIMS = {crowd.GIANT: 100_000, INVOICED: 5_000, FRESH: 5_000}
BUYERS = {crowd.GIANT: 20_000, INVOICED: 1_000, FRESH: 1_000}


@dataclass
class Crowd:
    pool: Pool
    generations: Generations

    async def start(self, number: int) -> asyncpg.Record:
        """Starts a generation for all buyers of a show."""
        return await self.generations.start(WHO, Asked(crowd.show_id(number), set(), "", None, "stripe", Wishes()))


@pytest.fixture(scope="module")
async def year(database_maker: DatabaseMaker, postgres: Postgres) -> AsyncIterator[Crowd]:
    """The claims, and just now the pending invoices of two shows: no statistics know of these yet."""
    url = await database_maker.make("invoicing", migrated=True)
    await crowd.fill(postgres.url(database_name(url)))
    pool = await open_pool(Secret(url), "test")
    ledger = Ledger(pool, Outbox(pool, Bus(Secret("nats://127.0.0.1:1"), "test")))
    year = Crowd(pool, Generations(ledger, FakeProvider(), lambda: None))
    await pool.execute(WITHOUT_AUTOVACUUM)
    for number in (crowd.GIANT, INVOICED):
        run = await year.start(number)
        assert run["total_count"] == BUYERS[number]
    yield year
    await pool.close()
    await database_maker.drop(url)


PLANS = pytest.mark.parametrize("generic", [False, True], ids=["custom", "generic"])
OF_A_SHOW: dict[str, list[object]] = {
    "positions": [],
    "show_owed": [],
    "show_summary": [],
    "mailable": [None, ["manual"]],
    "count_invoices": [],
    "count_found_invoices": ["@buyer77"],
    "list_invoices_by_place": [None, 101, None, None, "", "total", -1],
    "list_invoices_by_handle": [None, 101, None, None, "buyer7"],
    "list_buyers": [None, None, 201, "", None],
}
"""Named queries with the values after the show's id: they may go through the whole show, and not beyond."""


@PLANS
@pytest.mark.parametrize("name", OF_A_SHOW)
async def test_questions_about_a_show_stay_within_it(year: Crowd, name: str, generic: bool) -> None:
    for number, claims in CLAIMS.items():
        async with year.pool.acquire() as connection:
            work = await work_of(connection, name, [crowd.show_id(number), *OF_A_SHOW[name]], generic=generic)
        assert not work.read_whole & {"claims", "show_items", "invoices", "invoice_history"}, work.plan
        # Buyers are 20,000 in all, hence read whole for a giant show. A list goes through a plan a few times.
        assert work.rows < 12 * (claims + 2 * BUYERS[number]) + 2 * BUYERS[crowd.GIANT], work.plan


@PLANS
async def test_other_currencies_are_looked_for_among_the_buyers_of_the_show(year: Crowd, generic: bool) -> None:
    abroad, here = crowd.show_id(crowd.GIANT), crowd.show_id(FRESH)
    async with year.pool.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        try:
            alone = await work_of(connection, "positions", [here], generic=generic)
            await connection.execute("UPDATE shows SET currency = 'EUR' WHERE id = $1", abroad)
            await connection.execute("UPDATE invoices SET currency = 'EUR' WHERE show_id = $1", abroad)
            beside = await work_of(connection, "positions", [here], generic=generic)
            rows = await connection.fetch(SQL["positions"], here)
        finally:
            await undone.rollback()
    assert [row["other_currency"] for row in rows] == [True] * BUYERS[FRESH]
    assert beside.rows < alone.rows + 4 * BUYERS[FRESH], beside.plan
    assert "invoices" not in beside.read_whole, beside.plan


@PLANS
async def test_page_of_a_list_costs_a_page(year: Crowd, generic: bool) -> None:
    for number in CLAIMS:
        async with year.pool.acquire() as connection:
            values = [crowd.show_id(number), None, 101, None]
            work = await work_of(connection, "list_invoices", values, generic=generic)
        assert not work.read_whole, work.plan
        assert work.rows < 12 * 101, work.plan


@PLANS
async def test_workers_find_their_next_invoices_along_the_queue(year: Crowd, generic: bool) -> None:
    queue = [[crowd.WORKSPACE], ["stripe"], ["acct_test"], [False], [crowd.show_id(crowd.GIANT)], [16]]
    async with year.pool.acquire() as connection:
        waiting = await work_of(connection, "waiting", [16], generic=generic)
        taken = await work_of(connection, "take", [*queue, new_id(), 30.0], generic=generic)
    for work in (waiting, taken):
        assert "invoices" not in work.read_whole, work.plan
        assert work.rows < 600, work.plan


@pytest.mark.parametrize("count", [3, 1_000])
async def test_changes_are_planned_through_what_they_change(year: Crowd, count: int) -> None:
    """As it is planned by what it is given: neither all invoices for a few, nor a list for each of many."""
    show_id = crowd.show_id(INVOICED)
    rows = await year.pool.fetch("SELECT id, buyer_id FROM invoices WHERE show_id = $1 LIMIT $2", show_id, count)
    buyers = [row["buyer_id"] for row in rows]
    told = ("reissue", 1, "NULL", 1, 0, "digest", 0, "NULL", '"{}"')
    columns = [[row["id"] for row in rows], *([value] * count for value in told), buyers]
    async with year.pool.acquire() as connection:
        values = [new_id(), *columns, show_id, datetime.now(UTC), buyers]
        work = await work_of(connection, "plan_changes", values, generic=False)
    assert count > 3 or "invoices" not in work.read_whole, work.plan
    assert work.rows < 60 * count + 5_000, work.plan


@pytest.mark.parametrize("number", [crowd.GIANT, INVOICED], ids=["giant", "small"])
async def test_starting_again_writes_nothing(year: Crowd, number: int) -> None:
    """The trap is a nested loop over invoices that no statistics know of: `positions` above goes through none."""
    count = "SELECT count(*), (SELECT count(*) FROM invoice_history), (SELECT count(*) FROM pay_links) FROM invoices"
    before = await year.pool.fetchrow(count)
    again = await year.start(number)
    assert again["total_count"] == BUYERS[number]  # the run that is under way
    assert await year.pool.fetchrow(count) == before
