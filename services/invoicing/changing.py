"""Changes of invoices that stand, carried out as they were planned: drafts edited, open ones voided and issued again.

The invoice's row is the queue entry. First the provider is asked, which answers the invoice as it then stands however
often it is asked; then one transaction writes what it said, the revision that takes its place, and the end of the
change. So a process may die at any point: another one asks again and writes the same.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.common.money import format_money
from services.invoicing import repository
from services.invoicing.domain import invoice as rules
from services.invoicing.domain.invoice import DraftReason, Invoice, Standing, Status
from services.invoicing.domain.rollup import ChangeKind
from services.invoicing.domain.sighting import Sighting, mailed_elsewhere, observe
from services.invoicing.ledger import Change, Entry, Ledger, Result
from services.invoicing.ports import Order, Provider
from services.invoicing.queueing import announce
from services.invoicing.repository import SQL
from services.invoicing.settle import step

log = structlog.get_logger()

_VOIDED: Final = {
    ChangeKind.REISSUE: "It was voided, for claims or prices changed. Another revision takes its place.",
    ChangeKind.VOID: "It was voided, for it is not owed any more.",
}
_OVERTAKEN: Final = "{what} before it could be changed, so it stays as it is. Plan again to see what is left to do."
_WHAT: Final = {
    Status.PAID: "It was paid",
    Status.UNCOLLECTIBLE: "It was written off",
    Status.VOID: "It was voided or deleted at the provider",
}
_FINALIZED: Final = "It was finalized at the provider"
_REPLACED: Final = "It was replaced by an edited one at the provider"


class StillADraft(ShowbillError):
    """The provider left the invoice a draft, so it cannot be paid yet. Look at it there, then plan again."""

    kind = Kind.UNAVAILABLE
    reason = "NOT_FINALIZED"


@dataclass(frozen=True, slots=True)
class Task:
    """A change taken from the queue."""

    kind: ChangeKind
    run_id: str
    external_id: str
    """Empty where no invoice is known to stand at the provider."""


def task_of(row: asyncpg.Record) -> Task | None:
    """Of a row taken from the queue; None for an invoice that is still to be made."""
    if row["change"] is None:
        return None
    return Task(ChangeKind(row["change"]), str(row["change_run"]), row["external_id"])


class Changing:
    """Carries changes out, one at a time."""

    def __init__(self, ledger: Ledger, provider: Provider, actor: str) -> None:
        self._ledger = ledger
        self._provider = provider
        self._actor = actor

    async def carry_out(self, order: Order, task: Task) -> None:
        """`order` is what the invoice is to become. Raises ShowbillError when the provider does not do it."""
        identity = Identity(order.account.workspace_id, self._actor)
        if task.kind is ChangeKind.EDIT_DRAFT:
            seen = await self._provider.update_draft(identity, order, task.external_id)
            if seen.standing is Standing.HELD_BACK and not order.keep_draft:
                raise StillADraft
        else:
            seen = await self._voided(identity, order, task)
        async with self._ledger.entry() as entry:
            await self._write(entry, order, task, seen)

    async def _voided(self, identity: Identity, order: Order, task: Task) -> Sighting:
        external_id = task.external_id
        if not external_id:  # its making failed: what it may have left is looked for first
            found = await self._provider.find(identity, order.account, order.id, order.revision, order.buyer)
            if found is None:
                return Sighting(Standing.VOID)
            left = found.replaced_by or found.external_id
            seen = await self._provider.void(identity, order.account, left, order.id, order.revision)
            # A draft that was left behind and is gone now was never known to be this invoice's.
            return Sighting(Standing.VOID) if seen.deleted else seen
        return await self._provider.void(identity, order.account, external_id, order.id, order.revision)

    async def _write(self, entry: Entry, order: Order, task: Task, seen: Sighting) -> None:
        known = await _locked(entry, order.id)
        planned = await entry.connection.fetchrow(SQL["end_change"], order.id, task.run_id)
        now = datetime.now(UTC)
        if planned is None:  # another worker was quicker; what was seen is true all the same
            news = step(known, seen, self._actor, now)
            await entry.change([news] if news else [])
        elif task.kind is ChangeKind.EDIT_DRAFT and _edited(seen, order):
            await self._write_edit(entry, task, _edit(known, seen, planned, self._actor, now), planned)
        else:
            await self._write_void(entry, known, task, seen, planned, now)

    async def _write_edit(self, entry: Entry, task: Task, change: Change, planned: asyncpg.Record) -> None:
        await entry.connection.execute(
            SQL["note_planned"], change.after.id, planned["planned_digest"], planned["beside_total"]
        )
        await entry.change([change])
        held_back = change.after.standing is Standing.HELD_BACK
        await entry.count([Result(task.run_id, created=True, held_back=held_back)])

    async def _write_void(
        self,
        entry: Entry,
        known: Invoice,
        task: Task,
        seen: Sighting,
        planned: asyncpg.Record,
        now: datetime,
    ) -> None:
        news = step(known, seen, self._actor, now)
        after = news.after if news else known
        if after.status is not Status.VOID or task.kind is ChangeKind.EDIT_DRAFT:
            replaced = task.external_id and after.external_id != task.external_id
            what = _REPLACED if replaced else _WHAT.get(after.status, _FINALIZED)
            sentence = _OVERTAKEN.format(what=what)
            noted = replace(after, version=after.version + 1, updated_at=now)
            await entry.change([*([news] if news else []), Change(after, noted, sentence, self._actor)])
            await entry.count([Result(task.run_id, dropped=True)])
            return
        if news:
            reason = _VOIDED[task.kind]
            await entry.change([replace(news, after=replace(after, status_reason=reason), reason=reason)])
        made = task.kind is ChangeKind.VOID or await self._add_successor(entry, after, task, planned)
        if task.kind is ChangeKind.VOID or not made:
            await entry.count([Result(task.run_id, created=made, dropped=not made)])

    async def _add_successor(self, entry: Entry, voided: Invoice, task: Task, planned: asyncpg.Record) -> bool:
        """The next revision, pending in the same run; False when the buyer was invoiced anew meanwhile."""
        await entry.connection.fetchrow(SQL["lock_show"], voided.show_id, voided.workspace_id)
        added = await entry.connection.fetchval(
            SQL["add_successor"],
            voided.id,
            new_id(),
            task.run_id,
            planned["draft_reason"],
            planned["total"],
            planned["line_items"],
            planned["line_count"],
            planned["unpriced_count"],
            planned["planned_digest"],
            planned["beside_total"],
            planned["buyer"],
        )
        if added is None:
            log.warning("an invoice was taken the place of before its next revision came", invoice_id=voided.id)
            return False
        reason = f"It takes the place of revision {voided.revision}."
        await announce(entry, [await _locked(entry, str(added))], reason, self._actor)
        return True

    async def give_up(self, invoice_id: str, owner: str, run_id: str, error: ShowbillError) -> None:
        """The provider refuses for good: the invoice stays as it is, and says why. Only under the lease."""
        async with self._ledger.entry() as entry:
            known = await _locked(entry, invoice_id)
            if not await entry.connection.fetchval(SQL["holds_lease"], invoice_id, owner):
                return
            if await entry.connection.fetchrow(SQL["end_change"], invoice_id, run_id) is None:
                return
            log.info("a change failed", invoice_id=invoice_id, reason=error.reason)
            sentence = f"It was not changed. {error.message}"
            now = datetime.now(UTC)
            after = replace(known, status_reason=sentence, version=known.version + 1, updated_at=now)
            await entry.change([Change(known, after, sentence, self._actor)])
            await entry.count([Result(run_id, failed=True)])


async def _locked(entry: Entry, invoice_id: str) -> Invoice:
    rows = await entry.connection.fetch(SQL["lock_invoices"], [invoice_id])
    return repository.invoice(rows[0])


def _edited(seen: Sighting, order: Order) -> bool:
    """Whether the draft became what was planned: one that somebody finalized before has its own total or lines, and one
    that is void there bills nothing, whatever replaced it.
    """
    if seen.other_lines:
        return False
    if seen.standing is Standing.HELD_BACK or seen.standing is Standing.VOID:
        return seen.standing is Standing.HELD_BACK and order.keep_draft
    return seen.standing >= Standing.PAYABLE and seen.total == order.total and not order.keep_draft


def _edit(known: Invoice, seen: Sighting, planned: asyncpg.Record, actor: str, now: datetime) -> Change:
    reason = DraftReason(planned["draft_reason"]) if planned["draft_reason"] else None
    held_back = known.standing is Standing.HELD_BACK
    brought = replace(
        known,
        total=planned["total"],
        line_count=planned["line_count"],
        unpriced_count=planned["unpriced_count"],
        draft_reason=(reason or known.draft_reason) if held_back else None,
        status_reason=rules.held_back_because(reason) if reason and held_back else "",
        adjusted_at_provider=False,  # an event may have told of our own edit first
    )
    observed = observe(brought, seen, now)
    after = observed[0] if observed else replace(brought, version=known.version + 1, updated_at=now)
    total = format_money(after.total, after.currency)
    sentence = f"The draft was brought to {total}" + (", and stays a draft." if reason else ", and can be paid now.")
    sentence += mailed_elsewhere(known, after)
    return Change(known, after, sentence, actor, planned["line_items"])
