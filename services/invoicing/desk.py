"""The desk from which links are sent by hand: who has none yet, and the message; who opened one and did not pay."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.common.context import Identity
from services.common.db import Pool
from services.invoicing import repository, sending_terms
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.message import message
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.sending_terms import Terms
from services.invoicing.shows import ShowNotFound


@dataclass(frozen=True, slots=True)
class Unsent:
    """A link that is in nobody's hands yet."""

    invoice: Invoice
    message: str
    link: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of the queue."""

    unsent: Sequence[Unsent]
    total: int
    more: bool


class Desk:
    """What is read for it. Raise ShowNotFound."""

    def __init__(self, pool: Pool, provider: Provider) -> None:
        self._pool = pool
        self._provider = provider

    async def unsent(self, identity: Identity, show_id: str, base: str, after: str | None, size: int) -> Queue:
        """`base` is what links begin with. Messages are written as sending would write them just now."""
        await self._require(identity, show_id)
        rows = await self._pool.fetch(SQL["list_unsent"], show_id, after, size + 1)
        total = await self._pool.fetchval(SQL["count_unsent"], show_id)
        terms: dict[str, Terms] = {}
        found = []
        for row in rows[:size]:
            invoice = repository.invoice(row)
            if invoice.provider not in terms:
                terms[invoice.provider] = await sending_terms.of(self._provider, self._pool, identity, invoice)
            found.append(_written(invoice, row, terms[invoice.provider].template, base))
        return Queue(found, total, len(rows) > size)

    async def opened(
        self, identity: Identity, show_id: str, after: tuple[datetime, str] | None, size: int
    ) -> Sequence[Invoice]:
        """Those who opened their link and did not pay, the first to open it first."""
        await self._require(identity, show_id)
        time, invoice_id = after or (None, None)
        rows = await self._pool.fetch(SQL["list_opened_unpaid"], show_id, time, invoice_id, size)
        return [
            replace(repository.invoice(row), opened_count=row["opened_count"], first_opened_at=row["first_opened_at"])
            for row in rows
        ]

    async def _require(self, identity: Identity, show_id: str) -> None:
        if await self._pool.fetchrow(SQL["get_show"], show_id, identity.workspace_id) is None:
            raise ShowNotFound


def _written(invoice: Invoice, row: asyncpg.Record, template: str, base: str) -> Unsent:
    """Without a link in force there is nothing to write."""
    if not invoice.pay_token:
        return Unsent(invoice, "", "")
    link = base.rstrip("/") + invoice.pay_path
    return Unsent(invoice, message(template, invoice, row["show_name"], row["show_date"], link), link)
