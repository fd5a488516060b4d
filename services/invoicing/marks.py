"""What an operator tells of many invoices: that they were paid outside the provider. Checked at once, and queued."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg

from services.common.context import Identity
from services.common.db import Connection
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing import events, repository
from services.invoicing.domain import marks as rules
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.marks import Mark
from services.invoicing.feed import MOST_TOLD, Batch, EmptyStream, Feed, Rejection, Taken
from services.invoicing.ledger import Change, Entry, Ledger
from services.invoicing.marking import MARK_PAID
from services.invoicing.ports import Connection as ProviderConnection
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

_UNKNOWN = "The show has no invoice {named}. Export the invoices again, and fill in that file."
_SEVERAL = "Several invoices of the show have the number {named}. Name the one that is meant by its invoice_id."
_TWICE = "The invoice is in the file twice. Leave one of its lines out."
_BUSY = "The invoice is being changed just now. Send the line again in a moment."
_GONE = "Its provider is not connected any more. Connect it again, then send the line again."
_ELSEWHERE = (
    "It was made with another account or mode than the one that is connected now. Connect that one again to mark it."
)
Found = Mapping[str, Sequence[asyncpg.Record]]
"""Invoices by what they were asked for: id or number."""


class InvoicesMoved(ShowbillError):
    """Invoices were paid or changed while their file was read. Send it again: what is marked counts as unchanged."""

    kind = Kind.FAILED_PRECONDITION
    reason = "INVOICES_MOVED"


class MarkLoad:
    """How the marks of one stream are taken. Those of a batch are one run."""

    row = Mark
    show_query = "get_show"
    """Invoices are locked before their show, by everybody."""

    def __init__(self, identity: Identity, connections: Mapping[str, ProviderConnection | None]) -> None:
        """`connections` are those of the providers that the show's invoices were made with."""
        self.currency = ""
        self.total = 0
        """Minor units that the invoices to be marked ask for."""
        self.runs: list[str] = []
        self._identity = identity
        self._connections = connections
        self._run: asyncpg.Record | None = None
        self._due: set[str] = set()

    def lock_key(self, row: Mark) -> tuple[str, str]:
        return row.invoice_id, ""

    async def sift(self, connection: Connection, batch: Batch[Mark]) -> tuple[list[Mark], list[Rejection]]:
        """Says which are due. Locks nothing: what is written is looked at once more."""
        self.currency = await connection.fetchval(SQL["currency_of_show"], batch.show_id) or ""
        found = await _found(connection, batch)
        return await asyncio.to_thread(self._sift, batch, found)

    def _sift(self, batch: Batch[Mark], found: Found) -> tuple[list[Mark], list[Rejection]]:
        rows, rejections = [], list(batch.unreadable)
        for mark in batch.rows:
            named = found.get(mark.invoice_id or mark.number, ())
            refusal, looked_at = self._look(mark, named)
            if refusal:
                rejections.append(Rejection(mark.index, mark.invoice_id or mark.number, refusal))
            else:
                rows.append(looked_at)
        return rows, sorted(rejections, key=lambda rejection: rejection.index)

    def _look(self, mark: Mark, named: Sequence[asyncpg.Record]) -> tuple[str, Mark]:
        """Why it is not taken, or the mark with what is known now."""
        told = (mark.invoice_id or mark.number)[:60]
        if not named:
            return _UNKNOWN.format(named=told), mark
        if len(named) > 1:
            return (_SEVERAL.format(named=told) if mark.paid else ""), mark
        row, invoice = named[0], repository.invoice(named[0])
        if not mark.paid or rules.is_marked(invoice) or (row["change"] == MARK_PAID and invoice.id not in self._due):
            return "", replace(mark, invoice_id=invoice.id)
        if invoice.id in self._due:
            return _TWICE, mark
        busy = _BUSY if row["change"] or row["held"] else ""
        if refusal := rules.why_not(invoice, mark) or busy or self._out_of_reach(invoice):
            return refusal, mark
        self._due.add(invoice.id)
        self.total += invoice.total
        return "", replace(mark, invoice_id=invoice.id, due=True)

    def _out_of_reach(self, invoice: Invoice) -> str:
        """Why its provider could not be told, a sentence; empty when it can."""
        connection = self._connections.get(invoice.provider)
        if connection is None:
            return _GONE
        if not connection.active:
            return connection.status_reason or _GONE
        here = (connection.account_id, connection.livemode)
        return "" if here == (invoice.external_account, invoice.livemode) else _ELSEWHERE

    async def write(self, entry: Entry, show: asyncpg.Record, rows: Sequence[Mark]) -> tuple[int, int]:
        """Queues those that are due, each with what was asked for in its history. Raises InvoicesMoved."""
        due = {row.invoice_id: row for row in rows if row.due}
        if not due:
            return 0, 0
        locked = await entry.connection.fetch(SQL["lock_invoices"], list(due))
        invoices = [repository.invoice(row) for row in locked]
        if any(rules.why_not(invoice, due[invoice.id]) for invoice in invoices):
            raise InvoicesMoved
        run_id = await self._counted(entry.connection, show, len(due))
        notes = [mark.note for mark in due.values()]
        if len(await entry.connection.fetch(SQL["queue_marks"], run_id, list(due), notes)) != len(due):
            raise InvoicesMoved
        now, actor = datetime.now(UTC), self._identity.actor
        # One event of the run for all of them: what listens reads the list.
        await entry.withdraw(
            [
                Change(one, replace(one, version=one.version + 1, updated_at=now), rules.asked(due[one.id].note), actor)
                for one in invoices
            ]
        )
        return 0, len(due)

    async def _counted(self, connection: Connection, show: asyncpg.Record, count: int) -> str:
        """The run, with so many more."""
        if self._run is None:
            values = (new_id(), self._identity.workspace_id, show["id"], count, self._identity.actor)
            self._run = await connection.fetchrow(SQL["add_marking_run"], *values)
        else:
            self._run = await connection.fetchrow(SQL["grow_run"], self._run["id"], count)
        assert self._run is not None
        return str(self._run["id"])

    async def announce(self, entry: Entry, show: asyncpg.Record, created: int, updated: int) -> None:
        if self._run is None:
            return
        begun = events.generation_progressed(str(self._run["id"]), repository.counts(self._run))
        await entry.tell([(self._identity.workspace_id, str(show["id"]), begun)])
        self.runs.append(str(self._run["id"]))
        self._run = None


