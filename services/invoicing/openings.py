"""What stands beside invoices when people look at them: how links were opened, and what can be done about them."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.common.db import Connection, Pool
from services.invoicing.domain.invoice import DraftReason, Invoice, Status
from services.invoicing.repository import SQL


@dataclass(frozen=True, slots=True)
class Beside:
    """Of some invoices of a show."""

    openings: Mapping[str, tuple[int, datetime | None]]
    """By buyer: how often the pay link in force was opened, and when first."""
    priced: AbstractSet[str]
    """Buyers whose draft is held back for want of a price, and for whom all have one by now."""
    requests: Mapping[str, str]
    """By invoice in error: what the provider called the request that failed, where it gave it a name."""
    in_hand: AbstractSet[str] = frozenset()
    """Invoices to make that a worker has in hand just now."""


async def beside_of(database: Pool | Connection, show_id: str, rows: Sequence[asyncpg.Record]) -> Beside:
    """Of rows of invoice_records. What only few of them have is only asked of those."""
    found = await database.fetch(SQL["openings"], show_id, [row["buyer_id"] for row in rows])
    openings = {str(row["buyer_id"]): (row["opened_count"], row["first_opened_at"]) for row in found}
    drafts = [row for row in rows if row["status"] == Status.DRAFT]
    held = [row["buyer_id"] for row in drafts if row["draft_reason"] == DraftReason.NEEDS_PRICE]
    priced = await database.fetch(SQL["priced_since"], show_id, held) if held else []
    refused = [row["id"] for row in rows if row["status"] == Status.ERROR]
    requests = await database.fetch(SQL["failed_requests"], refused) if refused else []
    queued = [row["id"] for row in rows if row["status"] == Status.PENDING]
    taken = await database.fetch(SQL["in_hand"], queued) if queued else []
    return Beside(
        openings,
        {str(row["buyer_id"]) for row in priced},
        {str(row["invoice_id"]): row["provider_request"] for row in requests},
        {str(row["id"]) for row in taken},
    )


def completed(invoice: Invoice, beside: Beside) -> Invoice:
    """The invoice with what stands beside it."""
    count, first = beside.openings.get(invoice.buyer_id, (0, None))
    return replace(
        invoice,
        opened_count=count,
        first_opened_at=first,
        priced_since=invoice.buyer_id in beside.priced,
        provider_request=beside.requests.get(invoice.id, ""),
        being_made=invoice.id in beside.in_hand,
    )
