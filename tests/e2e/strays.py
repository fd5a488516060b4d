"""Payments that count for no invoice, planted: only a crash at the wrong moment makes one."""

import asyncpg

from services.common.ids import new_id
from tests.e2e.stack import Stack


async def make_stray(stack: Stack, show: str) -> str:
    """Beside one invoice of the show; answers its id."""
    database = await asyncpg.connect(stack.databases["invoicing"])
    try:
        made = await database.fetchval(
            "INSERT INTO stray_payments (id, invoice_id, show_id, provider, external_account, livemode, external_id,"
            " total, currency, paid_at, provider_url) SELECT $2::uuid, id, show_id, 'stripe', 'acct_1QxBefore', false,"
            " 'in_' || $2::uuid, total, currency, now() - interval '20 minutes', provider_url"
            " FROM invoices WHERE show_id = $1 ORDER BY id LIMIT 1 RETURNING id",
            show,
            new_id(),
        )
    finally:
        await database.close()
    return str(made)
