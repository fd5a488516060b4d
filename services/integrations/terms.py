"""What the connection's settings put on an invoice, fixed when it is first asked for.

A provider takes a retry for the same request only if every byte of it is the same. Settings may change between two
tries: an order takes them once, and every retry of it reads what was fixed.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from services.common.db import Pool, load_queries
from services.integrations.invoice_values import InvoiceOrder

SQL: Final = load_queries(Path(__file__).parent / "sql")


class Terms:
    """The terms of all invoices."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fixed(self, workspace_id: str, order: InvoiceOrder) -> InvoiceOrder:
        """The order with the terms of its first try, which are these if there was none. One statement when new."""
        key = (workspace_id, order.invoice_id, order.revision, order.attempt)
        values = (order.memo, order.footer, order.days_until_due, order.payment_instructions)
        if await self._pool.fetchval(SQL["fix_terms"], *key, *values):
            return order
        row = await self._pool.fetchrow(SQL["find_terms"], *key)
        assert row is not None, "written by us or by whoever was faster"
        return replace(order, **dict(row))
