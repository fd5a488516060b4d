"""What is known of the pay links in force: how often each was opened, and when first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

import asyncpg

from services.common.db import Connection, Pool
from services.invoicing.domain.invoice import Invoice
from services.invoicing.repository import SQL

Openings: TypeAlias = Mapping[str, tuple[int, datetime | None]]
"""By buyer."""


async def openings_of(database: Pool | Connection, show_id: str, rows: Sequence[asyncpg.Record]) -> Openings:
    """Of the buyers of these invoices."""
    found = await database.fetch(SQL["openings"], show_id, [row["buyer_id"] for row in rows])
    return {str(row["buyer_id"]): (row["opened_count"], row["first_opened_at"]) for row in found}


def opened(invoice: Invoice, openings: Openings) -> Invoice:
    """The invoice with the openings of its buyer's link."""
    count, first = openings.get(invoice.buyer_id, (0, None))
    return replace(invoice, opened_count=count, first_opened_at=first)
