"""The one way in which invoices change: row, history, the show's position and the event, in one transaction.

Locks are always taken in the same order: invoices by id, then shows by id, then generations, pay links and buyers.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from services.common import context
from services.common.db import Connection, Pool, transaction
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.common.outbox import Message, Outbox
from services.invoicing import events, repository
from services.invoicing.domain import marks
from services.invoicing.domain.invoice import Invoice, Standing, Status
from services.invoicing.domain.marks import AskedMark
from services.invoicing.domain.sighting import mailed_elsewhere
from services.invoicing.events import Payload
from services.invoicing.repository import SQL

MANY = 1_000
"""Changes or events whose making would keep the loop from others: more are made beside it."""


class RequestIdTaken(ShowbillError):
    """This request id was used for something else before. Use a new one."""

    kind = Kind.CONFLICT
    reason = "REQUEST_ID_TAKEN"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of one invoice. `after` has the next version."""

    before: Invoice
    after: Invoice
    reason: str
    """A finished sentence."""
    actor: str
    lines: list[dict[str, Any]] | None = None
    """The new lines; None where they stay."""
    withdrawn: bool = False
    """It is taken out of its run without a result: nothing was made of it."""
    provider_request: str = ""
    """The provider's name of the call that failed; empty where none did, or it gave none."""
    request_id: str = field(default_factory=context.request_id)
    """The request that caused it."""

    @property
    def became_paid(self) -> bool:
        return self.after.status is Status.PAID and self.before.status is not Status.PAID


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one invoice that a run set out to make or to change."""

    run_id: str
    created: bool = False
    """Made, or changed as it was planned."""
    failed: bool = False
    held_back: bool = False
    """Made, and kept a draft."""
    cancelled: bool = False
    """Left undone, for the run or the invoice was cancelled."""
    dropped: bool = False
    """Overtaken by something else before it was changed: it is as if it had not been planned."""


@dataclass(slots=True)
class Entry:
    """A transaction, and the events that are published once it is committed."""

    connection: Connection
    outbox: Outbox
    messages: list[Message] = field(default_factory=list)

    async def change(self, changes: Sequence[Change]) -> None:
        """Writes the steps, which may be several of one invoice, in order. The rows must be locked."""
        if not changes:
            return
        changes = await self._with_marks(changes)
        await self._write(changes)
        await self._send_what_became_payable(changes)
        await self._announce(changes)
        await self._count_results(changes)

    async def _with_marks(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Whoever tells of a payment: where it is a mark whose answer is outstanding, it is told as the mark."""
        paid = {change.after.id: change.after for change in changes if change.became_paid}
        rows = await self.connection.fetch(SQL["asked_marks"], list(paid)) if paid else ()
        asked = {str(row["invoice_id"]): repository.asked_mark(row) for row in rows}
        done = {one: mark for one, mark in asked.items() if marks.is_the_mark(mark, paid[one])}
        return [_as_marked(change, done.get(change.after.id)) for change in changes] if done else changes

    async def tell_of(self, changes: Sequence[Change]) -> None:
        """Writes history and events of steps to a next version that this transaction gave the rows in another way."""
        await self.connection.execute(SQL["write_history"], *_history(changes))
        await self._announce(changes)

    async def _announce(self, changes: Sequence[Change]) -> None:
        told = await asyncio.to_thread(_told, changes) if len(changes) > MANY else _told(changes)
        await self.tell(told, [change.request_id for change in changes])

    async def withdraw(self, changes: Sequence[Change]) -> None:
        """Writes steps that the event of their run stands for, however many they are. The rows must be locked."""
        if changes:
            await self._write(changes)
            await self._count_results(changes)

    async def _write(self, changes: Sequence[Change]) -> None:
        await _write(self.connection, changes)

    async def _send_what_became_payable(self, changes: Sequence[Change]) -> None:
        """Queues the link of an invoice that can be paid from now on, where the settings say so; once for each."""
        before = {change.after.id: change.before.standing for change in reversed(changes)}
        now = {change.after.id: change.after.standing for change in changes}
        ready = [one for one in now if before[one] < Standing.PAYABLE and now[one] is Standing.PAYABLE]
        if ready:
            await self.connection.execute(SQL["queue_automatic"], [new_id() for _ in ready], ready)

    async def tell(self, told: Sequence[tuple[str, str, Payload]], requests: Sequence[str] = ()) -> None:
        """Writes events of shows, named by workspace and id, in order, with the requests that caused them.

        That is the one being served where none are given.
        """
        counts = Counter(show_id for _, show_id, _ in told)
        rows = await self.connection.fetch(SQL["take_positions"], list(counts), list(counts.values()))
        place = {str(row["id"]): row["seq"] - counts[str(row["id"])] for row in rows}
        causes = requests or [context.request_id()] * len(told)
        many = len(told) > MANY
        messages = await asyncio.to_thread(_messages, told, causes, place) if many else _messages(told, causes, place)
        await self.outbox.add(self.connection, messages)
        self.messages.extend(messages)

    async def _count_results(self, changes: Sequence[Change]) -> None:
        """Every step out of pending is a result of the run that the invoice belongs to."""
        over = [
            one for one in changes if one.before.status is Status.PENDING and one.after.status is not Status.PENDING
        ]
        await self.count([_result(change) for change in over])

    async def count(self, results: Sequence[Result]) -> None:
        """Counts results of runs, and tells their progress."""
        if not results:
            return
        runs = sorted({result.run_id for result in results})
        if not self.messages:  # else the show was told of something before, and is locked
            await self.connection.execute(SQL["lock_shows_of_runs"], runs)
        cancelled = {result.run_id for result in results if result.cancelled}
        counted = [
            Counter(result.run_id for result in results if getattr(result, kind))
            for kind in ("created", "failed", "held_back", "dropped", "cancelled")
        ]
        rows = await self.connection.fetch(
            SQL["count_results"], runs, *([counter[run] for run in runs] for counter in counted)
        )
        told = [
            (str(row["workspace_id"]), str(row["show_id"]), _progress(row, datetime.now(UTC)))
            for row in rows
            if row["report_due"] or row["finished_now"] or str(row["id"]) in cancelled
        ]
        if told:
            await self.tell(told)


