"""A run stopped by its operator: what no worker has begun is not made any more, what is begun finishes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.common.context import Identity
from services.invoicing import events, repository
from services.invoicing.domain.amending import put_off, withdraw
from services.invoicing.domain.invoice import Invoice
from services.invoicing.generate import GenerationNotFound
from services.invoicing.ledger import Change, Entry, Ledger, Result
from services.invoicing.repository import SQL

_NEVER_MADE: Final = "Its run was cancelled before it was made. The buyer can be invoiced again."
_NOT_CHANGED: Final = "The run that was to change it was cancelled. It stays as it is."
_NOT_RETRIED: Final = "Its retry was cancelled before it began. Retry it again, or void it."


class Cancelling:
    """The use case."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def cancel(self, identity: Identity, generation_id: str) -> asyncpg.Record:
        """The run as it stands afterwards; one that is over is answered as it is. Raises GenerationNotFound."""
        async with self._ledger.entry() as entry:
            run = await _get(entry, identity, generation_id)
            await entry.connection.execute(SQL["await_turn_to_cancel"], run["id"])
            run = await _get(entry, identity, generation_id)
            if run["state"] != "running":
                return run
            await _stop(entry, identity, run)
            return await _get(entry, identity, generation_id)


async def _get(entry: Entry, identity: Identity, generation_id: str) -> asyncpg.Record:
    run = await entry.connection.fetchrow(SQL["get_generation"], generation_id, identity.workspace_id)
    if run is None:
        raise GenerationNotFound
    return run


async def _stop(entry: Entry, identity: Identity, run: asyncpg.Record) -> None:
    """Locks as everybody does: invoices, then the show, then the run."""
    database = entry.connection
    unbegun = await database.fetch(SQL["lock_unbegun"], run["id"], run["workspace_id"], run["show_id"])
    rows = await database.fetch(SQL["lock_invoices"], [row["id"] for row in unbegun])
    await database.execute(SQL["lock_show"], run["show_id"], run["workspace_id"])
    cancelled = await database.fetchrow(SQL["cancel_generation"], run["id"])
    if cancelled is None:
        return  # its last invoice was quicker
    if not rows:  # else the results that are counted below tell of it
        told = events.generation_progressed(str(run["id"]), repository.counts(cancelled))
        await entry.tell([(str(run["workspace_id"]), str(run["show_id"]), told)])
    now, changed = datetime.now(UTC), {row["id"] for row in unbegun if row["is_change"]}
    await database.execute(SQL["drop_changes"], run["id"], list(changed))
    leave = {True: _left_as_it_is, False: _left_out}
    await entry.withdraw([leave[row["id"] in changed](repository.invoice(row), identity.actor, now) for row in rows])
    await entry.count([Result(str(run["id"]), cancelled=True) for _ in changed])


def _left_as_it_is(invoice: Invoice, actor: str, now: datetime) -> Change:
    after = replace(invoice, version=invoice.version + 1, updated_at=now)
    return Change(invoice, after, _NOT_CHANGED, actor)


def _left_out(invoice: Invoice, actor: str, now: datetime) -> Change:
    """A first attempt left nothing at the provider. Of an earlier one nobody knows: that invoice stays failed."""
    first = invoice.attempt == 1 and not invoice.external_id
    sentence = _NEVER_MADE if first else _NOT_RETRIED
    after = (withdraw if first else put_off)(invoice, sentence, now)
    return Change(invoice, after, sentence, actor, withdrawn=True)
