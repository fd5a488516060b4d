"""The queries that run for every invoice, link or event go through indexes, however many there are."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.common.db import transaction
from services.invoicing.repository import SQL
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import Replica

pytestmark = pytest.mark.new_database

HOT = (
    *("match_events", "lock_invoices", "list_invoices", "waiting", "take", "keep_leases", "put_back"),
    *("holds_lease", "lock_failed", "take_to_check", "resolve_pay_link", "write_changes"),
    *("sending_facts", "queue_automatic", "invoices_of_buyer", "openings", "waiting_deliveries", "take_deliveries"),
    *("numbered_invoices", "named_invoices", "in_hand"),
    *("check_later", "check_all_now", "find_accounts", "known_invoices"),
    *("count_opening", "fail_unreported", "forget_events", "count_unpaid", "report_delivery", "finish_delivery"),
)
MANY = """
WITH people AS (
  INSERT INTO buyers (id, workspace_id, platform, platform_user_id, handle, display_name, email)
  SELECT gen_random_uuid(), workspace_id, 'facebook', 'many' || number, '', '', ''
  FROM shows, generate_series(1, 10000) AS number WHERE id = $1 RETURNING id
)
INSERT INTO invoices (id, workspace_id, show_id, buyer_id, generation_id, status, total, currency, line_items,
                      line_count, unpriced_count, planned_digest, buyer, show_name, show_date, revision, provider,
                      integration_id, external_account, livemode, external_id)
SELECT gen_random_uuid(), workspace_id, show_id, people.id, generation_id, 'paid', total, currency, line_items,
       line_count, unpriced_count, planned_digest, buyer, show_name, show_date, 1, provider, integration_id,
       external_account, livemode, 'in_' || people.id
FROM invoices, people WHERE show_id = $1
"""


LINKS = """
INSERT INTO pay_links (token, show_id, buyer_id)
SELECT 'many' || id, show_id, buyer_id FROM invoices WHERE show_id = $1
ON CONFLICT DO NOTHING
"""
DELIVERIES = """
INSERT INTO deliveries (id, workspace_id, show_id, invoice_id, provider, external_account, livemode, channel, state,
                        reason, message, link, actor, finished_at)
SELECT gen_random_uuid(), workspace_id, show_id, id, provider, external_account, livemode, 'manual', 'delivered',
       '', '', '', 'user:test', now()
FROM invoices WHERE show_id = $1
"""
EVENTS = """
INSERT INTO provider_events (workspace_id, provider, external_account, livemode, event_id, event_type, occurred_at,
                             invoice_id, outcome)
SELECT workspace_id, provider, external_account, livemode, id::text, 'invoice.paid', now(), id, 'applied'
FROM invoices WHERE show_id = $1
"""
YEARS = """
INSERT INTO provider_events (workspace_id, provider, external_account, livemode, event_id, event_type, occurred_at,
                             outcome, received_at)
SELECT '00000000-0000-7000-8000-000000000000', 'stripe', 'acct_1', true, n::text, 'invoice.paid', now(), 'applied',
       now() - interval '2 years' + n * interval '30 minutes'
FROM generate_series(1, 35000) AS n
"""
BY_KEY = (
    *("match_events", "lock_invoices", "write_changes", "queue_automatic", "take_positions", "add_events"),
    *("sending_facts", "finish_delivery", "count_results", "get_delivery", "add_leftover", "asked_marks"),
)
"""What is asked in transactions whose plans are kept."""
LARGE = ("invoices", "pay_links", "deliveries", "provider_events")


@pytest.fixture
async def many(caller: Caller, replica: Replica) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    for fill in (MANY, LINKS, DELIVERIES, EVENTS):
        await replica.pool.execute(fill, show_id)
    await replica.pool.execute("ANALYZE")


async def test_hot_queries_never_read_a_large_table(many: None, replica: Replica) -> None:
    plans = {}
    async with replica.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for name in HOT:
            await connection.execute(f"PREPARE {name} AS {SQL[name]}")
            values = ", ".join("NULL" for _ in set(re.findall(r"\$\d+", SQL[name])))
            rows = await connection.fetch(f"EXPLAIN EXECUTE {name}" + (f"({values})" if values else ""))
            plans[name] = "\n".join(row[0] for row in rows)
    whole = re.compile(rf"Seq Scan on ({'|'.join(LARGE)})\b")
    assert not {name: plan for name, plan in plans.items() if whole.search(plan)}
    assert not [name for name, plan in plans.items() if not any(f" on {table}" in plan for table in LARGE)]


@pytest.mark.parametrize("name", ["count_events", "last_event"])
async def test_events_of_late_are_found_by_their_arrival_among_those_of_years(replica: Replica, name: str) -> None:
    await replica.pool.execute(YEARS)
    await replica.pool.execute("VACUUM ANALYZE provider_events")
    async with replica.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE {name} AS {SQL[name]}")
        values = ", ".join("NULL" for _ in set(re.findall(r"\$\d+", SQL[name])))
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE {name}({values})"))
    assert "provider_events_by_arrival" in plan, plan


async def test_plans_that_are_kept_find_their_rows_by_key_even_when_made_for_empty_tables(replica: Replica) -> None:
    plans = {}
    async with transaction(replica.pool, by_key=True) as connection:
        for name in BY_KEY:
            await connection.execute(f"PREPARE {name} AS {SQL[name]}")
            values = ", ".join("NULL" for _ in set(re.findall(r"\$\d+", SQL[name])))
            text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name}({values})")
            plans[name] = list(nodes(json.loads(text)[0]["Plan"]))
    whole = {name: [node for node in plan if reads_whole(node)] for name, plan in plans.items()}
    assert not {name: some for name, some in whole.items() if some}
    assert all(
        any("Index Cond" in node for node in plan)
        for name, plan in plans.items()
        if name not in ("add_events", "add_leftover")
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def reads_whole(node: dict[str, Any]) -> bool:
    reads = "Relation Name" in node or node["Node Type"] == "Bitmap Index Scan"
    by_key = "Index Cond" in node or node["Node Type"] in ("Bitmap Heap Scan", "ModifyTable")
    return reads and not by_key