def _as_marked(change: Change, mark: AskedMark | None) -> Change:
    """A step of an invoice that was marked as paid: in the name of who asked for it, and kept with what follows."""
    if mark is None or change.after.status is not Status.PAID:
        return change
    outside = marks.kept(mark.note)
    after = replace(change.after, paid_outside=outside)
    if change.became_paid:
        told = marks.MARKED + mailed_elsewhere(change.before, after)
        return replace(change, after=after, reason=told, actor=mark.actor)
    return replace(change, before=replace(change.before, paid_outside=outside), after=after)


def _told(changes: Sequence[Change]) -> list[tuple[str, str, Payload]]:
    return [(c.after.workspace_id, c.after.show_id, events.invoice_updated(c.after, c.before.status)) for c in changes]


def _messages(told: Sequence[tuple[str, str, Payload]], causes: Sequence[str], place: dict[str, int]) -> list[Message]:
    """Each with the next place in its show."""
    now, messages = datetime.now(UTC), []
    for (workspace_id, show_id, payload), request_id in zip(told, causes, strict=True):
        place[show_id] += 1
        messages.append(events.message(workspace_id, show_id, place[show_id], payload, now, request_id))
    return messages


def _result(change: Change) -> Result:
    made = change.after
    if change.withdrawn or made.status is Status.VOID:
        return Result(made.generation_id, cancelled=True)
    failed, held_back = made.status is Status.ERROR, made.status is Status.DRAFT and made.draft_reason is not None
    return Result(made.generation_id, created=not failed, failed=failed, held_back=held_back)


def _progress(run: asyncpg.Record, now: datetime) -> Payload:
    run_id, counts = str(run["id"]), repository.counts(run)
    if run["finished_now"]:
        return events.generation_finished(run_id, counts, cancelled=run["state"] == "cancelled")
    return events.generation_progressed(run_id, counts, repository.pace(run, now))


class Ledger:
    """Where every use case opens its transaction."""

    def __init__(self, pool: Pool, outbox: Outbox) -> None:
        self.pool = pool
        self._outbox = outbox

    @asynccontextmanager
    async def entry(self, *, by_key: bool = False) -> AsyncIterator[Entry]:
        """A transaction whose events are published right after its commit. `by_key` as `transaction` has it."""
        async with transaction(self.pool, by_key=by_key) as connection:
            entry = Entry(connection, self._outbox)
            yield entry
        self._outbox.committed(entry.messages)


async def _write(connection: Connection, changes: Sequence[Change]) -> None:
    last = {change.after.id: change.after for change in changes}
    lines = {change.after.id: change.lines for change in changes if change.lines is not None}
    rows = list(last.values())
    await connection.execute(
        SQL["write_changes"],
        [row.id for row in rows],
        [row.status for row in rows],
        [row.draft_reason for row in rows],
        [row.status_reason for row in rows],
        [row.total for row in rows],
        [msgspec.json.encode(lines[row.id]).decode() if row.id in lines else None for row in rows],
        [row.line_count for row in rows],
        [row.unpriced_count for row in rows],
        [row.version for row in rows],
        [row.external_id for row in rows],
        [row.external_url for row in rows],
        [row.external_url_at for row in rows],
        [row.provider_url for row in rows],
        [row.number for row in rows],
        [row.adjusted_at_provider for row in rows],
        [row.paid_at for row in rows],
        [row.sent_at for row in rows],
        [row.send_count for row in rows],
        [row.updated_at for row in rows],
        [row.told_email for row in rows],
        [row.paid_outside for row in rows],
        *_history(changes),
    )


def _history(changes: Sequence[Change]) -> tuple[list[object], ...]:
    return (
        [change.after.id for change in changes],
        [change.after.version for change in changes],
        [change.before.status for change in changes],
        [change.after.status for change in changes],
        [change.reason for change in changes],
        [change.actor for change in changes],
        [change.provider_request for change in changes],
    )
