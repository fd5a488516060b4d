"""The queue of generations: the run, and the pending invoices written for a plan."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from services.common.context import Identity
from services.common.db import Connection
from services.common.ids import new_id
from services.invoicing import events
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.plan import Action, Entry, Plan
from services.invoicing.ledger import Entry as Transaction
from services.invoicing.ledger import RequestIdTaken
from services.invoicing.ports import Connection as ProviderConnection
from services.invoicing.repository import SQL

TOKEN_BYTES: Final = 18
"""Of randomness in a pay link: 144 bits."""


async def add_run(
    database: Connection, identity: Identity, show_id: str, request_id: str | None, planned: Plan
) -> asyncpg.Record:
    """Writes the run; one that has nothing to do is finished at once."""
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
        request_id,
        planned.hash,
        creations + changes,
        len(planned.entries) - creations - changes - len(skipped),
        skipped,
        identity.actor,
        changes,
    )
    if run is None:  # the same request for another show was a moment quicker
        raise RequestIdTaken
    return run


async def add_run_of(database: Connection, identity: Identity, show_id: str, count: int) -> asyncpg.Record:
    """Writes a run that tries so many failed invoices again."""
    run = await database.fetchrow(
        SQL["add_generation"],
        *(new_id(), identity.workspace_id, show_id, "running", None, "", count, 0, [], identity.actor, count),
    )
    assert run is not None
    return run


async def add_invoices(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run_id: str,
    planned: Sequence[Entry],
    connection: ProviderConnection,
) -> None:
    """Writes pay links, pending invoices, their first history and their events. The show must be locked."""
    database = entry.connection
    tokens = await add_pay_links(database, show["id"], planned)
    ids = [new_id() for _ in planned]  # in the order of the plan, hence listed by handle
    await database.execute(SQL["prefer_hash_joins"])
    rows = await database.fetch(
        SQL["add_pending_invoices"],
        show["id"],
        [one.buyer.id for one in planned],
        ids,
        [one.draft_reason for one in planned],
        [one.revision for one in planned],
        [buyer_snapshot(one) for one in planned],
        identity.workspace_id,
        run_id,
        show["currency"],
        show["name"],
        (show["start_at"] or show["created_at"]).date(),
        connection.provider,
        connection.integration_id,
        connection.account_id,
        connection.livemode,
    )
    await database.execute(SQL["allow_nested_loops"])
    assert len(rows) == len(planned), "the lock of the show keeps claims and invoices as they were planned"
    made = {str(row["id"]): row["created_at"] for row in rows}
    invoices = [
        _pending(one, invoice_id, token, show, run_id, connection, made[invoice_id])
        for one, invoice_id, token in zip(planned, ids, tokens, strict=True)
    ]
    await announce(entry, invoices, "It waits to be made at the provider.", identity.actor)


async def add_pay_links(database: Connection, show_id: str, planned: Sequence[Entry]) -> list[str]:
    """The tokens of the buyers' links, in order; those that have none get one."""
    tokens = [one.buyer.pay_token or secrets.token_urlsafe(TOKEN_BYTES) for one in planned]
    await database.execute(SQL["add_pay_links"], show_id, [one.buyer.id for one in planned], tokens)
    return tokens


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
    )
    await entry.tell(
        [(invoice.workspace_id, invoice.show_id, events.invoice_updated(invoice, None)) for invoice in invoices]
    )


def buyer_snapshot(planned: Entry) -> str:
    """The buyer as the provider is told, as JSON."""
    names = ("platform", "platform_user_id", "handle", "display_name", "email")
    return msgspec.json.encode({name: getattr(planned.buyer, name) for name in names}).decode()


def _pending(
    planned: Entry,
    invoice_id: str,
    token: str,
    show: asyncpg.Record,
    run_id: str,
    connection: ProviderConnection,
    created_at: datetime,
) -> Invoice:
    """As the database has it, for the event."""
    return Invoice(
        id=invoice_id,
        workspace_id=str(show["workspace_id"]),
        show_id=str(show["id"]),
        buyer_id=planned.buyer.id,
        generation_id=run_id,
        platform=planned.buyer.platform,
        platform_user_id=planned.buyer.platform_user_id,
        handle=planned.buyer.handle,
        display_name=planned.buyer.display_name,
        email=planned.buyer.email,
        pay_token=token,
        status=Status.PENDING,
        draft_reason=planned.draft_reason,
        status_reason="",
        total=planned.owed.total,
        currency=show["currency"],
        line_count=planned.owed.line_count,
        unpriced_count=planned.owed.unpriced_count,
        revision=planned.revision,
        attempt=1,
        version=1,
        provider=connection.provider,
        external_account=connection.account_id,
        livemode=connection.livemode,
        external_id="",
        external_url="",
        external_url_at=None,
        provider_url="",
        number="",
        adjusted_at_provider=False,
        paid_at=None,
        sent_at=None,
        send_count=0,
        created_at=created_at,
        updated_at=created_at,
    )
