"""The queue of generations: the run, and the pending invoices written for a plan."""

import asyncio
import secrets
from collections.abc import Sequence

import asyncpg
import msgspec

from services.common.context import Identity
from services.common.db import Connection
from services.common.ids import new_id
from services.invoicing import events, repository
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.plan import Action, Entry, Plan
from services.invoicing.ledger import Entry as Transaction
from services.invoicing.ledger import RequestIdTaken
from services.invoicing.paylinks import TOKEN_BYTES
from services.invoicing.ports import Connection as ProviderConnection
from services.invoicing.repository import SQL


async def add_run(
    database: Connection, identity: Identity, show_id: str, request: tuple[str | None, str], planned: Plan
) -> asyncpg.Record:
    """Writes the run; one that has nothing to do is finished at once. `request` is its id and what it asks for."""
    changes, creations = len(planned.to_change), len(planned.having(Action.CREATE))
    skipped = [
        {"buyer_id": one.buyer.id, "handle": one.buyer.handle, "reason": one.reason}
        for one in planned.having(Action.SKIP)
    ]
    run = await database.fetchrow(
        SQL["add_generation"],
        new_id(),
        identity.workspace_id,
        show_id,
        "running" if creations + changes else "finished",
        request[0],
        planned.hash,
        creations + changes,
        len(planned.entries) - creations - changes - len(skipped),
        skipped,
        identity.actor,
        changes,
        request[1],
    )
    if run is None:  # the same request for another show was a moment quicker
        raise RequestIdTaken
    return run


async def add_run_of(database: Connection, identity: Identity, show_id: str, count: int) -> asyncpg.Record:
    """Writes a run that tries so many failed invoices again."""
    run = await database.fetchrow(
        SQL["add_generation"],
        *(new_id(), identity.workspace_id, show_id, "running", None, "", count, 0, [], identity.actor, count, ""),
    )
    assert run is not None
    return run


async def add_invoices(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run: asyncpg.Record,
    planned: Sequence[Entry],
    connection: ProviderConnection,
) -> None:
    """Writes pay links, pending invoices and their first history, and tells of the run. The show must be locked."""
    database = entry.connection
    columns = await asyncio.to_thread(_columns, planned)
    await database.execute(SQL["prepare_big_join"])
    written = await database.fetchval(
        SQL["add_pending_invoices"],
        show["id"],
        *columns,
        identity.workspace_id,
        run["id"],
        show["currency"],
        show["name"],
        (show["start_at"] or show["created_at"]).date(),
        connection.provider,
        connection.integration_id,
        connection.account_id,
        connection.livemode,
        identity.actor,
    )
    await database.execute(SQL["end_big_join"])
    assert written == len(planned), "the lock of the show keeps claims and invoices as they were planned"
    # One event however long the queue: what listens reads the list, as it would after thousands of them.
    begun = events.generation_progressed(str(run["id"]), repository.counts(run))
    await entry.tell([(identity.workspace_id, str(show["id"]), begun)])


def _columns(planned: Sequence[Entry]) -> tuple[list[object], ...]:
    return (
        [one.buyer.id for one in planned],
        [new_id() for _ in planned],  # in the order of the plan, hence listed by handle
        [one.draft_reason for one in planned],
        [one.revision for one in planned],
        [buyer_snapshot(one) for one in planned],
        [pay_token(one) for one in planned],
    )


async def announce(entry: Transaction, invoices: Sequence[Invoice], reason: str, actor: str) -> None:
    """Writes the first history of new invoices, and their events."""
    count = len(invoices)
    await entry.connection.execute(
        SQL["write_history"],
        [invoice.id for invoice in invoices],
        [1] * count,
        [None] * count,
        [Status.PENDING] * count,
        [reason] * count,
        [actor] * count,
        [""] * count,
    )
    await entry.tell(
        [(invoice.workspace_id, invoice.show_id, events.invoice_updated(invoice, None)) for invoice in invoices]
    )


def pay_token(planned: Entry) -> str:
    """Of the buyer's link in force, or of the one to make."""
    return planned.buyer.pay_token or secrets.token_urlsafe(TOKEN_BYTES)


def buyer_snapshot(planned: Entry) -> str:
    """The buyer as the provider is told, as JSON."""
    names = ("platform", "platform_user_id", "handle", "display_name", "email")
    return msgspec.json.encode({name: getattr(planned.buyer, name) for name in names}).decode()
