"""Invoices read: one with its lines, and its history."""

from typing import Any

import asyncpg

from services.common.db import Pool
from services.invoicing import repository
from services.invoicing.deliver import InvoiceNotFound
from services.invoicing.domain.invoice import Invoice
from services.invoicing.openings import beside_of, completed
from services.invoicing.repository import SQL


class Invoices:
    """The readings. Raise InvoiceNotFound."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, workspace_id: str, show_id: str, invoice_id: str) -> tuple[Invoice, list[dict[str, Any]]]:
        """The invoice and its lines."""
        row = await self._pool.fetchrow(SQL["get_invoice"], invoice_id, show_id, workspace_id)
        if row is None:
            raise InvoiceNotFound
        beside = await beside_of(self._pool, show_id, [row])
        return completed(repository.invoice(row), beside), row["line_items"]

    async def history(self, workspace_id: str, show_id: str, invoice_id: str) -> list[asyncpg.Record]:
        """Oldest first."""
        await self.get(workspace_id, show_id, invoice_id)
        return await self._pool.fetch(SQL["list_history"], invoice_id)