async def _found(connection: Connection, batch: Batch[Mark]) -> Found:
    found: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
    ids = [mark.invoice_id for mark in batch.rows if mark.invoice_id]
    numbers = [mark.number for mark in batch.rows if not mark.invoice_id]
    for row in await connection.fetch(SQL["named_invoices"], batch.show_id, ids) if ids else ():
        found[str(row["id"])].append(row)
    for row in await connection.fetch(SQL["numbered_invoices"], batch.show_id, numbers) if numbers else ():
        found[row["number"]].append(row)
    return found


class Marking:
    """The use case."""

    def __init__(self, ledger: Ledger, feed: Feed, provider: Provider, wake: Callable[[], None]) -> None:
        """`wake` is called when there is something for the workers to do."""
        self._ledger = ledger
        self._provider = provider
        self._feed = feed
        self._wake = wake

    async def take(self, identity: Identity, batches: AsyncIterator[Batch[Mark]]) -> tuple[Taken, MarkLoad]:
        """Raises what Feed.stream raises, and InvoicesMoved."""
        first = await anext(batches, None)
        if first is None:
            raise EmptyStream
        load = MarkLoad(identity, await self._connected(identity, first.show_id))
        whole = _from(first, batches)
        if first.validate_only:
            return await self._looked_at(identity.workspace_id, load, whole), load
        try:
            return await self._feed.stream(identity.workspace_id, load, whole), load
        finally:
            self._wake()

    async def _connected(self, identity: Identity, show_id: str) -> dict[str, ProviderConnection | None]:
        """Asked before anything is read or written: a mark that cannot reach its provider is not queued."""
        rows = await self._ledger.pool.fetch(SQL["providers_of_show"], show_id, identity.workspace_id)
        return {row["provider"]: await self._provider.connection(identity, row["provider"]) for row in rows}

    async def _looked_at(self, workspace_id: str, load: MarkLoad, batches: AsyncIterator[Batch[Mark]]) -> Taken:
        """What they would bring."""
        taken = Taken()
        async for batch in batches:
            async with self._ledger.pool.acquire() as connection:
                if await connection.fetchrow(SQL["get_show"], batch.show_id, workspace_id) is None:
                    raise ShowNotFound
                rows, rejections = await load.sift(connection, batch)
            taken.count(0, sum(row.due for row in rows), len(rows))
            taken.refuse(rejections, MOST_TOLD)
        return taken


async def _from(first: Batch[Mark], others: AsyncIterator[Batch[Mark]]) -> AsyncIterator[Batch[Mark]]:
    yield first
    async for batch in others:
        yield batch
