"""Invoices read: one with its lines, a page of a show's, the history of one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from services.common.db import Pool
from services.invoicing import repository
from services.invoicing.deliver import InvoiceNotFound
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound


class Invoices:
    """The readings. Raise ShowNotFound and InvoiceNotFound."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, workspace_id: str, show_id: str, invoice_id: str) -> tuple[Invoice, list[dict[str, Any]]]:
        """The invoice and its lines."""
        row = await self._pool.fetchrow(SQL["get_invoice"], invoice_id, show_id, workspace_id)
        if row is None:
            raise InvoiceNotFound
        (invoice,) = await self._with_openings([repository.invoice(row)])
        return invoice, row["line_items"]

    async def page(
        self, workspace_id: str, show_id: str, after: str | None, statuses: Sequence[Status], size: int
    ) -> tuple[list[Invoice], int, int]:
        """A page, the show's position, and how many there are in all.

        The position is read before the rows: an event that is already in the rows may come again, none is missed.
        """
        show = await self._pool.fetchrow(SQL["get_show"], show_id, workspace_id)
        if show is None:
            raise ShowNotFound
        chosen = list(statuses) or None
        rows = await self._pool.fetch(SQL["list_invoices"], show_id, after, chosen, size)
        total = await self._pool.fetchval(SQL["count_invoices"], show_id, chosen)
        return await self._with_openings([repository.invoice(row) for row in rows]), show["seq"], total

    async def _with_openings(self, invoices: Sequence[Invoice]) -> list[Invoice]:
        """The invoices of one show, with what is known of their pay links in force."""
        if not invoices:
            return []
        buyers = [invoice.buyer_id for invoice in invoices]
        rows = await self._pool.fetch(SQL["openings"], invoices[0].show_id, buyers)
        opened = {str(row["buyer_id"]): (row["opened_count"], row["first_opened_at"]) for row in rows}
        found = [(invoice, *opened.get(invoice.buyer_id, (0, None))) for invoice in invoices]
        return [replace(one, opened_count=count, first_opened_at=first) for one, count, first in found]

    async def history(self, workspace_id: str, show_id: str, invoice_id: str) -> list[asyncpg.Record]:
        """Oldest first."""
        await self.get(workspace_id, show_id, invoice_id)
        return await self._pool.fetch(SQL["list_history"], invoice_id)
