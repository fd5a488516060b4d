"""The queue of generations: pending invoices written for a plan, and failed ones put back."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec

from services.common.context import Identity
from services.common.db import Connection
from services.common.ids import new_id
from services.common.money import format_money
from services.invoicing import events, repository
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.plan import Action, Entry, Plan, Terms, afresh, held_back
from services.invoicing.ledger import Change, RequestIdTaken
from services.invoicing.ledger import Entry as Transaction
from services.invoicing.ports import Connection as ProviderConnection
from services.invoicing.repository import SQL

TOKEN_BYTES: Final = 18
"""Of randomness in a pay link: 144 bits."""


async def add_run(
    database: Connection, identity: Identity, show_id: str, request_id: str | None, planned: Plan
) -> asyncpg.Record:
    """Writes the run; one that has nothing to make is finished at once."""
    to_create = planned.having(Action.CREATE)
    skipped = [
        {"buyer_id": one.buyer.id, "handle": one.buyer.handle, "reason": one.reason}
        for one in planned.having(Action.SKIP)
    ]
    run = await database.fetchrow(
        SQL["add_generation"],
        new_id(),
        identity.workspace_id,
        show_id,
        "running" if to_create else "finished",
        request_id,
        planned.hash,
        len(to_create),
        len(planned.entries) - len(to_create) - len(skipped),
        skipped,
        identity.actor,
    )
    if run is None:  # the same request for another show was a moment quicker
        raise RequestIdTaken
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
    await database.execute(SQL["prepare_big_join"])
    written = await database.fetchval(
        SQL["add_pending_invoices"],
        show["id"],
        [one.buyer.id for one in planned],
        [new_id() for _ in planned],  # in the order of the plan, hence listed by handle
        [one.draft_reason for one in planned],
        [one.revision for one in planned],
        [msgspec.json.encode(_snapshot(one)).decode() for one in planned],
        [one.buyer.pay_token or secrets.token_urlsafe(TOKEN_BYTES) for one in planned],
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


def _snapshot(planned: Entry) -> dict[str, str]:
    buyer = planned.buyer
    return {
        "platform": buyer.platform,
        "platform_user_id": buyer.platform_user_id,
        "handle": buyer.handle,
        "display_name": buyer.display_name,
        "email": buyer.email,
    }


async def queue_again(
    entry: Transaction, identity: Identity, show: asyncpg.Record, ids: Sequence[str], connection: ProviderConnection
) -> asyncpg.Record | None:
    """Failed invoices become pending once more, with the claims and prices of now; answers the run that makes them.

    Invoices and show must be locked. Who owes nothing now is left out; None when that is everybody.
    """
    database, show_id = entry.connection, str(show["id"])
    locked = [repository.invoice(row) for row in await database.fetch(SQL["lock_invoices"], ids)]
    present = await database.fetch(SQL["owed_now"], show_id, [invoice.buyer_id for invoice in locked])
    terms = connection.terms(show["currency"])
    owed = {str(row["buyer_id"]): row for row in present if afresh(repository.owed(row), terms)[0] is Action.CREATE}
    again = [invoice for invoice in locked if invoice.buyer_id in owed]
    if not again:
        return None
    run = await database.fetchrow(
        SQL["add_generation"],
        *(new_id(), identity.workspace_id, show_id, "running", None, "", len(again), 0, [], identity.actor),
    )
    assert run is not None
    changes = [_once_more(one, owed[one.buyer_id], str(run["id"]), connection, terms, identity.actor) for one in again]
    await database.execute(
        SQL["queue_again"],
        [change.after.id for change in changes],
        [change.after.attempt for change in changes],
        run["id"],
        connection.integration_id,
        connection.account_id,
        connection.livemode,
        [owed[change.after.buyer_id]["digest"] for change in changes],
    )
    await entry.change(changes)
    return run


def _once_more(
    invoice: Invoice, owed: asyncpg.Record, run_id: str, connection: ProviderConnection, terms: Terms, actor: str
) -> Change:
    """A raised attempt: the provider is searched for what the earlier one left before anything is made."""
    after = replace(
        invoice,
        status=Status.PENDING,
        status_reason="",
        draft_reason=held_back(repository.owed(owed), terms),
        total=owed["total"],
        line_count=owed["line_count"],
        unpriced_count=owed["unpriced_count"],
        attempt=invoice.attempt + 1,
        version=invoice.version + 1,
        generation_id=run_id,
        external_account=connection.account_id,
        livemode=connection.livemode,
        updated_at=datetime.now(UTC),
    )
    reason = "It is tried once more."
    if after.total != invoice.total:
        was, now = (format_money(one.total, one.currency) for one in (invoice, after))
        reason += f" Claims or prices changed: the total was {was}, now it is {now}."
    return Change(invoice, after, reason, actor, owed["line_items"])
