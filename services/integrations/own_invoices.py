"""The invoices of providers that keep none themselves. See ports.InvoiceStore."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from services.common.db import Pool, load_queries
from services.integrations.connection_values import Link
from services.integrations.invoice_values import InvoiceState, ProviderInvoice, ProviderLine
from services.integrations.ports import NumberTaken

SQL: Final = load_queries(Path(__file__).parent / "sql")


class PostgresInvoiceStore:
    """The store of one provider."""

    def __init__(self, pool: Pool, provider: str) -> None:
        self._pool = pool
        self._provider = provider

    async def add(self, link: Link, invoice: ProviderInvoice) -> ProviderInvoice:
        values = (
            *(invoice.external_id, invoice.state.value, invoice.total, invoice.currency, invoice.number),
            *(invoice.invoice_id, invoice.revision, msgspec.to_builtins(list(invoice.lines))),
            *(invoice.payment_instructions, invoice.create_time, invoice.finalize_time),
        )
        row = await self._pool.fetchrow(SQL["add_own_invoice"], *self._whose(link), *values)
        found = _invoice(row) if row else await self.find(link, invoice.external_id)
        if found is None:  # neither written by us nor by whoever was faster
            raise NumberTaken
        return found

    async def renew(self, link: Link, draft: ProviderInvoice) -> ProviderInvoice | None:
        values = (
            *(draft.external_id, draft.total, draft.currency, msgspec.to_builtins(list(draft.lines))),
            *(draft.payment_instructions, draft.create_time),
        )
        row = await self._pool.fetchrow(SQL["renew_own_invoice"], *self._whose(link), *values)
        return _invoice(row) if row else None

    async def move(
        self, link: Link, external_id: str, sources: Sequence[InvoiceState], target: InvoiceState, number: str = ""
    ) -> ProviderInvoice | None:
        states = [state.value for state in sources]
        try:
            row = await self._pool.fetchrow(
                SQL["move_own_invoice"], *self._whose(link), external_id, states, target.value, number
            )
        except asyncpg.UniqueViolationError as error:
            raise NumberTaken from error
        return _invoice(row) if row else None

    async def rewrite(
        self, link: Link, external_id: str, total: int, lines: Sequence[ProviderLine]
    ) -> ProviderInvoice | None:
        row = await self._pool.fetchrow(
            SQL["rewrite_own_invoice"], *self._whose(link), external_id, total, msgspec.to_builtins(list(lines))
        )
        return _invoice(row) if row else None

    async def find(self, link: Link, external_id: str) -> ProviderInvoice | None:
        row = await self._pool.fetchrow(SQL["find_own_invoice"], *self._whose(link), external_id)
        return _invoice(row) if row else None

    async def list(
        self, link: Link, created_from: datetime | None, created_to: datetime | None, size: int, after: str
    ) -> Sequence[ProviderInvoice]:
        when = (created_from, created_to)
        rows = await self._pool.fetch(SQL["list_own_invoices"], *self._whose(link), *when, after, size)
        return [_invoice(row) for row in rows]

    def _whose(self, link: Link) -> tuple[object, ...]:
        return link.workspace_id, self._provider, link.account_id, link.livemode


def _invoice(row: asyncpg.Record) -> ProviderInvoice:
    return ProviderInvoice(
        external_id=row["external_id"],
        state=InvoiceState(row["state"]),
        account_id=row["account_id"],
        livemode=row["livemode"],
        total=row["total"],
        amount_paid=row["total"] if row["state"] == InvoiceState.PAID.value else 0,
        currency=row["currency"],
        number=row["number"],
        paid_time=row["paid_time"],
        finalize_time=row["finalize_time"],
        create_time=row["create_time"],
        invoice_id=str(row["invoice_id"]),
        revision=row["revision"],
        lines=[ProviderLine(**line) for line in row["lines"]],
        payment_instructions=row["payment_instructions"],
    )
